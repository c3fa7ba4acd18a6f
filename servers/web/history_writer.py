"""The thread that writes the history. Serving never waits for it.

A finished request is appended to a queue in memory. The thread gathers what comes within some milliseconds
and writes it in one transaction. When the queue is full, because the database is slow, locked or broken,
further requests are left out of the history and counted. Each process has its own thread; it starts with the
first request, and again in a process that was forked.
"""

import atexit
import logging
import threading
import time
from contextlib import suppress
from typing import Protocol

from .run import Arriving, Run

LOG = logging.getLogger("wireproof.history")
MOST_WAITING = 16 * 1024 * 1024
"""At most about so many bytes wait to be written."""

_GATHER_SECONDS = 0.05
# When many come, each transaction holds more of them, so that it costs less.
_MANY = 8
_GATHER_MANY_SECONDS = 0.2
# How often requests that arrive are looked at, and after how long they become a row.
_LOOK_SECONDS = 0.5
# After a failure the database is left alone for so long.
_PAUSE_SECONDS = 1.0
_LAST_SECONDS = 1.0


class Busy(Exception):
    """The database is locked: the same can be written later."""


class Failed(Exception):
    """The database cannot be used; the message says why. What was to be written is lost."""


class Target(Protocol):
    """Where the thread writes. Its methods raise Busy and Failed."""

    def write(self, runs: list[Run], arriving: list[Arriving], lost: int) -> None:
        """Write these requests, and add `lost` to the number of those that are not in the history."""


class HistoryWriter:
    """A queue and its thread. `lost` is how many requests were left out and not written down as such yet."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.forget()

    def forget(self) -> None:
        """Begin anew, without what waits. Call it in a child process: it has not got the thread."""
        self._lock = threading.Lock()
        self._waiting: list[Run] = []
        self._size = 0
        self._arriving: set[Arriving] = set()
        self._busy = False
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._warned = False
        self.lost = 0
        self.error: str | None = None

    def put(self, run: Run) -> None:
        """Queue a request that is over, or drop and count it when too much is waiting. Never waits."""
        weight = run.weight
        with self._lock:
            if self._size + weight > MOST_WAITING or not self._started():
                self.lost += 1
                return
            self._waiting.append(run)
            self._size += weight
        if not self._wake.is_set():
            self._wake.set()

    def watch(self, arriving: Arriving) -> None:
        """The body of a request begins to arrive."""
        with self._lock:
            self._arriving.add(arriving)
            if len(self._arriving) == 1 and self._started():
                self._wake.set()

    def unwatch(self, arriving: Arriving) -> None:
        """The request is over."""
        with self._lock:
            self._arriving.discard(arriving)

    def drain(self, seconds: float = _LAST_SECONDS) -> None:
        """Wait until everything is written, or for `seconds`."""
        deadline = time.monotonic() + seconds
        while (self._waiting or self._busy) and time.monotonic() < deadline:
            time.sleep(0.005)

    def _started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="history", daemon=True)
            with suppress(RuntimeError):  # the system has no more threads, or the interpreter ends
                thread.start()
                self._thread = thread
                atexit.register(self.drain)
        return self._thread is not None

    def _run(self) -> None:
        next_look = time.monotonic() + _LOOK_SECONDS
        gather = _GATHER_SECONDS
        while True:
            self._wake.wait(max(0.0, next_look - time.monotonic()) if self._arriving else None)
            time.sleep(gather)
            self._wake.clear()
            now = time.monotonic()
            arriving: list[Arriving] = []
            if now >= next_look:
                next_look = now + _LOOK_SECONDS
                with self._lock:
                    arriving = [each for each in self._arriving if now - each.since >= _LOOK_SECONDS]
            with self._lock:
                runs, self._waiting = self._waiting, []
                size, self._size = self._size, 0
                self._busy = bool(runs)
            if runs or arriving or self.lost:
                self._write(runs, arriving, size)
            self._busy = False
            gather = _GATHER_MANY_SECONDS if len(runs) >= _MANY else _GATHER_SECONDS

    def _write(self, runs: list[Run], arriving: list[Arriving], size: int) -> None:
        lost = self.lost
        try:
            self._target.write(runs, arriving, lost)
        except Busy as error:
            self.error = str(error)
            with self._lock:
                self._waiting = runs + self._waiting
                self._size += size
            self._wake.set()
        except Failed as error:
            self._fail(str(error), len(runs))
        except Exception:
            LOG.exception("the history failed")
            self._fail("the log says why", len(runs))
        else:
            self.error = None
            self._warned = False
            with self._lock:
                self.lost -= lost

    def _fail(self, why: str, lost: int) -> None:
        self.error = why
        with self._lock:
            self.lost += lost
        if not self._warned:
            self._warned = True
            LOG.warning("requests are missing in the history: %s", why)
        time.sleep(_PAUSE_SECONDS)
