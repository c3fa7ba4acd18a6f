"""A progress bar on standard error, for uploads and for comparisons.

Without a terminal there is none, and rich is not even imported: it costs 4 MiB of memory.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich import progress as rich_progress

_DELAY = 1.0  # seconds


class Advance(Protocol):
    """Adds `amount` to what is done; `description` replaces the text before the bar."""

    def __call__(self, amount: float = 1, description: str | None = None) -> None: ...


@contextlib.contextmanager
def progress_bar(total: float | None, description: str, unit: str = "") -> Iterator[Advance]:
    """Yields the function to call with what has been done since the last call.

    `total` is None when it is not known, and 0 shows nothing. The unit `bytes` shows sizes and a rate,
    `seconds` the bar alone, and any other unit counts things: `3/10`. The bar comes after a second and
    vanishes at the end. rich leaves colours out for NO_COLOR.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda amount=1, description=None: None
        return
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.text import Text

    class Rate(rich_progress.TransferSpeedColumn):
        """The rate, or nothing as long as it is not known."""

        def render(self, task: rich_progress.Task) -> Text:
            return super().render(task) if task.finished_speed or task.speed else Text()

    elapsed = rich_progress.TimeElapsedColumn()
    columns: list[rich_progress.ProgressColumn] = [
        rich_progress.TextColumn("{task.description:<40.40}" if unit != "bytes" else "{task.description}"),
        rich_progress.BarColumn(bar_width=None if unit == "bytes" else 16),
    ]
    if unit == "bytes":
        left = rich_progress.TimeRemainingColumn(compact=True)
        columns += [rich_progress.DownloadColumn(), Rate()]
        columns.append(elapsed if total is None else left)
    elif unit == "seconds":
        columns.append(elapsed)
    else:
        columns += [rich_progress.MofNCompleteColumn(), elapsed]
    bar = rich_progress.Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=total)
    with _after(_DELAY, bar):
        yield lambda amount=1, description=None: bar.update(task, advance=amount, description=description)


@contextlib.contextmanager
def _after(seconds: float, bar: rich_progress.Progress) -> Iterator[None]:
    """Show the bar when the block takes longer than this, until the end of the block."""
    lock = threading.Lock()
    started = ended = False

    def start() -> None:
        nonlocal started
        with lock:
            if not ended:
                bar.start()
                started = True

    timer = threading.Timer(seconds, start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            ended = True
        if started:
            bar.stop()
