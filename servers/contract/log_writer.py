"""Writes the log to standard error without ever making a server wait for it.

A terminal, a pipe that nobody reads and a slow disk can all stop the process that writes to them. So lines
go into a queue, and a thread writes them. When the queue is full, or standard error takes no more (its reader
has gone, its disk is full), lines are dropped and counted. The count is written as soon as that is possible.
"""

import atexit
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MOST_WAITING = 1024 * 1024
"""At most so many bytes wait to be written; further lines are dropped."""

# The thread sleeps so long before it writes. Waking it for each line would cost more than the line.
_GATHER_SECONDS = 0.02
# At its end a process waits at most so long for a reader of its log.
_LAST_SECONDS = 1.0
# A pipe takes so many bytes as a whole (PIPE_BUF, pipe(7)), so the lines of several processes do not mix.
BLOCK = 4096
_LINE_FEED = 0x0A


class LogWriter:
    """A text stream on a file descriptor, for `logging.StreamHandler` and for the lines of requests.

    Each call of `write` gets whole lines. No method waits for the descriptor but `drain`, and none raises.
    Without a descriptor (None) nothing is written. `lost_line` makes the line that says how many were lost.
    Its thread starts with the first line, and again in a process that was forked.
    """

    def __init__(self, descriptor: int | None, lost_line: Callable[[int], str] | None = None) -> None:
        self.lost_line = lost_line or (lambda count: f"{count} lines of this log were lost\n")
        self._descriptor = descriptor
        self.forget()

    def forget(self) -> None:
        """Begin anew, without the lines that wait. Call it in a child process: it has not got the thread."""
        self._lock = threading.RLock()
        self._waiting: list[bytes] = []
        self._size = 0
        self._lost = 0
        self._inside_line = False
        self._busy = False
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def write(self, text: str) -> None:
        """Queue lines, or drop and count them when too much is waiting."""
        if self._descriptor is None:
            return
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            if self._started() and self._size + len(data) <= MOST_WAITING:
                self._waiting.append(data)
                self._size += len(data)
            else:
                self._lost += _lines(data)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Does nothing; `logging` calls it after each line."""

    def drain(self, seconds: float = _LAST_SECONDS) -> None:
        """Wait until everything is written, or for `seconds`. Call it before the process ends."""
        deadline = time.monotonic() + seconds
        while (self._waiting or self._busy) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            with suppress(RuntimeError):  # the system has no more threads, or the interpreter ends
                thread.start()
                self._thread = thread
                atexit.register(self.drain)
        return self._thread is not None

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_GATHER_SECONDS)
            self._wake.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, []
                lost, self._lost = self._lost, 0  # they came after those that wait
                self._busy = True
            for block in _blocks(waiting):
                lost += self._write_block(block)
                with self._lock:
                    self._size -= len(block)
            if lost and self._write_block(self.lost_line(lost).encode()):
                with self._lock:
                    self._lost += lost
            self._busy = False

    def _write_block(self, block: bytes) -> int:
        """Write lines, and wait for a reader as long as necessary. Returns how many could not be written."""
        assert self._descriptor is not None
        left = memoryview(b"\n" + block if self._inside_line else block)
        while left:
            try:
                count = os.write(self._descriptor, left)
            except BlockingIOError:  # somebody has made the descriptor non-blocking
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                return _lines(bytes(left))
            else:
                self._inside_line = left[count - 1] != _LINE_FEED
                left = left[count:]
        return 0


def _lines(data: bytes) -> int:
    return data.count(b"\n") or 1


def _blocks(waiting: list[bytes]) -> list[bytes]:
    """The same lines, joined to blocks that a pipe takes as a whole; a longer text is a block of its own."""
    blocks: list[bytes] = []
    block: list[bytes] = []
    size = 0
    for data in waiting:
        if size + len(data) > BLOCK and block:
            blocks.append(b"".join(block))
            block, size = [], 0
        block.append(data)
        size += len(data)
    if block:
        blocks.append(b"".join(block))
    return blocks


# If standard error was closed when Python started, descriptor 2 may belong to any other file by now.
STDERR = LogWriter(None if sys.__stderr__ is None else 2)
"""The log of this process."""

os.register_at_fork(after_in_child=STDERR.forget)
