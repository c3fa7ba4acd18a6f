"""The matrix on one screen: a row for each guest, and the inputs with the most readings."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..assessment.groups import Group
from ..comparison.cases import Case
from ..comparison.rendering import one_line, show_request
from .matrix import Column, Matrix

_MOST_INPUTS = 12
_GROUPS = (
    ("silent losses", (Group.SILENT_LOSS,)),
    ("failures", (Group.CRASH,)),
    ("refuses clients", (Group.REFUSES_CLIENTS,)),
)


def show_matrix(console: Console, matrix: Matrix) -> None:
    """Print the summary."""
    console.print(_guests(matrix))
    for title, why in matrix.absent.items():
        console.print(
            Text(f"Left out: {title} ({one_line(why.splitlines()[0], 160)})", "dim"), soft_wrap=True
        )
    split = sorted(matrix.inputs, key=lambda case: -len(matrix.groups(case.name)))
    console.print(
        f"\nInputs with the most readings (--input NAME shows one, --html FILE all {len(split)}):",
        style="bold",
    )
    for case in split[:_MOST_INPUTS]:
        console.print(
            Text(f"  {len(matrix.groups(case.name)):>2}  {case.name}: {case.title}"), soft_wrap=True
        )
    alike = sum(len(matrix.groups(case.name)) == 1 for case in matrix.inputs)
    console.print(
        f"\n{len(matrix.columns)} guests and {len(matrix.inputs)} inputs: all read {alike} of them alike.",
        style="bold",
    )


def show_input(console: Console, matrix: Matrix, case: Case) -> None:
    """Print one input with its bytes, and who reads it how."""
    console.print(Text(f"{case.name} ({case.rules[0]}): {case.title}", "bold"), soft_wrap=True)
    console.print(Text(show_request(case.request), "dim"), soft_wrap=True)
    for reading, columns in matrix.groups(case.name):
        console.print(Text(f"\n{len(columns):>3}  {reading.line}", "bold"), soft_wrap=True)
        console.print(Text(f"     {', '.join(column.title for column in columns)}"), soft_wrap=True)


def show_pair(console: Console, matrix: Matrix, front: Column, behind: Column) -> None:
    """Print what passes `front` and is read otherwise by `behind`."""
    passed = matrix.read_otherwise(front, behind)
    inputs = [case for case in matrix.inputs if case.name in passed]
    for case in inputs:
        console.print(Text(f"{case.name} ({case.rules[0]}): {case.title}", "bold"), soft_wrap=True)
        for column in (front, behind):
            console.print(
                Text(f"     {column.title} reads {column.readings[case.name].line}"), soft_wrap=True
            )
    passing = f"{len(inputs)} of {len(matrix.inputs)} inputs pass {front.title}"
    console.print(Text(f"\n{passing} and are read otherwise by {behind.title}.", "bold"), soft_wrap=True)


def _guests(matrix: Matrix) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("guest", style="bold", no_wrap=True)
    table.add_column("version", no_wrap=True)
    for heading in ("asked", *(name for name, _ in _GROUPS), "passes otherwise"):
        table.add_column(heading, justify="right")
    for column in matrix.columns:
        table.add_row(Text(column.title), column.version or "-", *_numbers(matrix, column))
    return table


def _numbers(matrix: Matrix, column: Column) -> Iterator[str]:
    yield str(len(column.readings))
    for _, groups in _GROUPS:
        yield str(len(column.cases_in(*groups)))
    others = [other for other in matrix.columns if other is not column]
    passed = {case for other in others for case in matrix.read_otherwise(column, other)}
    yield str(len(passed))
