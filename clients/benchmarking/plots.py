"""Plots as SVG: bars, ranges of quantiles, and lines. A page sets the colours by class."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Group = Literal["ours", "reference", "other"]
"""Whose server it is: it sets the colour."""

_WIDTH = 520
_LABELS = 120
_VALUES = 70
_ROW = 20
_AXIS = 24
_HEIGHT = 300
_MARGIN = 46
_LEAST = 1e-3
_LABEL_GAP = 13


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a bar chart, with the range of the rounds."""

    label: str
    group: Group
    value: float
    spread: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A row of a distribution: the values of 5, 25, 50, 75 and 99 %, all over 0."""

    label: str
    group: Group
    values: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of points, ordered by x; x is over 0."""

    label: str
    group: Group
    points: tuple[tuple[float, float], ...]


def bar_chart(bars: Sequence[Bar], what: str) -> str:
    """Horizontal bars from 0, the longest first. `what` is the text for those who do not see it."""
    bars = sorted(bars, key=lambda bar: -bar.value)
    most = max((max(bar.value, bar.spread[1] if bar.spread else 0.0) for bar in bars), default=0.0) or 1.0
    scale = (_WIDTH - _LABELS - _VALUES) / most
    return _svg(_ROW * len(bars) + 4, what, "".join(_bars(bars, scale)))


def _bars(bars: Sequence[Bar], scale: float) -> Iterator[str]:
    for row, bar in enumerate(bars):
        y = row * _ROW + 3
        length = max(1.0, bar.value * scale)
        yield _row_label(bar.label, y)
        yield f'<rect class="{bar.group}" x="{_LABELS}" y="{y}" width="{length:.1f}" height="13" rx="2"/>'
        right = length
        if bar.spread:
            low, high = (_LABELS + value * scale for value in bar.spread)
            right = max(right, high - _LABELS)
            middle = y + 6.5
            yield f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
        yield f'<text class="muted" x="{_LABELS + right + 6:.1f}" y="{y + 11}">{bar.value:.2f}</text>'


def range_chart(rows: Sequence[Quantiles], what: str, unit: str) -> str:
    """A row for each distribution on one logarithmic axis, the smallest median first.

    A thin line goes from 5 to 99 %, a thick one from 25 to 75 %, and a gap is at the median.
    """
    rows = sorted(rows, key=lambda row: row.values[2])
    low = math.log10(max(_LEAST, min((row.values[0] for row in rows), default=1.0)))
    high = math.log10(max(_LEAST, max((row.values[-1] for row in rows), default=10.0)))
    width = (_WIDTH - _LABELS - 20) / max(0.1, high - low)

    def x_of(value: float) -> float:
        return _LABELS + (math.log10(max(value, _LEAST)) - low) * width

    parts = [*_ranges(rows, x_of)]
    bottom = _ROW * len(rows) + 4
    for tick in _decades(low, high):
        x = x_of(tick)
        parts.insert(0, f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
        parts.append(
            f'<text class="muted" text-anchor="middle" x="{x:.1f}" y="{bottom + 14}">{tick:g} {unit}</text>'
        )
    return _svg(bottom + _AXIS, what, "".join(parts))


def _ranges(rows: Sequence[Quantiles], x_of: Callable[[float], float]) -> Iterator[str]:
    for row, quantiles in enumerate(rows):
        y = row * _ROW + 3
        least, quarter, middle, three_quarters, most = map(x_of, quantiles.values)
        yield _row_label(quantiles.label, y)
        thin = f'x1="{least:.1f}" x2="{most:.1f}" y1="{y + 6.5}" y2="{y + 6.5}"'
        yield f'<line class="{quantiles.group}" {thin}><title>{quantiles.values[2]:.3g}</title></line>'
        width = max(2.0, three_quarters - quarter)
        yield (
            f'<rect class="{quantiles.group}" x="{quarter:.1f}" y="{y}" width="{width:.1f}" height="13"'
            ' rx="2"/>'
        )
        yield f'<line class="middle" x1="{middle:.1f}" x2="{middle:.1f}" y1="{y}" y2="{y + 13}"/>'


def line_chart(lines: Sequence[Line], what: str, x_unit: str, y_unit: str) -> str:
    """Lines over a logarithmic x axis; y begins at 0. The label of a line stands at its end."""
    xs = sorted({x for line in lines for x, _ in line.points})
    most = max((y for line in lines for _, y in line.points), default=0.0) or 1.0
    if not xs:
        return _svg(_AXIS, what, "")
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    across = (_WIDTH - _MARGIN - _LABELS) / max(0.1, high - low)
    up = (_HEIGHT - _AXIS - 20) / most
    bottom = _HEIGHT - _AXIS
    parts = [f'<text class="muted" x="0" y="10">{escape(y_unit)}</text>', *_grid(bottom, most, up)]
    for x in xs:
        left = _MARGIN + (math.log10(x) - low) * across
        parts.append(
            f'<text class="muted" text-anchor="middle" x="{left:.1f}" y="{_HEIGHT - 6}">{x:g} {x_unit}</text>'
        )
    label_y: float = bottom + _LABEL_GAP
    for line in sorted(lines, key=lambda line: line.points[-1][1]):
        points = [(_MARGIN + (math.log10(x) - low) * across, bottom - y * up) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="{line.group}" points="{path}"/>')
        label_y = min(points[-1][1] + 4, label_y - _LABEL_GAP)  # labels do not cover each other
        parts.append(f'<text x="{_WIDTH - _LABELS + 6}" y="{label_y:.1f}">{escape(line.label)}</text>')
    return _svg(_HEIGHT, what, "".join(parts))


def _grid(bottom: float, most: float, up: float) -> Iterator[str]:
    for step in range(5):
        y = bottom - most * step / 4 * up
        yield (
            f'<line class="axis" x1="{_MARGIN}" x2="{_WIDTH - _LABELS}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="muted" text-anchor="end" x="{_MARGIN - 6}" y="{y + 4:.1f}">'
            f"{most * step / 4:.3g}</text>"
        )


def _row_label(label: str, y: float) -> str:
    return f'<text text-anchor="end" x="{_LABELS - 8}" y="{y + 11}">{escape(label)}</text>'


def _decades(low: float, high: float) -> list[float]:
    """The powers of ten between two logarithms; when there is none, the value in the middle."""
    powers: list[float] = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    return powers or [float(f"{10 ** ((low + high) / 2):.1g}")]


def _svg(height: int, what: str, parts: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(what)}">{parts}</svg>\n'
