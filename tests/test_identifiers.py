"""Every identifier that code, tests, data and pages cite is defined in the repository.

The text of every file is searched, without regard to where in the file an identifier stands. So an exception
can only be made for an identifier everywhere, and each is listed here with its reason.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "servers" / "contract" / "README.md"
ADVISORIES = ROOT / "tests" / "advisories" / "README.md"
TESTS = ROOT / "tests" / "README.md"
DEFECTS = ROOT / "tests" / "upstream" / "README.md"

# R1, M62, S11: rules. H071: advisories. X05: faults. G10: goals. Only the numbers of H and X begin with 0.
# `%D9` is an octet.
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9_%])(?:[RBCDUJMKASWP][1-9]\d{0,2}|H\d{1,3}|X\d{2}|G[1-9]\d?)(?![A-Za-z0-9_])"
)
_SECTION = re.compile(
    r"contract,? sections? (\d(?:(?:,| and| to|, and) \d)*)|\(section (\d)\)", re.IGNORECASE
)
_STEP = re.compile(r"\bsteps? (\d+)(?: (?:to|and) (\d+))?", re.IGNORECASE)
_DEFECT = re.compile(r"\bdefects? (\d)(?: (?:to|and) (\d))?")
_FOREIGN = re.compile(r"\b(?:decisions|contract|hall|faults)\.md\b|\bdecisions \d")
_LINTER = re.compile(r"# noqa: .*")  # B018 and the like are ruff's
_INVENTED = {"R999"}  # by tests of what an unknown rule leads to
_SUFFIXES = {".py", ".toml", ".json", ".md", ".yml", ".mjs", ".sh"}


@cache
def texts() -> dict[str, str]:
    """Every text file of the project, without what the linter reads."""
    folders = ("servers", "clients", "tests", "sample_files", ".github", ".ci")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    paths += [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "pyproject.toml"]
    return {
        str(path.relative_to(ROOT)): _LINTER.sub("", path.read_text("utf-8"))
        for path in sorted(paths)
        if path.suffix in _SUFFIXES or path.parent.name == ".ci"
    }


def cited(pattern: re.Pattern[str], *, without: tuple[Path, ...] = ()) -> dict[str, str]:
    """Everything that a pattern finds, with one file that cites it."""
    left_out = {str(path.relative_to(ROOT)) for path in without}
    return {
        value: name
        for name, text in texts().items()
        if name not in left_out and name != "tests/test_identifiers.py"
        for match in pattern.finditer(text)
        for value in _values(match)
    }


def _values(match: re.Match[str]) -> Iterator[str]:
    groups = [group for group in match.groups() if group]
    if not groups:
        yield match[0]
    for group in groups:
        yield from re.findall(r"\d+", group)


def first_cells(page: Path, pattern: str) -> list[str]:
    """The first cells of the rows of a page's tables that match."""
    return re.findall(rf"^\| ({pattern}) \|", page.read_text("utf-8"), re.MULTILINE)


def rules() -> set[str]:
    path = ROOT / "sample_files" / "requests" / "rules.toml"
    return set(tomllib.loads(path.read_text("utf-8")))


def test_every_identifier_is_defined() -> None:
    defined = (
        rules() | set(first_cells(ADVISORIES, r"H\d{3}")) | set(first_cells(TESTS, r"[XG]\d+")) | _INVENTED
    )
    assert {found: name for found, name in cited(_IDENTIFIER).items() if found not in defined} == {}


def test_every_section_of_the_contract_that_is_cited_exists() -> None:
    sections = re.findall(r"^## (\d)\. ", CONTRACT.read_text("utf-8"), re.MULTILINE)
    assert sections == [str(number) for number in range(1, 10)]
    assert {found: name for found, name in cited(_SECTION).items() if found not in sections} == {}


def test_every_step_of_the_order_of_judgement_that_is_cited_exists() -> None:
    steps = first_cells(CONTRACT, r"\d+")
    assert steps == [str(number) for number in range(1, 11)]
    assert {found: name for found, name in cited(_STEP).items() if found not in steps} == {}


def test_every_defect_that_is_cited_exists() -> None:
    defects = first_cells(DEFECTS, r"\d")
    assert defects == [str(number) for number in range(1, 10)]
    assert {found: name for found, name in cited(_DEFECT).items() if found not in defects} == {}


def test_the_page_of_advisories_has_every_row_once() -> None:
    rows = first_cells(ADVISORIES, r"H\d{3}")
    assert len(rows) == len(set(rows)) == 154


def test_every_fault_and_goal_that_is_defined_is_cited_by_code_or_tests() -> None:
    elsewhere = cited(_IDENTIFIER, without=(TESTS, CONTRACT))
    assert [found for found in first_cells(TESTS, r"[XG]\d+") if found not in elsewhere] == []


def test_nothing_cites_a_document_that_is_not_here() -> None:
    assert cited(_FOREIGN) == {}


def test_an_undefined_identifier_is_found() -> None:
    """The patterns see identifiers wherever they stand: in prose, beside punctuation, in a list."""
    assert _IDENTIFIER.findall("(M999); R42, `H071` and X05-X08: G10/W3") == [
        "M999",
        "R42",
        "H071",
        "X05",
        "X08",
        "G10",
        "W3",
    ]
    assert _IDENTIFIER.findall("a C0 control, %E4%BD, 0xB2, UTF-16, KH12, M3u") == []
