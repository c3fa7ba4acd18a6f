"""A progress bar on standard error: how much has been sent, how fast, and how long it will take.

Only on a terminal: there, and there alone, rich is imported (it costs 4 MiB of memory).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(total: int | None) -> Iterator[Callable[[int], None] | None]:
    """A function to call with the size of each block that has been sent, or None without a terminal.

    `total` in bytes; without it there is no time left to show. NO_COLOR is honoured by rich.
    """
    if not sys.stderr.isatty() or total == 0:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = [BarColumn(bar_width=None), DownloadColumn(), TransferSpeedColumn()]
    last = TimeElapsedColumn() if total is None else TimeRemainingColumn(compact=True)
    with Progress("sending", *columns, last, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sending", total=total)
        yield lambda size: progress.update(task, advance=size)
