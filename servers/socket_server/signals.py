"""The signals that the processes of this server follow, and the children that end."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator

from .worker import Worker

STOP = (signal.SIGTERM, signal.SIGINT)
# The supervisor sends it to workers that others have replaced.
DRAIN = signal.SIGUSR1
# A worker must not receive these before it has its own handlers. Until then it has the supervisor's.
BLOCKED = (*STOP, DRAIN, signal.SIGHUP, signal.SIGCHLD)


def on_signal(number: int, worker: Worker, step: Callable[[], None]) -> None:
    """Run `step` in the loop of `worker` when the signal comes."""
    signal.signal(number, lambda _number, _frame: worker.loop.call_soon_from_thread(step))


def ended_children() -> Iterator[tuple[int, int]]:
    """The process id and the wait status of each child that has ended. They are reaped.

    Processes of other programs become children of this one when it is the first process of a container, or
    when a shell that has children runs it by `exec`.
    """
    with contextlib.suppress(ChildProcessError):  # there are no children
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            yield ended


class Signals:
    """The signals that this process receives, in their order. They wake `wait` up and interrupt nothing."""

    def __init__(self, numbers: tuple[signal.Signals, ...]) -> None:
        self._receiver, self._sender = self.sockets = socket.socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda _number, _frame: None)

    def wait(self, seconds: float) -> bytes:
        """The numbers of the signals that have come, or nothing if none has come for so long."""
        self._receiver.settimeout(max(seconds, 0))
        try:
            return self._receiver.recv(4096)
        except (BlockingIOError, TimeoutError):
            return b""
