"""A server that is one process: one worker without a supervisor."""

import logging
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contract.route import Context
from ..fairness import switch_threads_often
from .signals import ended_children, on_signal
from .worker import Worker

if TYPE_CHECKING:
    from .wire.screen import Screen

LOG = logging.getLogger("wireproof.socket")


def serve_here(
    sockets: list[socket.socket], context: Context, ready: Callable[[], None], screen: "Screen | None" = None
) -> None:
    """Run one worker in this process until SIGTERM or SIGINT. The next signal ends it at once.

    `ready` is called when it accepts connections. With a screen, the bytes of each request are shown there.
    SIGHUP is only logged, because no other process could take over.
    """
    worker = Worker(sockets, context, screen=screen)
    on_signal(signal.SIGTERM, worker, lambda: _stop(worker, announced=context.shutdown.delay > 0))
    on_signal(signal.SIGINT, worker, lambda: _stop(worker, announced=False))
    on_signal(signal.SIGHUP, worker, lambda: LOG.warning("SIGHUP has no effect with one worker"))
    on_signal(signal.SIGCHLD, worker, _reap)
    _reap()
    ready()
    switch_threads_often()
    worker.run()


def _stop(worker: Worker, *, announced: bool) -> None:
    if worker.stop_has_begun:
        worker.stop_at_once()
    elif announced and not worker.context.shutdown.announced:
        worker.announce_stop()
    else:
        worker.begin_to_stop()


def _reap() -> None:
    for _ in ended_children():  # none of them is ours
        pass
