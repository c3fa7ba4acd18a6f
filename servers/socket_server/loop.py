"""The event loop: readiness by `selectors`, deadlines by a heap on the monotonic clock.

A slow client costs an object and no thread. Only work that uses the store, and parsing of large bodies, run
in threads. Both have threads of their own: if the disk hangs, and all its threads with it, everything that
needs no disk goes on.

The loop and the threads serve clients in turn (`fairness.py`): one with hundreds of busy connections does not
slow down another one with a single connection. A turn of the loop ends after a few milliseconds. What was
ready and has not run waits for the next turn, in which others may come before it.
"""

import contextlib
import heapq
import itertools
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from ..fairness import FairQueue, FairThreads
from ..started_pool import started_pool

Result = TypeVar("Result")

_LONGEST_SLEEP = 3600.0  # seconds; epoll takes no more than 24 days at a time
_DISK_THREADS = 8  # each may keep a megabyte of freed memory for itself
_PARSING_THREADS = 2
_TURN_SECONDS = 0.005  # after so long the loop looks again who is ready

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Watcher(Protocol):
    """Something that waits for a socket, on behalf of a client (`fairness.py`)."""

    @property
    def client(self) -> str | None:
        """Whose turn it must be."""

    def on_ready(self) -> None:
        """The socket is readable or writable, as the watcher asked."""


class Deadline:
    """When something is due, in seconds of `time.monotonic`, or None for never.

    Setting it to a later time is cheap: the heap keeps one entry, which is looked at again when it comes up.
    """

    __slots__ = ("_callback", "_loop", "at", "scheduled")

    def __init__(self, loop: "Loop", callback: Callable[[], None]) -> None:
        self.at: float | None = None
        self.scheduled: float | None = None  # the earliest of its entries in the loop's heap
        self._loop = loop
        self._callback: Callable[[], None] | None = callback

    def set(self, at: float | None) -> None:
        """Call back at `at`, instead of at the time set before."""
        self.at = at
        if at is not None and (self.scheduled is None or at < self.scheduled):
            self._loop.schedule(self, at)

    def fire(self) -> None:
        """Call back now."""
        self.at = None
        if self._callback is not None:
            self._callback()

    def cancel(self) -> None:
        """Never call back again, and release the callback even while the heap still has the entry."""
        self.at = None
        self._callback = None


class Loop:
    """The event loop of one process. Only `call_soon_from_thread` may be called from other threads."""

    def __init__(self, disk_threads: int = _DISK_THREADS) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Deadline]] = []
        self._order = itertools.count()
        with contextlib.ExitStack() as started:  # ends the first threads if the others cannot start
            self._disk = FairThreads(started.enter_context(started_pool(disk_threads, "disk")))
            self._parsing = FairThreads(started.enter_context(started_pool(_PARSING_THREADS, "parsing")))
            self._pools = started.pop_all()
        self._done: deque[tuple[str | None, Callable[[], None]]] = deque()
        self._due: FairQueue[Watcher | Callable[[], None]] = FairQueue()
        self._ready: set[Watcher] = set()  # those in `_due` whose socket is still watched
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._selector.register(self._wake_receiver, READ, None)
        self._running = True

    def watch(self, sock: socket.socket, events: int, watcher: Watcher) -> None:
        """Call `watcher` whenever `sock` is ready for `events`. With 0 it is no longer watched."""
        self._ready.discard(watcher)
        key = self._selector.get_map().get(sock.fileno())
        if key is None:
            if events:
                self._selector.register(sock, events, watcher)
        elif not events:
            self._selector.unregister(sock)
        elif key.events != events:
            self._selector.modify(sock, events, watcher)

    def schedule(self, deadline: Deadline, at: float) -> None:
        """Add an entry that looks at `deadline` at the time `at`."""
        deadline.scheduled = at
        heapq.heappush(self._timers, (at, next(self._order), deadline))

    def call_soon(self, callback: Callable[[], None], client: str | None = None) -> None:
        """Run `callback` in the next turn of the loop, or later if it is not the turn of `client`."""
        self._done.append((client, callback))

    def in_thread(
        self,
        work: Callable[[], Result],
        done: Callable[[Future[Result]], None],
        *,
        uses_disk: bool = True,
        client: str | None = None,
    ) -> None:
        """Run `work` in a thread, and then `done` in the loop, with the future that has finished."""
        future = (self._disk if uses_disk else self._parsing).submit(client, work)
        future.add_done_callback(lambda outcome: self.call_soon_from_thread(lambda: done(outcome), client))

    def call_soon_from_thread(self, callback: Callable[[], None], client: str | None = None) -> None:
        """Run `callback` in the loop. Safe in any thread and in a signal handler."""
        self._done.append((client, callback))
        with contextlib.suppress(OSError):  # wake-ups are already queued, or the loop has ended
            self._wake_sender.send(b"\0")

    def run(self) -> None:
        """Run until `stop` is called. What runs in threads is finished first."""
        try:
            while self._running:
                self._turn()
        finally:
            self._pools.close()
            self._selector.close()
            self._wake_receiver.close()
            self._wake_sender.close()

    def stop(self) -> None:
        """End `run` after this turn."""
        self._running = False

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._next_timeout()):
            watcher: Watcher | None = key.data
            if watcher is None:
                self._drain_wakeups()
            elif watcher not in self._ready:
                self._ready.add(watcher)
                self._due.put(watcher.client, watcher)
        for _ in range(len(self._done)):  # callbacks that these add run in the next turn
            self._due.put(*self._done.popleft())
        self._run_due(time.monotonic() + _TURN_SECONDS)
        self._fire_deadlines()

    def _run_due(self, end: float) -> None:
        while (taken := self._due.take()) is not None:
            _, due = taken
            if callable(due):
                due()
            elif due in self._ready:
                self._ready.remove(due)
                due.on_ready()
            if time.monotonic() > end:
                return

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_receiver.recv(4096):
                pass

    def _next_timeout(self) -> float | None:
        if self._done or self._due:
            return 0
        if not self._timers:
            return None
        return min(max(self._timers[0][0] - time.monotonic(), 0), _LONGEST_SLEEP)

    def _fire_deadlines(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            at, _, deadline = heapq.heappop(self._timers)
            if deadline.scheduled == at:
                deadline.scheduled = None
            if deadline.at is None:
                continue
            if deadline.at <= now:
                deadline.fire()
                if time.monotonic() > now + _TURN_SECONDS:
                    return  # thousands may have come at once
            else:  # it was set to a later time meanwhile
                deadline.set(deadline.at)
