"""Rules about the code, checked on its syntax trees: who may import whom, and what the readings share."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.function_shape import shape_of

_PROJECT = Path(__file__).resolve().parent.parent
_PACKAGES = ("servers", "clients", "tests")
_STDLIB = sys.stdlib_module_names


class Room(NamedTuple):
    """What the modules below a prefix may import: of ours, by prefix, and of others, by top-level name.

    `stdlib` is "any", or the only modules of the standard library that are allowed.
    """

    ours: tuple[str, ...]
    others: frozenset[str] = frozenset()
    stdlib: frozenset[str] | None = None


# The parsers by hand know no parser of anybody else: neither http nor email, urllib, cgi, base64, ipaddress.
_PARSING = frozenset({"binascii", "collections", "dataclasses", "enum", "re", "typing"})
# The parsers of Flask's side open no socket and no file, and know no clock.
_FLASK_PARSING = frozenset({*_PARSING, "base64", "email", "ipaddress", "itertools", "urllib", "_typeshed"})
_CONTRACT_FOR_PARSERS = tuple(
    f"servers.contract.{name}" for name in ("charsets", "limits", "problems", "remembered", "request")
)
_BACKEND = ("servers.contract", "servers.routes", "servers.settings")
_HISTORY = ("servers.web.history_writer",)
_FLASK = ("servers.flask_reading", "servers.flask_server")

ROOMS = {
    "servers.sansio": Room(("servers.sansio", *_CONTRACT_FOR_PARSERS), stdlib=_PARSING),
    "servers.contract": Room(("servers.contract", "servers.storage.base", "servers.storage.resumable")),
    "servers.metrics": Room(
        (
            *("servers.metrics", "servers.contract"),
            *("servers.storage.base", "servers.storage.resumable"),
        ),
        frozenset({"prometheus_client"}),
    ),
    "servers.storage": Room(
        ("servers.storage", "servers.allocator", "servers.started_pool"), frozenset({"obstore", "urllib3"})
    ),
    "servers.routes": Room(
        (
            *("servers.routes", "servers.contract", "servers.storage.base", "servers.storage.resumable"),
            "servers.web",
        )
    ),
    # It explains bytes by the parsers of `sansio`, on every backend: an explanation is no reading.
    "servers.web": Room(
        ("servers.web", "servers.contract", "servers.routes", "servers.sansio", "servers.storage.base")
    ),
    "servers.settings": Room(
        (
            *("servers.contract", "servers.storage", "servers.token_file", "servers.variables"),
            *("servers.metrics", "servers.web.history", *_HISTORY),
        )
    ),
    "servers.token_file": Room(("servers.contract", "servers.variables")),
    "servers.variables": Room(()),
    "servers.allocator": Room(()),
    "servers.descriptors": Room(()),
    "servers.fairness": Room(()),
    "servers.handshakes": Room(()),
    "servers.service_manager": Room(()),
    "servers.started_pool": Room(()),
    "servers.socket_server": Room(
        (
            *(*_BACKEND, "servers.fairness", "servers.handshakes", "servers.socket_server"),
            *("servers.sansio", "servers.service_manager", "servers.started_pool", "servers.web"),
        ),
        frozenset({"rich"}),
    ),
    "servers.socket_upload": Room(
        (
            *(*_BACKEND, "servers.allocator", "servers.descriptors", "servers.service_manager"),
            "servers.socket_server",
        ),
        frozenset({"click", "rich"}),
    ),
    "servers.flask_reading": Room(
        ("servers.contract", "servers.flask_reading"), frozenset({"werkzeug"}), stdlib=_FLASK_PARSING
    ),
    "servers.flask_server": Room(
        (
            *("servers.contract", "servers.descriptors", "servers.fairness", "servers.handshakes"),
            *("servers.settings", "servers.storage.base", *_FLASK),
        ),
        frozenset({"flask", "gunicorn", "werkzeug"}),
    ),
    "servers.flask_upload": Room((*_BACKEND, *_FLASK), frozenset({"click", "flask", "werkzeug"})),
    "servers.gunicorn_conf": Room(
        ("servers.allocator", "servers.descriptors", "servers.flask_server", "servers.settings")
    ),
    "servers.fastapi_server": Room(
        ("servers.contract", "servers.settings", "servers.fastapi_server", "servers.sansio"),
        frozenset({"anyio", "h11", "starlette", "uvicorn"}),
    ),
    "servers.fastapi_upload": Room(
        (*_BACKEND, "servers.fastapi_server", "servers.sansio"),
        frozenset({"anyio", "click", "fastapi", "starlette"}),
    ),
}
# Independent readings of the same bytes: their agreement proves something only if they share no parser.
# FastAPI is not one of them, because it hosts the parsers of `sansio` as the socket server does.
READINGS = {
    "socket": ("servers.sansio", "servers.socket_server", "servers.socket_upload"),
    "flask": ("servers.flask_reading", "servers.flask_server", "servers.flask_upload"),
}
# Both may use these: they say how code is written, not what bytes mean. Of binascii the Flask side takes only
# the exception that base64 raises.
_NEUTRAL = frozenset({"binascii", "collections", "dataclasses", "enum", "re", "typing"})

_TOP_LEVEL = {
    *(".ci", ".flaskenv", ".gitattributes", ".github", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md"),
    *("clients", "pyproject.toml", "sample_files", "servers", "tests"),
}
_DRAWERS = re.compile(r"(.*_)?(utils?|helpers?|common|misc|tools|stuff|lib)(_.*)?")
_MAX_FILE_LINES = 400
_MAX_FUNCTION_LINES = 100
_SHORT_FUNCTION_LINES = 40


@cache
def _modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    paths = (path for package in _PACKAGES for path in sorted((_PROJECT / package).rglob("*.py")))
    return {_dotted(path): path for path in paths}


def _dotted(path: Path) -> str:
    parts = path.relative_to(_PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _below(module: str, *prefixes: str) -> bool:
    """Whether it is one of these or inside of one."""
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def _imports(module: str, tree: ast.AST | None = None) -> Iterator[str]:
    """What a module, or the part `tree` of it, imports; `from a import b` as `a.b` where that is a module."""
    path = _modules()[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree or _tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield inner if inner in _modules() else origin


def _outside(module: str, room: Room) -> list[str]:
    """The imports of a module that its room does not allow."""
    wrong = []
    for name in _imports(module):
        top = name.partition(".")[0]
        if top in _PACKAGES:
            allowed = _below(name, *room.ours)
        elif top in _STDLIB or top == "_typeshed":
            allowed = room.stdlib is None or top in room.stdlib
        else:
            allowed = top in room.others
        if not allowed:
            wrong.append(name)
    return wrong


def test_every_module_of_the_servers_has_one_room() -> None:
    homeless = [
        module
        for module in _modules()
        if _below(module, "servers") and sum(_below(module, room) for room in ROOMS) != (module != "servers")
    ]
    assert homeless == []


@pytest.mark.parametrize("prefix", ROOMS)
def test_a_room_imports_only_what_it_may(prefix: str) -> None:
    modules = [module for module in _modules() if _below(module, prefix)]
    assert modules, f"there is no {prefix}"
    assert {module: wrong for module in modules if (wrong := _outside(module, ROOMS[prefix]))} == {}


def test_clients_import_nothing_of_servers_and_neither_imports_tests() -> None:
    wrong = [
        (module, name)
        for module in _modules()
        if not _below(module, "tests")
        for name in _imports(module)
        if _below(name, "tests") or (_below(module, "clients") and _below(name, "servers"))
    ]
    assert wrong == []


def _foreign_modules(reading: str) -> set[str]:
    """The top-level names that the parsers of a reading import, ours excepted."""
    prefix = READINGS[reading][0]
    names = {
        name.partition(".")[0] for module in _modules() if _below(module, prefix) for name in _imports(module)
    }
    return names - {"servers"}


def test_the_parsers_by_hand_import_nothing_that_the_other_reading_imports() -> None:
    assert _foreign_modules("socket") & _foreign_modules("flask") <= _NEUTRAL


def _shapes(reading: str) -> dict[str, str]:
    """Each shape in a reading with the name of a function that has it."""
    shapes = {}
    for module, path in _modules().items():
        if _below(module, *READINGS[reading]):
            for node in ast.walk(_tree(path)):
                if isinstance(node, ast.FunctionDef) and (shape := shape_of(node)) is not None:
                    shapes[shape] = f"{module}.{node.name}"
    return shapes


def test_no_function_of_a_reading_is_a_copy_of_one_in_the_other() -> None:
    first, second = _shapes("socket"), _shapes("flask")
    assert len(first) > 10
    assert len(second) > 10
    assert [(first[shape], second[shape]) for shape in first.keys() & second.keys()] == []


_ORIGINAL = '''
def read(data: bytes, limit: int = 3) -> list[str]:
    """A docstring."""
    found: list[str] = []
    for piece in data.split(b"&"):
        name, equals, value = piece.partition(b"=")
        if not equals or len(name) > limit:
            raise ValueError(f"no {name!r}")
        found.append(value.decode("ascii"))
    return found
'''
_COPY = """
def parse(raw, most=9):
    pairs = []
    for word in raw.cut(b";"):
        key, sign, rest = word.halves(b":")
        if not sign or size(key) > most:
            raise KeyError("another text")
        pairs.push(rest.text("utf-8"))
    return pairs
"""


def test_a_copy_with_other_names_is_found_out_and_other_code_is_not() -> None:
    original, copy = (ast.parse(source).body[0] for source in (_ORIGINAL, _COPY))
    changed = ast.parse(_COPY.replace("not sign or", "sign and")).body[0]
    assert isinstance(original, ast.FunctionDef)
    assert isinstance(copy, ast.FunctionDef)
    assert isinstance(changed, ast.FunctionDef)
    assert shape_of(original) == shape_of(copy) != shape_of(changed)
    assert shape_of(original) is not None


def test_no_file_is_long() -> None:
    lengths = {module: len(path.read_text("utf-8").splitlines()) for module, path in _modules().items()}
    assert {module: length for module, length in lengths.items() if length > _MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module, path in _modules().items()
        if not _below(module, "tests")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > _MAX_FUNCTION_LINES} == {}
    assert sum(length < _SHORT_FUNCTION_LINES for length in lengths.values()) >= 0.9 * len(lengths)


def test_there_are_no_drawers() -> None:
    assert [module for module in _modules() if _DRAWERS.fullmatch(module.rpartition(".")[2])] == []


def _dependencies() -> set[str]:
    """The import names of what pyproject.toml depends on, as far as it is installed."""
    project = tomllib.loads((_PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    names = {_distribution(requirement) for requirement in wanted}
    installed = packages_distributions().items()
    return {module for module, owners in installed if names & {_distribution(owner) for owner in owners}}


def _distribution(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_no_file_takes_the_name_of_a_module_that_it_could_hide() -> None:
    """A script's folder is the first place where Python looks; names of the standard library are nobody's."""
    dependencies = _dependencies() - set(_PACKAGES)
    assert {"flask", "requests", "click"} <= dependencies
    wrong = [
        module
        for module in _modules()
        if (stem := module.rpartition(".")[2]) in _STDLIB or (module.count(".") == 1 and stem in dependencies)
    ]
    assert wrong == []


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def test_scripts_load_themselves_through_their_package() -> None:
    """With their folder on the path every class would be loaded twice, and `except Problem` would miss."""
    scripts = [
        module
        for module in _modules()
        if _below(module, "servers", "clients") and module.count(".") == 1
        if any(map(_is_main_guard, _tree(_modules()[module]).body)) and not module.endswith("__main__")
    ]
    assert len(scripts) >= 5
    for module in scripts:
        body = _tree(_modules()[module]).body
        ours = [
            n
            for n, node in enumerate(body)
            if any(_below(name, *_PACKAGES) for name in _imports(module, node))
        ]
        guards = [
            n
            for n, node in enumerate(body)
            if isinstance(node, ast.If)
            and ast.unparse(node.test) == "not __package__"
            and ast.unparse(node.body[0]).startswith("sys.path[0] = ")
            and ast.unparse(node.body[1]) == f"import_module('{module}').main()"
        ]
        assert guards, module
        assert guards[0] < min(ours, default=len(body)), module


def test_the_modules_of_an_installation_are_all_listed() -> None:
    """setuptools packs only the packages that pyproject.toml names."""
    listed = tomllib.loads((_PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {
        ".".join(("wireproof", *path.parent.relative_to(_PROJECT).parts))
        for module, path in _modules().items()
        if not _below(module, "tests")
    }
    assert set(listed) == {*folders, "wireproof.sample_files"}


def test_production_code_imports_itself_relatively() -> None:
    """Then a checkout (`servers`) and an installation (`wireproof.servers`) run the same code."""
    absolute = [
        (module, name)
        for module, path in _modules().items()
        if not _below(module, "tests", "servers.gunicorn_conf")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and not node.level
        for name in [node.module or ""]
        if _below(name, *_PACKAGES)
    ]
    assert absolute == []


def test_the_top_level_holds_only_what_belongs_there() -> None:
    listed = subprocess.run(
        ["git", "-C", str(_PROJECT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode != 0 or not listed.stdout:
        pytest.skip("this is no checkout")
    assert {name.partition("/")[0] for name in listed.stdout.split("\0") if name} <= _TOP_LEVEL
