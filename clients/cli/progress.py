"""A progress bar on standard error, for uploads and for comparisons.

Without a terminal there is none, and rich is not even imported: it costs 4 MiB of memory.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Protocol


class Advance(Protocol):
    """Adds `amount` to what is done; `description` replaces the text before the bar."""

    def __call__(self, amount: float = 1, description: str | None = None) -> None: ...


@contextlib.contextmanager
def progress_bar(total: float | None, description: str, unit: str = "") -> Iterator[Advance]:
    """Yields the function to call with what has been done since the last call.

    `total` is None when it is not known, and 0 shows nothing. The unit `bytes` shows sizes and a rate,
    `seconds` the bar alone, and any other unit counts things: `3/10`. The bar vanishes at the end. rich
    leaves colours out for NO_COLOR.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda amount=1, description=None: None
        return
    from rich import progress as rich_progress
    from rich.console import Console

    elapsed = rich_progress.TimeElapsedColumn()
    columns: list[rich_progress.ProgressColumn] = [
        rich_progress.TextColumn("{task.description:<40.40}" if unit != "bytes" else "{task.description}"),
        rich_progress.BarColumn(bar_width=None if unit == "bytes" else 16),
    ]
    if unit == "bytes":
        left = rich_progress.TimeRemainingColumn(compact=True)
        columns += [rich_progress.DownloadColumn(), rich_progress.TransferSpeedColumn()]
        columns.append(elapsed if total is None else left)
    elif unit == "seconds":
        columns.append(elapsed)
    else:
        columns += [rich_progress.MofNCompleteColumn(), elapsed]
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda amount=1, description=None: bar.update(task, advance=amount, description=description)
