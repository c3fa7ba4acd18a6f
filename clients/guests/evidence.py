"""What the matrix shows for each rule, in one line each: the evidence of `wireproof compare`."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

from ..comparison.cases import Case
from .matrix import OURS, Column, Matrix
from .readings import Outcome, Reading

_SHOWN_READINGS = 3
_NAMED_GUESTS = 2
_SHORT_TITLE = re.compile(r", | \(")


def measured_evidence(matrix: Matrix, day: date) -> str:
    """A TOML file: for each rule, how the guests read the input of it that splits them most."""
    guests = sum(column.name not in OURS for column in matrix.columns)
    lines = [
        f"# How {guests} parsers of others read an input of each rule: measured on {day.isoformat()}",
        "# and written by `wireproof matrix --evidence`; clients/guests/README.md says how.",
    ]
    return "\n".join([*lines, *_rows(matrix)]) + "\n"


def _rows(matrix: Matrix) -> Iterator[str]:
    for rule in dict.fromkeys(case.rules[0] for case in matrix.inputs):
        of_rule = [case for case in matrix.inputs if case.rules[0] == rule]
        groups = max((_groups(matrix, case) for case in _refused_first(of_rule)), key=len)
        if len(groups) > 1:
            # Without control characters a JSON string is a TOML string.
            yield f"{rule} = {json.dumps(_sentence(groups), ensure_ascii=False)}"


def _refused_first(cases: Sequence[Case]) -> list[Case]:
    """The input that has to be refused is the better evidence where two split the guests alike."""
    return sorted(cases, key=lambda case: case.accepted)


def _groups(matrix: Matrix, case: Case) -> list[tuple[Reading, list[Column]]]:
    """The groups of others."""
    groups = matrix.groups(case.name)
    others = [(reading, [one for one in columns if one.name not in OURS]) for reading, columns in groups]
    return [(reading, columns) for reading, columns in others if columns]


def _sentence(groups: Sequence[tuple[Reading, list[Column]]]) -> str:
    shown = [
        f"{_names(columns)} {_verb(reading, len(columns))}" for reading, columns in groups[:_SHOWN_READINGS]
    ]
    left = len(groups) - len(shown)
    if left:
        shown.append(f"{left} more reading{'s' if left > 1 else ''}")
    return "; ".join(shown)


def _names(columns: Sequence[Column]) -> str:
    named = [_SHORT_TITLE.split(column.title)[0] for column in columns]
    if len(named) > _NAMED_GUESTS + 1:
        named[_NAMED_GUESTS:] = [f"{len(named) - _NAMED_GUESTS} others"]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _verb(reading: Reading, guests: int) -> str:
    """What so many guests do."""
    ending = "s" if guests == 1 else ""
    if reading.outcome is Outcome.REFUSED:
        return f"refuse{ending} it"
    return f"fail{ending}" if reading.outcome is Outcome.FAILED else f"read{ending} {reading.line}"
