"""A worker in a process of its own, from the fork to its end."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterable
from typing import NoReturn

from ..contract.log_writer import STDERR
from ..contract.route import Context
from ..fairness import switch_threads_often
from ..settings import start_upkeep, sweep
from .loop import READ
from .scoreboard import Row
from .signals import BLOCKED, DRAIN, on_signal
from .worker import Worker

LOG = logging.getLogger("wireproof.socket")


class EndOfSupervisor:
    """Stops a worker when the supervisor closes its end of the socket pair: it stops, or was killed."""

    client = None

    def __init__(self, life: socket.socket, worker: Worker) -> None:
        self._life = life
        self._worker = worker
        self._supervisor = os.getppid()
        worker.loop.watch(life, READ, self)

    def on_ready(self) -> None:
        # A closed pair stays readable: the loop would use a whole CPU.
        self._worker.loop.watch(self._life, 0, self)
        if os.getppid() == self._supervisor:
            self._worker.stop()
        else:  # it was killed, so it has not let the handshakes end
            self._worker.begin_to_stop()


def run_worker(
    listeners: list[socket.socket],
    context: Context,
    row: Row,
    life: socket.socket,
    of_supervisor: Iterable[socket.socket],
) -> NoReturn:
    """Serve in this process, which was forked with the signals of `BLOCKED` blocked, and end it.

    `row` is its row of the scoreboard. When the other end of `life` is closed, it stops. It closes the
    sockets that only the supervisor may have. Ctrl-C, service managers and a terminal that closes signal each
    process of the group. So a worker leaves SIGINT and SIGHUP to the supervisor, and SIGTERM stops it once.
    """
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for sock in of_supervisor:
            sock.close()
        worker = Worker(listeners, context, row=row)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        on_signal(signal.SIGTERM, worker, worker.stop)
        on_signal(signal.SIGQUIT, worker, worker.stop_at_once)
        on_signal(DRAIN, worker, worker.drain)
        EndOfSupervisor(life, worker)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
        # The worker before this one may have been killed. A disk that does not respond stops no worker.
        threading.Thread(target=sweep, args=(context.store,), daemon=True).start()
        start_upkeep(context.store, context.limits)
        switch_threads_often()
        worker.run()
        status = 0
    except BaseException:
        LOG.exception("a worker failed")
    finally:
        if context.history is not None:
            context.history.drain()
        if context.metrics is not None:
            context.metrics.drain()
        STDERR.drain()
        os._exit(status)  # skips the clean-up of what belongs to the supervisor
