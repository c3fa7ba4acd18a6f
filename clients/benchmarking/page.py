"""The report as one HTML page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .measured_servers import REFERENCE, load_servers
from .plots import Bar, Group, Line, Quantiles, bar_chart, line_chart, range_chart
from .rounds import Measured, Outcome
from .samples import MIB, percentile
from .terminal import figure_cells, figure_headings

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.99)
_LEAST_LATENCIES = 20
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How fast servers take the same uploads</title>
<style>
{style}</style>
<main>
{body}</main>
</html>
"""


def report_page(outcome: Outcome, machine: Mapping[str, Any]) -> str:
    """The page: for each workload its throughput, its latencies and all figures, and memory against size."""
    style = Path(__file__).with_name("page.css").read_text("utf-8")
    return _PAGE.format(style=style, body="".join(_body(outcome, machine)))


def _body(outcome: Outcome, machine: Mapping[str, Any]) -> Iterator[str]:
    yield "<h1>How fast servers take the same uploads</h1>\n"
    yield (
        f'<p class="sub">Each bar is the median rate as a multiple of that of {REFERENCE}, stock Flask under '
        "gunicorn, in the same rounds; the dark line is the range of the rounds. Servers whose name ends in "
        f"-safe wait for the disk, all others do not. Measured on {escape(_machine_line(machine))}.</p>\n"
    )
    for measured in outcome.measured:
        yield from _section(measured)
    yield from _memory(outcome.measured, machine)
    yield from _missing(outcome)


def _machine_line(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['date']}, {machine['cpus']} CPUs ({machine['cpu']}), {machine['kernel']}, "
        f"Python {machine['python']}, stores on {machine['file_system']}, small requests sent by "
        f"{machine['sender']}"
    )


def _section(measured: Measured) -> Iterator[str]:
    figures = measured.figures()
    servers = load_servers()
    harness = [figures.pop(name) for name in list(figures) if name in servers and not servers[name].checked]
    yield f'<h2>{escape(measured.workload.title)}</h2>\n<div class="plots">\n'
    if any(figure.ratio is not None for figure in figures.values()):
        bars = [
            Bar(name, _group(name), figure.ratio or 0.0, figure.spread) for name, figure in figures.items()
        ]
        heading = f"Throughput, {REFERENCE} = 1"
    else:
        bars = [Bar(name, _group(name), figure.rate) for name, figure in figures.items()]
        heading = f"Throughput, {measured.workload.unit}/s ({REFERENCE} did none)"
    yield f"<div><h3>{escape(heading)}</h3>\n{bar_chart(bars, heading)}"
    for figure in harness:  # its bar would make all others short
        yield (
            f'<p class="sub">The harness alone, with a server that does nothing: {figure.rate:,.0f} '
            f"{measured.workload.unit}/s</p>\n"
        )
    yield "</div>\n"
    rows = [row for name in figures if (row := _quantiles(name, measured)) is not None]
    if rows:
        heading = "Latency: 5 to 99 %, thick from 25 to 75 %, gap at the median"
        yield f"<div><h3>{heading}</h3>\n{range_chart(rows, heading, 'ms')}</div>\n"
    yield "</div>\n"
    yield from _table(measured)


def _quantiles(name: str, measured: Measured) -> Quantiles | None:
    ordered = sorted(latency * 1000 for one in measured.samples[name] for latency in one.latencies)
    if len(ordered) < _LEAST_LATENCIES:
        return None
    low, quarter, middle, three_quarters, high = (percentile(ordered, share) for share in _SHARES)
    return Quantiles(name, _group(name), (low, quarter, middle, three_quarters, high))


def _table(measured: Measured) -> Iterator[str]:
    figures = sorted(measured.figures().items(), key=lambda item: -item[1].rate)
    extra = list(dict.fromkeys(name for _, figure in figures for name in figure.extra))
    yield '<details><summary>All figures</summary>\n<div class="scroll" tabindex="0"><table>\n<thead><tr>'
    for heading in ("server", *figure_headings(measured.workload, extra)):
        yield f'<th scope="col">{escape(heading)}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for name, figure in figures:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in figure_cells(figure, extra))
        yield f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>\n'
    yield "</tbody></table></div></details>\n"


def _memory(measured: Sequence[Measured], machine: Mapping[str, Any]) -> Iterator[str]:
    """The peaks of the family that uploads files of several sizes."""
    by_size = [one for one in measured if one.workload.family == "w5"]
    points: dict[str, list[tuple[float, float]]] = {}
    for one in by_size:
        for name, figure in one.figures().items():
            size = machine["size"] * getattr(one.workload, "share", 1.0) / MIB
            points.setdefault(name, []).append((size, figure.peak_mib))
    lines = [Line(name, _group(name), tuple(sorted(of_one))) for name, of_one in points.items()]
    if lines:
        heading = "Peak memory over idle against the size of the file"
        yield f"<h2>{heading}</h2>\n{line_chart(lines, heading, 'MiB', 'MiB')}"


def _missing(outcome: Outcome) -> Iterator[str]:
    for workload, server, why in outcome.void:
        what = f"{server} in {workload}: {why}"
        yield f'<p class="void">Void: {escape(what)}</p>\n'
    for (workload, server), why in outcome.failures.items():
        what = f"{server} in {workload}: {why[:300]}"
        yield f'<p class="void">Errors: {escape(what)}</p>\n'
    for workload, server, why in outcome.left_out:
        what = f"{server or 'all'} in {workload}: {why[:300]}"
        yield f'<p class="sub">Left out: {escape(what)}</p>\n'
    for name, why in outcome.absent.items():
        what = f"{name}: {why[:300]}"
        yield f'<p class="sub">Left out: {escape(what)}</p>\n'


def _group(name: str) -> Group:
    if name == REFERENCE:
        return "reference"
    server = load_servers().get(name)
    return "ours" if server is not None and server.backend else "other"
