"""Draws a stream for a terminal of 80 columns: each event has a row, and its place in the row is its time."""

from collections.abc import Iterator, Sequence

COLUMNS = 80
MAX_ROWS = 18
_LABEL = "{number:>6} {at:>9.3f} s {gap:>10}  "
_HEAD = f"{'event':>6} {'at':>11} {'gap':>10}  "
MARK = "*"


def plot(times: Sequence[float], *, columns: int = COLUMNS, rows: int = MAX_ROWS) -> Iterator[str]:
    """Lines of at most `columns` characters, one for each event of `times` (seconds, in order), and a scale.

    Events one by one form a diagonal. Events that came at one time are one line. Of more than `rows` events
    it shows evenly spaced ones, the first and the last among them. Each gap is the time since the one before.
    """
    if not times:
        return
    if len(times) > 1 and times[0] == times[-1]:
        yield f"all {len(times)} events came at {times[0]:.3f} s"
        return
    width = columns - len(_HEAD)
    end = f"{times[-1]:.3f} s"
    yield _HEAD + "0" + end.rjust(width - 1)
    for index in _shown(len(times), rows):
        gap = f"+{times[index] - times[index - 1]:.3f}" if index else ""
        place = round(times[index] / times[-1] * (width - 1)) if times[-1] > 0 else 0
        yield _LABEL.format(number=index + 1, at=times[index], gap=gap) + " " * place + MARK


def _shown(count: int, rows: int) -> list[int]:
    if count <= rows:
        return list(range(count))
    return [round(row * (count - 1) / (rows - 1)) for row in range(rows)]
