"""The report in a terminal: one table for each workload."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..comparison.rendering import one_line
from .measured_servers import REFERENCE
from .rounds import Measured, Outcome
from .samples import Figure
from .workloads import Workload

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
    figures = sorted(measured.figures().items(), key=lambda item: -item[1].rate)
    extra = list(dict.fromkeys(name for _, figure in figures for name in figure.extra))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("server", style="bold", no_wrap=True)
    for heading in figure_headings(measured.workload, extra):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figure in figures:
        table.add_row(name, *figure_cells(figure, extra))
    return table


def figure_headings(workload: Workload, extra: Sequence[str]) -> list[str]:
    """The headings of the columns after the server's name."""
    unit = "req" if workload.unit == "requests" else workload.unit
    own = [name.replace("_", " ") for name in extra]
    headings = ["ratio", "rounds from to", f"{unit}/s", f"CPU {workload.cpu_unit}", "peak MiB"]
    return [*headings, "p50 ms", "p99 ms", "errors", *own]


def figure_cells(figure: Figure, extra: Sequence[str]) -> list[str]:
    """The cells below these headings."""
    ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}"
    spread = "-" if figure.spread is None else f"{figure.spread[0]:.2f} {figure.spread[1]:.2f}"
    measured = (figure.rate, figure.cpu, figure.peak_mib, figure.p50_ms, figure.p99_ms)
    own = [_number(figure.extra.get(name)) for name in extra]
    return [ratio, spread, *map(_number, measured), str(figure.errors), *own]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
