"""The screen of a running server: serving never waits for the terminal, pipe or file that takes the rows."""

import os
import select
import sys
from collections.abc import Callable
from functools import partial
from queue import Full, Queue
from threading import Lock, Thread
from typing import IO, cast

from rich.console import Console
from rich.text import Text

from .screen import Screen

_MOST_WAITING = 10_000
_LAST_SECONDS = 2.0


class BackgroundScreen(Screen):
    """Draws and writes in a thread of its own.

    When nobody takes the rows, at most 10,000 of them wait, and those that follow are dropped. When a row is
    taken again, a row before it says how many are missing. A pipe that was closed takes no rows any more.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._output = _Output(descriptor, encoding)
        super().__init__(Console(file=cast("IO[str]", self._output), highlight=False))
        self._missing = 0
        self._missing_lock = Lock()
        self._waiting: Queue[Callable[[], None] | None] = Queue(_MOST_WAITING)
        # The interpreter does not wait for a daemon, which may be in a write that never returns.
        self._thread = Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()

    def print(self, margin: str, rail: Text, text: Text) -> None:
        if not self._put(partial(super().print, margin, rail, text)):
            self._miss(1)

    def count(self, text: str) -> None:
        self._put(partial(super().count, text))

    def close(self) -> None:
        """Wait until the last rows are written, but not long."""
        if self._put(None):
            self._thread.join(_LAST_SECONDS)

    def _put(self, job: Callable[[], None] | None) -> bool:
        try:
            self._waiting.put_nowait(job)
        except Full:
            return False
        return True

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            if self._missing:
                self._say_what_is_missing()
            job()
            if not self._output.works:
                self._miss(1)

    def _say_what_is_missing(self) -> None:
        missing = self._missing
        super().print("", Text("… ", "dim"), Text(f"{missing:,} rows are missing here", "bold red"))
        if self._output.works:
            self._miss(-missing)

    def _miss(self, rows: int) -> None:
        with self._missing_lock:
            self._missing += rows


class _Output:
    """A descriptor as a text file without a buffer. `works` says whether the last write succeeded.

    A buffer would be flushed when the interpreter ends, and that would wait for a reader that does not read.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self.works = True
        self.encoding = encoding
        self._descriptor = descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        # What the terminal cannot show is escaped.
        data = memoryview(text.encode(self.encoding, "backslashreplace"))
        try:
            while data:
                data = data[self._write(data) :]
            self.works = True
        except OSError:  # closed, or the disk is full
            self.works = False
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            select.select([], [self._descriptor], [])
            return 0


def screen_on_standard_output() -> BackgroundScreen | None:
    """A screen on standard output, or None if there is none."""
    if sys.stdout is None:
        return None
    return BackgroundScreen(sys.stdout.fileno(), sys.stdout.encoding)
