"""What one connection waits for, and how it goes on: its socket, a deadline, a thread, or its turn."""

import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from .loop import Deadline, Loop, Watcher
from .phase import Phase

Outcome = TypeVar("Outcome")


class Waiter(Watcher, Protocol):
    """A connection, as far as its inputs are concerned."""

    def guard(self, step: Callable[[], None]) -> None:
        """Run `step`, and deal with what it raises."""

    def on_deadline(self) -> None:
        """The deadline has come."""

    def discard(self, outcome: Future[Any]) -> None:
        """A thread has finished, and the connection was closed meanwhile."""


class Waiting:
    """The phase of one connection, the events that the loop watches, and one deadline."""

    def __init__(self, sock: socket.socket, loop: Loop, waiter: Waiter) -> None:
        """`waiter.client` is whose turn it must be."""
        self.phase = Phase.IDLE
        self._socket = sock
        self._loop = loop
        self._waiter = waiter
        self._deadline = Deadline(loop, lambda: waiter.guard(waiter.on_deadline))

    def wait_for(self, phase: Phase, events: int, deadline: float | None = None) -> None:
        """Enter `phase`. Watch for `events`, and set the deadline, if any."""
        self.phase = phase
        self._deadline.set(deadline)
        self.watch(events)

    def watch(self, events: int) -> None:
        """Watch the socket for these events, instead of those before."""
        self._loop.watch(self._socket, events, self._waiter)

    def set_deadline(self, at: float) -> None:
        """Move the deadline, and wait for the same events."""
        self._deadline.set(at)

    def for_turn(self, step: Callable[[], None]) -> None:
        """Run `step` after other connections. What the client sends meanwhile stays in the kernel."""
        self.wait_for(Phase.QUEUED, 0)
        self._loop.call_soon(lambda: self._waiter.guard(step), self._waiter.client)

    def for_thread(
        self,
        work: Callable[[], Outcome],
        then: Callable[[Outcome], None],
        *,
        phase: Phase,
        events: int,
        uses_disk: bool = True,
    ) -> None:
        """Run `work` in a thread, in `phase`. Back in the phase from before, call `then` with its result."""
        before = self.phase
        try:
            self.wait_for(phase, events)
        except OSError:
            self.phase = before  # no thread works
            raise

        def done(outcome: Future[Outcome]) -> None:
            if self.phase is Phase.CLOSED:
                self._waiter.discard(outcome)
            else:
                self.phase = before
                self._waiter.guard(lambda: then(outcome.result()))

        self._loop.in_thread(work, done, uses_disk=uses_disk, client=self._waiter.client)

    def close(self) -> None:
        """Wait for nothing any more, and close the socket."""
        self.phase = Phase.CLOSED
        self._deadline.cancel()
        self.watch(0)
        self._socket.close()
