"""`python -m tests.upstream.guests FOLDER`: what the guests of the matrix lose, and at what they fail.

It asks every guest, which is installed into FOLDER, and writes `guests.toml` and `guests.md` anew. For each
guest and each kind of loss or crash they have the smallest recorded request that shows it.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path

from clients.assessment.findings import rule_says
from clients.assessment.groups import Group, Kind
from clients.comparison.cases import Case, load_cases
from clients.guests.inputs import chosen_inputs, plain_inputs
from clients.guests.matrix import OURS, Column, measure
from clients.guests.table import load_guests

TABLE = Path(__file__).with_name("guests.toml")
DOCUMENT = Path(__file__).with_name("guests.md")
_HEAD = """# Silent losses and crashes of other parsers

What the guests of the [matrix](../../clients/guests/README.md) lose or fail at by their defaults, measured
on {day}: for each kind the smallest recorded request that shows it. `wireproof cases show NAME` prints the
request, and `wireproof matrix --guest GUEST --input NAME` sends it. `test_guests.py` asserts each row for the
version that is named, and fails when it is repaired. `python -m tests.upstream.guests FOLDER` writes this.
"""


@dataclass(frozen=True, slots=True)
class Defect:
    """What a guest makes of a request: `reading` in one line, `kind` what is wrong with that."""

    kind: str
    case: str
    rule: str
    reading: str


_Found = tuple[Column, Sequence[Defect]]


@dataclass(frozen=True, slots=True)
class Measured:
    """The defects of one guest in one version."""

    name: str
    version: str
    defects: Sequence[Defect]


@cache
def load_measured() -> Mapping[str, Measured]:
    """The guests of `guests.toml` by name."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return {
        name: Measured(name, row["version"], [Defect(**defect) for defect in row["defects"]])
        for name, row in table.items()
    }


# A process may end with the next request, so these do not say which one was at fault.
_ENDINGS = frozenset({Kind.CLOSED, Kind.GONE})


def defects_of(column: Column, again: Column, cases: Mapping[str, Case]) -> list[Defect]:
    """One defect for each kind of silent loss or crash, with the smallest request.

    `again` is the same guest, asked once more: what it does not do every time is left out.
    """
    smallest: dict[str, Defect] = {}
    names = column.cases_in(Group.SILENT_LOSS, Group.CRASH)
    for name in sorted(names, key=lambda name: (len(cases[name].request), name)):
        defect = defect_of(column, name)
        if defect == defect_of(again, name) and not _depends_on_time(column, name):
            smallest.setdefault(defect.kind, defect)
    return list(smallest.values())


def _depends_on_time(column: Column, case: str) -> bool:
    """Whether it depends on when a process ends, or on how packets arrive."""
    finding = column.judged[case].finding
    return finding is not None and (finding.kind in _ENDINGS or "(only when sent " in finding.detail)


def defect_of(column: Column, case: str) -> Defect:
    """What is wrong with one reading; an empty kind if nothing is."""
    finding = column.judged[case].finding if case in column.judged else None
    if finding is None:
        return Defect("", case, "", "")
    return Defect(finding.kind, case, finding.rule, column.readings[case].line)


def _rows(found: Sequence[_Found]) -> Iterator[str]:
    yield "# Written by `python -m tests.upstream.guests`. JSON strings are TOML strings."
    for column, defects in found:
        yield f"\n[{column.name}]\nversion = {json.dumps(column.version)}\ndefects = ["
        for one in defects:
            row = ", ".join(f"{key} = {json.dumps(value)}" for key, value in asdict(one).items())
            yield f"  {{ {row} }},"
        yield "]"


def _document(found: Sequence[_Found], day: date) -> Iterator[str]:
    yield _HEAD.format(day=day.isoformat())
    for column, defects in found:
        yield f"## {column.title} {column.version}\n"
        yield "| what happens | request | read as | what should happen |\n|---|---|---|---|"
        for one in defects:
            reading = one.reading.replace("`", "'").replace("|", "\\|")
            yield f"| {one.kind} | `{one.case}` | `{reading}` | {one.rule}: {rule_says(one.rule)} |"
        yield ""


def main(folder: str) -> None:
    """Ask all guests twice and write both files."""
    cases = load_cases()
    by_name = {case.name: case for case in cases}
    guests = list(load_guests().values())
    first, again = (
        measure(guests, chosen_inputs(cases), plain_inputs(cases), Path(folder), on_guest=print).columns
        for _ in range(2)
    )
    pairs = zip(first, again, strict=True)
    found = [(one, defects_of(one, other, by_name)) for one, other in pairs if one.name not in OURS]
    TABLE.write_text("\n".join(_rows(found)) + "\n", "utf-8")
    DOCUMENT.write_text("\n".join(_document(found, date.today())), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
