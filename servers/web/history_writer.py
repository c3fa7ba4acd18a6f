"""The thread that writes the history. Serving never waits for it.

A finished request is appended to a queue in memory. The thread gathers what comes within some milliseconds
and writes it in one transaction. Each process has its own thread; it starts with the first request, and again
in a process that was forked.

To write a request costs several times what it costs to note it. While many come, the thread writes only some
each second, and in a flood very few. The queue keeps the last ones: older ones would leave the history at
once, so they are skipped. When the requests stop coming, the thread writes all that wait. When the queue has
too many bytes, because the database is slow, locked or broken, its oldest requests are lost to the history,
and counted.

In a flood the recorders note only each eighth request: to note all of them took 5 % of the time of serving,
and their memory, which has left the processor's cache when it is used again, took as much. For the same
reason few of them wait: they are not all of the last requests anyway, and writing them takes time too.
"""

import atexit
import logging
import threading
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple, Protocol

from .run import Arriving, Run

LOG = logging.getLogger("wireproof.history")
MOST_WAITING = 16 * 1024 * 1024
"""At most about so many bytes wait to be written."""

_GATHER_SECONDS = 0.05
# When many come, each transaction holds more of them, so that it costs less.
_MANY = 8
_GATHER_MANY_SECONDS = 0.2
# So many are written each second by each process while more come, and so many at once before that.
_WRITTEN_A_SECOND = 100
_MOST_AT_ONCE = 100
# In a flood so many are skipped each second that nobody follows them. Fewer are written then, less often.
_FLOOD = 500
_WRITTEN_IN_A_FLOOD = 20
_NOTED_IN_A_FLOOD = 8  # one of so many
_WAITING_IN_A_FLOOD = 100
_GATHER_FLOOD_SECONDS = 0.5
# How often requests that arrive are looked at, and after how long they become a row.
_LOOK_SECONDS = 0.5
# After a failure the database is left alone for so long.
_PAUSE_SECONDS = 1.0
_LAST_SECONDS = 1.0


class Busy(Exception):
    """The database is locked: the same can be written later."""


class Failed(Exception):
    """The database cannot be used; the message says why. What was to be written is lost."""


class Missing(NamedTuple):
    """How many requests are not in the history: lost ones, and skipped ones, for which it has no room."""

    lost: int
    skipped: int


class Target(Protocol):
    """Where the thread writes. Its methods raise Busy and Failed."""

    def write(self, runs: list[Run], arriving: list[Arriving], missing: Missing) -> None:
        """Write these requests, and note how many came before them that are `missing`."""


class HistoryWriter:
    """A queue of at most `most` requests, and its thread.

    `lost` is how many requests were left out and not written down as such yet.
    """

    def __init__(self, target: Target, most: int) -> None:
        self._target = target
        self._most = most
        self.forget()

    def forget(self) -> None:
        """Begin anew, without what waits. Call it in a child process: it has not got the thread."""
        self._lock = threading.Lock()
        self._waiting: deque[Run] = deque()
        self._size = 0
        self._arriving: set[Arriving] = set()
        self._busy = False
        self._draining = False
        self._comes = self._floods = False
        self._begun = 0
        self._allowance = float(_MOST_AT_ONCE)
        self._at = time.monotonic()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._warned = False
        self._skipped = 0
        self.lost = 0
        self.error: str | None = None

    def put(self, run: Run) -> None:
        """Queue a request that is over. Never waits."""
        with self._lock:
            if not self._started():
                self.lost += 1
                return
            run.weigh()
            self._waiting.append(run)
            self._size += run.weight
            self._comes = True
            self._make_room()
        if not self._wake.is_set():
            self._wake.set()

    def wants_next(self) -> bool:
        """Whether the request that begins now is to be noted. If not, call `skip` when it is over."""
        if not self._floods:
            return True
        self._begun += 1
        return self._begun % _NOTED_IN_A_FLOOD == 0

    def skip(self) -> None:
        """A request is over that was not noted."""
        with self._lock:
            self._skipped += 1
            self._comes = True

    def _make_room(self) -> None:
        """Drop the oldest requests when too many wait, or too many bytes."""
        most = min(self._most, _WAITING_IN_A_FLOOD) if self._floods else self._most
        while (many := len(self._waiting) > most) or self._size > MOST_WAITING:
            self._size -= self._waiting.popleft().weight
            if many:
                self._skipped += 1
            else:
                self.lost += 1

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
        self._draining = True
        while (self._waiting or self._busy) and time.monotonic() < deadline:
            time.sleep(0.005)
        self._draining = False

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
            runs = self._take()
            if runs or arriving or self.lost:
                self._write(runs, arriving)
            self._busy = False
            if self._floods:
                gather = _GATHER_FLOOD_SECONDS
            else:
                gather = _GATHER_MANY_SECONDS if len(runs) >= _MANY else _GATHER_SECONDS

    def _take(self) -> list[Run]:
        """The oldest requests of the queue: all of them if none has come since the last call."""
        now = time.monotonic()
        with self._lock:
            passed, self._at = now - self._at, now
            self._floods = self._comes and self._skipped > passed * _FLOOD
            pace = _WRITTEN_IN_A_FLOOD if self._floods else _WRITTEN_A_SECOND
            self._allowance = min(self._allowance + passed * pace, _MOST_AT_ONCE)
            count = len(self._waiting)
            if self._comes and not self._draining:
                count = min(count, int(self._allowance))
            self._comes = False
            self._allowance = max(self._allowance - count, 0.0)
            runs = [self._waiting.popleft() for _ in range(count)]
            self._size -= sum(run.weight for run in runs)
            self._busy = bool(runs)
            if self._waiting or self._floods:  # whether the flood is over is found by another look
                self._wake.set()
        return runs

    def _write(self, runs: list[Run], arriving: list[Arriving]) -> None:
        missing = Missing(self.lost, self._skipped)
        try:
            self._target.write(runs, arriving, missing)
        except Busy as error:
            self.error = str(error)
            with self._lock:
                self._waiting.extendleft(reversed(runs))
                self._size += sum(run.weight for run in runs)
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
                self.lost -= missing.lost
                self._skipped -= missing.skipped

    def _fail(self, why: str, lost: int) -> None:
        self.error = why
        with self._lock:
            self.lost += lost
        if not self._warned:
            self._warned = True
            LOG.warning("requests are missing in the history: %s", why)
        time.sleep(_PAUSE_SECONDS)
