"""The planted changes themselves: which are possible, which are drawn, and what is left as it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted_changes.alternatives import Kind
from tests.planted_changes.changes import (
    COUNTS,
    PROJECT,
    Change,
    Equivalent,
    changes_in,
    draw,
    files_of,
    load_equivalents,
    stale,
    unchanged,
)
from tests.planted_changes.patterns import changed_patterns
from tests.planted_changes.places import parsed

# Enough for each kind; the command draws more.
DRAWN = 30
_SAMPLE = '''
"""A docstring."""  # never
from typing import TYPE_CHECKING, Literal
if TYPE_CHECKING:
    LIMIT = 1  # never
__all__ = ["read"]  # never
_WORD = re.compile(r"[a-z]+")  # pattern
_LONGEST_SHOWN = 40  # never
head_timeout: int = 10  # never

class Words(Enum):
    ONE = "one"  # never

def read(data: bytes, kind: Literal["a"], limit: int = 3) -> str:  # constant
    """A docstring."""  # never
    assert data, "no data"  # never
    if len(data) > limit and data[1:] != b"x":  # condition operator slice constant
        _WORD.match(data)
        detail = f"more than {limit + 1} bytes"  # never
        raise Problem("bad_header", detail)  # code
    if not data:  # condition operator
        what, at = "it is empty", len(data) + 1  # never
        raise Problem("bad_host", what, rule=_rule(data), offset=at, field="host")  # code
    if len(data) == limit:  # condition operator
        raise Problem("bad_host", _what(data), headers=(("Allow", "GET"),))  # code constant
    if problem.rule == "H1":  # never
        problem.rule = "H2"  # never
    self._offset_of_line += len(data) + 2  # never
    self._report(Role.BODY, 0, 1)  # never
    raise ValueError(f"{data[:40]!r} is wrong")  # never

def _rule(data: bytes) -> str:  # never
    """Only problems have rules."""
    return "H1" if not data else "H2"  # never

def _what(data: bytes) -> str:  # never
    """Only messages call this."""
    return "empty" if not data else "long"  # never

class Reader:
    """A docstring."""
    size: int = 1  # constant
    """A docstring of an attribute."""

    def __repr__(self) -> str:  # never
        return "a reader"  # never
'''


def drawn_everywhere(seed: int) -> list[Change]:
    return [change for folder in COUNTS for change in draw(folder, DRAWN, seed)]


@pytest.mark.soak(seconds=25)
def test_the_same_seed_draws_the_same_changes() -> None:
    assert drawn_everywhere(1) == drawn_everywhere(1)
    assert drawn_everywhere(1) != drawn_everywhere(2)


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize(("folder", "count"), COUNTS.items())
def test_as_many_changes_are_drawn_as_are_asked_for(folder: str, count: int) -> None:
    drawn = draw(folder, count, 1)
    assert len(set(drawn)) == count
    assert {change.folder for change in drawn} == {folder}


def test_each_kind_of_change_is_drawn() -> None:
    assert {change.kind for seed in range(10) for change in drawn_everywhere(seed)} == set(Kind)


@pytest.mark.soak(seconds=4)
def test_every_change_compiles_and_differs() -> None:
    for change in drawn_everywhere(1):
        source = change.source()
        compile(source, change.file, "exec")
        assert source != unchanged(change.file)[1], change
        assert change.before != change.after


def kept(source: str) -> Iterator[str]:
    """The docstrings, the details of problems and the annotations of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
            yield ast.unparse(node.args[1])
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield ast.unparse(node.annotation)


@pytest.mark.soak(seconds=4)
def test_docstrings_details_and_annotations_are_never_changed() -> None:
    before = {file: list(kept(unchanged(file)[1])) for folder in COUNTS for file in files_of(folder)}
    for change in drawn_everywhere(2):
        assert list(kept(change.source())) == before[change.file], change


def test_each_line_of_a_sample_has_the_changes_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(_SAMPLE)
    found: dict[int, set[str]] = {}
    for place in parsed(path)[1]:
        found.setdefault(place.line, set()).add(place.kind)
    for number, line in enumerate(_SAMPLE.splitlines(), 1):
        named = set(line.partition("  # ")[2].split()) - {"never"}
        assert found.get(number, set()) == named, line


def test_the_text_without_a_change_is_the_text_of_the_file() -> None:
    for folder in COUNTS:
        for file in files_of(folder):
            changes_in(file)  # which puts every alternative into the tree, and takes it out again
            original = ast.parse((PROJECT / file).read_text("utf-8"))
            assert ast.dump(ast.parse(unchanged(file)[1])) == ast.dump(original)


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        ("a+b", {"ab", "a*b", "a+"}),
        ("a{1,4}", {"a", "a{2,4}", "a{0,4}", "a{1,}", "a{1,5}", "a{1,3}"}),
        ("[a-z_]", {"[^a-z_]", "[_]", "[a-z]"}),
        ("(?:ab|c|d)", {"(?:c|d)", "(?:ab|d)", "(?:ab|c)"}),
        (r"x(?!\n)", {r"x(?=\n)", r"x(?!)", r"(?!\n)"}),
        (r"\d$", {r"\D$", r"\d"}),
        ("[%s]+", {"[%s]", "[%s]*", "[^%s]+"}),
        ("!#0-9A-Z", {"#0-9A-Z", "!0-9A-Z", "!#A-Z", "!#0-9"}),
    ],
)
def test_a_pattern_is_changed_by_its_grammar(pattern: str, changed: set[str]) -> None:
    assert changed <= set(changed_patterns(pattern))


@pytest.mark.parametrize("folder", COUNTS)
def test_a_whole_pattern_stays_a_pattern(folder: str) -> None:
    """Those that are composed of pieces are not checked here."""
    literal = re.compile(r"re\.compile\((b?'(?:[^'\\]|\\.)*')[,)]")
    patterns = [
        ast.literal_eval(match[1])
        for file in files_of(folder)
        for change in changes_in(file)
        if change.kind is Kind.PATTERN and (match := literal.search(change.after))
    ]
    assert patterns
    for pattern in patterns:
        re.compile(pattern)


def test_every_entry_of_the_equivalent_changes_is_one_possible_change() -> None:
    entries = load_equivalents()
    assert all(entry.reason for entry in entries)
    assert stale(entries) == []


def test_an_entry_whose_source_is_gone_is_reported() -> None:
    change = changes_in("servers/sansio/fields.py")[0]
    described = (change.file, change.function)
    there = Equivalent(*described, change.before, change.after, "for this test")
    gone = Equivalent(*described, "no such text", change.after, "for this test")
    assert stale([there, gone]) == [gone]
