"""The report in a terminal: one table for each workload."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..comparison.rendering import one_line
from .rounds import Measured, Outcome
from .samples import Figure
from .servers import REFERENCE

_SHOWN = 300


def show_outcome(console: Console, outcome: Outcome) -> None:
    """Print all tables, and what is missing and why."""
    for measured in outcome.measured:
        console.print(Text(f"\n{measured.workload.title}", "bold"), soft_wrap=True)
        console.print(_table(measured))
    for workload, server, why in outcome.void:
        console.print(Text(f"Void: {server} in {workload}: {why}", "bold red"), soft_wrap=True)
    for (workload, server), why in outcome.failures.items():
        console.print(Text(f"Errors: {server} in {workload}: {_line(why)}", "red"), soft_wrap=True)
    for workload, server, why in outcome.left_out:
        console.print(Text(f"Left out: {server or 'all'} in {workload}: {_line(why)}", "dim"), soft_wrap=True)
    for name, why in outcome.absent.items():
        console.print(Text(f"Left out: {name}: {_line(why)}", "dim"), soft_wrap=True)
    console.print(f"\nratio: the median rate as a multiple of {REFERENCE}'s in the same rounds.", style="dim")


def _line(text: str) -> str:
    """The first line and the last one, where the log of a server says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    return one_line(lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}", _SHOWN)


def _table(measured: Measured) -> Table:
    workload = measured.workload
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("server", style="bold", no_wrap=True)
    unit = "req" if workload.unit == "requests" else workload.unit
    headings = ("ratio", "rounds from to", f"{unit}/s", f"CPU {workload.cpu_unit}", "peak MiB")
    for heading in (*headings, "p50 ms", "p99 ms", "errors"):
        table.add_column(heading, justify="right", no_wrap=True)
    figures = sorted(measured.figures().items(), key=lambda item: -item[1].rate)
    extra = dict.fromkeys(name for _, figure in figures for name in figure.extra)
    for name in extra:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for name, figure in figures:
        table.add_row(name, *_cells(figure), *(_number(figure.extra.get(key)) for key in extra))
    return table


def _cells(figure: Figure) -> Iterator[str]:
    yield "-" if figure.ratio is None else f"{figure.ratio:.2f}"
    yield "-" if figure.spread is None else f"{figure.spread[0]:.2f} {figure.spread[1]:.2f}"
    for value in (figure.rate, figure.cpu, figure.peak_mib, figure.p50_ms, figure.p99_ms):
        yield _number(value)
    yield str(figure.errors)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
