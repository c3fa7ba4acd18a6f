"""Every README is executed: what it shows is what happens, and nothing that can be set is missing."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from clients.__main__ import SUMMARIES
from clients.comparison.cases import backend_tier
from clients.comparison.runner import load_all_cases
from servers.routes import ROUTES
from servers.settings import Settings
from servers.socket_upload import main
from tests import readmes
from tests.readmes import READMES, ROOT, Block

BLOCKS = [block for readme in READMES for block in readmes.blocks(readme)]
CONTRACT = (ROOT / "servers" / "contract" / "README.md").read_text("utf-8")
SERVERS = (ROOT / "servers" / "README.md").read_text("utf-8")
CLIENTS = (ROOT / "clients" / "README.md").read_text("utf-8")
TESTS = (ROOT / "tests" / "README.md").read_text("utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with readmes.served() as port:
        yield port


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_every_command_prints_what_the_readme_shows(block: Block, request: pytest.FixtureRequest) -> None:
    port = request.getfixturevalue("port") if block.needs_server else 8000
    for step, output in zip(block.steps, block.outputs(port), strict=True):
        assert readmes.matches(step, output), f"{step.command}\n{output}"


def test_all_seven_calls_of_the_post_are_shown() -> None:
    assert (
        len(
            [
                block
                for block in BLOCKS
                if name_of(block.readme) == "clients/README.md" and "--dry-run" in block.name
            ]
        )
        == 7
    )


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_every_generated_table_is_up_to_date(readme: Path) -> None:
    for name, table in readmes.tables(readme):
        assert table == readmes.TABLES[name](), "run `python -m tests.readmes`"


def test_limits_and_problems_are_listed_where_they_belong() -> None:
    assert [name for readme in READMES for name, _ in readmes.tables(readme)] == [
        "streamlit",
        "limits",
        "metrics",
        "problems",
    ]
    assert "<!-- table: limits -->" in SERVERS
    assert "<!-- table: metrics -->" in SERVERS
    assert "<!-- table: problems -->" in CONTRACT


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_every_link_leads_somewhere(readme: Path) -> None:
    broken = []
    for link in readmes.links(readme):
        path, _, anchor = link.partition("#")
        page = (readme.parent / path).resolve() if path else readme
        if not page.exists() or (anchor and anchor not in readmes.anchors(page)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_every_name_beside_a_linked_module_is_defined_there(readme: Path) -> None:
    missing = []
    for link, name in readmes.code_links(readme):
        source = (readme.parent / link).read_text("utf-8")
        if not re.search(rf"^\s*(?:(?:async )?def|class) {name}\b|^\s*{name}\b\s*[:=]", source, re.MULTILINE):
            missing.append(f"{link}: {name}")
    assert missing == []


@pytest.mark.parametrize("option", [option for parameter in main.params for option in parameter.opts])
def test_every_flag_of_the_socket_server_is_explained(option: str) -> None:
    assert option == "--version" or f"`{option}`" in SERVERS


@pytest.mark.parametrize("name", [field.name for field in fields(Settings) if field.name != "limits"])
def test_every_setting_has_its_variable(name: str) -> None:
    assert f"`WIREPROOF_{name.upper()}`" in SERVERS


def documented_routes() -> dict[str, set[str]]:
    """The paths of contract section 2, filled in, with their methods."""
    section = CONTRACT[CONTRACT.index("## 2. Routes") : CONTRACT.index("## 3. ")]
    rows = re.findall(r"^\| (`/.*?) \| ([A-Z, ]+) \|", section, re.MULTILINE)
    values = {
        "{sha256}": "0" * 64,
        "{filename}": "a.txt",
        "{code}": "not_found",
        "{id}": "1",
        "{file}": "page.js",
    }
    routes = {}
    for paths, methods in rows:
        for path in re.findall(r"`(.*?)`", paths):
            for name, value in values.items():
                path = path.replace(name, value)
            routes[path] = set(methods.split(", "))
    return routes


def test_the_table_of_routes_is_the_real_one() -> None:
    documented = documented_routes()
    *named, echo = ROUTES
    for path, methods in documented.items():
        taken = [route for route in named if re.fullmatch(route.path, path)]
        # Routes that take only some requests, by their fields, stand before the one of the path.
        taken.sort(key=lambda route: route.when is not None)
        assert [set(route.methods) for route in taken[:1]] == [methods], path
    undocumented = [
        route.path for route in named if not any(re.fullmatch(route.path, path) for path in documented)
    ]
    assert undocumented == []
    assert ", ".join(echo.methods) in CONTRACT


def examples() -> list[Any]:
    """The JSON blocks of the contract."""
    return [
        json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", CONTRACT, re.MULTILINE | re.DOTALL)
    ]


def answered(port: int, method: str, path: str, body: bytes | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", "localhost")
        if body is not None:
            connection.putheader("Content-Type", "multipart/form-data; boundary=b")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def part(disposition: bytes, value: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data%s\r\n\r\n%s\r\n" % (disposition, value)


def test_the_examples_of_the_contract_are_real(port: int) -> None:
    empty, form, problem = examples()
    assert answered(port, "GET", "/") == empty
    body = part(b'; name="a"', b"1") + part(b'; name="f"; filename="a.txt"', b"hi") + b"--b--\r\n"
    result = answered(port, "POST", "/upload/", body)
    assert {key: result[key] for key in form} == form
    assert answered(port, "POST", "/", part(b"", b"1") + b"--b--\r\n") == problem


@pytest.mark.parametrize("program", sorted(path.name for path in (ROOT / "clients").glob("[a-z]*.py")))
def test_every_program_among_the_clients_is_explained(program: str) -> None:
    is_program = '__name__ == "__main__"' in (ROOT / "clients" / program).read_text("utf-8")
    assert f"`{program}`" in CLIENTS or not is_program


@pytest.mark.parametrize("command", SUMMARIES)
def test_every_command_is_explained(command: str) -> None:
    assert f"`wireproof {command}`" in CLIENTS


def test_every_folder_of_tests_is_explained() -> None:
    patterns = re.findall(r"`([\w*]+)/`", TESTS)
    folders = [path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")]
    assert [
        folder for folder in folders if not any(Path(folder).match(pattern) for pattern in patterns)
    ] == []


def test_continuous_integration_runs_the_two_commands_word_for_word() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for beginning in (".venv/bin/python -m pytest", ".venv/bin/python clients/compare.py"):
        assert len([line for line in readme.splitlines() if beginning in line]) >= 1
        assert beginning in script


def test_the_counts_of_cases_are_true() -> None:
    cases = load_all_cases()
    recorded = sum(case.client == "raw" for case in cases)
    flask = sum(case.tier <= backend_tier("flask") for case in cases)
    readme = (ROOT / "README.md").read_text("utf-8")
    described = (ROOT / "pyproject.toml").read_text("utf-8")
    for text in (readme, described):
        assert f"with {len(cases):,} requests" in text
    assert f"These are {recorded:,} recorded requests" in readme
    assert f"(`flask run` gets {flask:,})" in readme
    assert f"\n{len(cases)} cases: socket, flask and gunicorn agree" in readme
