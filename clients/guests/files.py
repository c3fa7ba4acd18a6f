"""The matrix as data: JSON, and the Markdown tables of `README.md`."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from ..assessment.groups import Group
from .matrix import Column, Matrix

SCHEMA = 1
"""The number of the JSON's shape; it changes when a key is renamed or removed."""

_LISTED = {
    "silent_losses": Group.SILENT_LOSS,
    "failures": Group.CRASH,
    "refuses_clients": Group.REFUSES_CLIENTS,
}


def matrix_json(matrix: Matrix, day: date) -> str:
    """Everything that was measured. Ends with LF."""
    document = {
        "schema": SCHEMA,
        "date": day.isoformat(),
        "guests": [_guest(column) for column in matrix.columns],
        "absent": dict(matrix.absent),
        "inputs": [
            {
                "name": case.name,
                "title": case.title,
                "rules": list(case.rules),
                "groups": [
                    {"reading": reading.line, "guests": [column.name for column in columns]}
                    for reading, columns in matrix.groups(case.name)
                ],
            }
            for case in matrix.inputs
        ],
        "read_otherwise": [
            {"front": front.name, "behind": behind.name, "inputs": inputs}
            for front in matrix.columns
            for behind in matrix.columns
            if front is not behind and (inputs := matrix.read_otherwise(front, behind))
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _guest(column: Column) -> dict[str, Any]:
    lists = {key: column.cases_in(group) for key, group in _LISTED.items()}
    asked = list(column.readings)
    return {"name": column.name, "title": column.title, "version": column.version, "asked": asked, **lists}


def matrix_markdown(matrix: Matrix, day: date) -> str:
    """The tables for a README: the guests, and how each input splits them."""
    return "\n".join((*_guest_table(matrix, day), "", *_input_table(matrix))) + "\n"


def _guest_table(matrix: Matrix, day: date) -> Iterator[str]:
    yield f"Measured on {day.isoformat()}: {len(matrix.columns)} guests, {len(matrix.inputs)} inputs."
    yield ""
    yield "| guest | version | asked | silent losses | failures | refuses what clients send |"
    yield "|---|---|---:|---:|---:|---:|"
    for column in matrix.columns:
        numbers = " | ".join(str(len(column.cases_in(group))) for group in _LISTED.values())
        yield f"| {column.title} | {column.version or '-'} | {len(column.readings)} | {numbers} |"
    for title, why in matrix.absent.items():
        yield f"| {title} | left out: {_cell(why.splitlines()[0])} | | | | |"


def _input_table(matrix: Matrix) -> Iterator[str]:
    yield "| rule | input | readings |"
    yield "|---|---|---|"
    for case in matrix.inputs:
        groups = matrix.groups(case.name)
        if len(groups) > 1:
            shown = "<br>".join(
                f"{len(columns)}: `{_code(reading.line)}` ({', '.join(column.name for column in columns)})"
                for reading, columns in groups
            )
            yield f"| {case.rules[0]} | {_cell(case.title)} (`{case.name}`) | {shown} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _code(text: str) -> str:
    return text.replace("`", "'").replace("|", "\\|")
