"""The event loop: readiness by `selectors`, deadlines by a heap on the monotonic clock.

A slow client costs an object and no thread; only disk work leaves the loop, for a thread.
"""

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")

_LONGEST_SLEEP = 3600.0  # seconds; epoll takes no more than 24 days at a time

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Watcher(Protocol):
    """Something that waits for a socket."""

    def on_ready(self) -> None:
        """The socket is readable or writable, as the watcher asked."""


class Deadline:
    """When something is due, in seconds of `time.monotonic`; None: never. Moved later, it costs nothing."""

    __slots__ = ("_callback", "_loop", "at", "scheduled")

    def __init__(self, loop: "Loop", callback: Callable[[], None]) -> None:
        self.at: float | None = None
        self.scheduled: float | None = None  # the earliest of its entries in the loop's heap
        self._loop = loop
        self._callback: Callable[[], None] | None = callback

    def set(self, at: float | None) -> None:
        self.at = at
        if at is not None and (self.scheduled is None or at < self.scheduled):
            self._loop.schedule(self, at)

    def fire(self) -> None:
        self.at = None
        if self._callback is not None:
            self._callback()

    def cancel(self) -> None:
        """Never fire again, and hold on to nothing while the heap still has the entry."""
        self.at = None
        self._callback = None


def _started_pool(threads: int) -> ThreadPoolExecutor:
    """A pool whose threads are all there, so that no request can fail for want of one.

    Raises RuntimeError when the system has no more threads.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="disk")
    all_there = threading.Barrier(threads)
    try:
        for _ in range(threads):
            pool.submit(all_there.wait)
    except RuntimeError:
        all_there.abort()
        pool.shutdown()
        raise
    return pool


class Loop:
    """One process's loop. Everything but `call_soon_from_thread` is called from its own thread."""

    def __init__(self, threads: int = 8) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Deadline]] = []
        self._order = itertools.count()
        self._pool = _started_pool(threads)
        self._done: deque[Callable[[], None]] = deque()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._selector.register(self._wake_receiver, READ, None)
        self._running = True

    def watch(self, sock: socket.socket, events: int, watcher: Watcher) -> None:
        """Tell `watcher` when `sock` is ready for `events`; 0 watches it no more."""
        key = self._selector.get_map().get(sock.fileno())
        if key is None:
            if events:
                self._selector.register(sock, events, watcher)
        elif not events:
            self._selector.unregister(sock)
        elif key.events != events:
            self._selector.modify(sock, events, watcher)

    def schedule(self, deadline: Deadline, at: float) -> None:
        """Look at `deadline` again at `at`."""
        deadline.scheduled = at
        heapq.heappush(self._timers, (at, next(self._order), deadline))

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` in the next turn."""
        self._done.append(callback)

    def in_thread(self, work: Callable[[], Result], done: Callable[[Future[Result]], None]) -> None:
        """Run `work` in a thread, then `done` with its outcome in the loop."""
        future = self._pool.submit(work)
        future.add_done_callback(lambda outcome: self.call_soon_from_thread(lambda: done(outcome)))

    def call_soon_from_thread(self, callback: Callable[[], None]) -> None:
        """Run `callback` in the loop; from any thread, or a signal handler."""
        self._done.append(callback)
        with contextlib.suppress(OSError):  # enough wake-ups are under way, or the loop has ended
            self._wake_sender.send(b"\0")

    def run(self) -> None:
        """Run until `stop`."""
        try:
            while self._running:
                self._turn()
        finally:
            self._pool.shutdown(wait=True)
            self._selector.close()
            self._wake_receiver.close()
            self._wake_sender.close()

    def stop(self) -> None:
        self._running = False

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._next_timeout()):
            if key.data is None:
                self._drain_wakeups()
            else:
                watcher: Watcher = key.data
                watcher.on_ready()
        for _ in range(len(self._done)):  # what they add has its turn after the sockets that are ready
            self._done.popleft()()
        self._fire_deadlines()

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_receiver.recv(4096):
                pass

    def _next_timeout(self) -> float | None:
        if self._done:
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
            else:  # moved later meanwhile
                deadline.set(deadline.at)
