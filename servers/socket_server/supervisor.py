"""The supervisor: forks the workers, replaces those that die or hang, reloads them, and stops them.

It keeps the listening sockets open while it serves. All workers accept from them. So the connections that
wait when a worker dies are not reset: another worker, or its successor, accepts them.

Everything happens in `Supervisor.run`, one step after the other. Signals interrupt no step.

signal              what the supervisor does
SIGTERM             announces the stop; stops all workers after the delay of `Shutdown`
SIGINT              stops all workers, as does a second SIGTERM before the delay is over
SIGTERM, SIGINT     when they stop already: ends all workers at once
SIGHUP              reads the tokens anew and starts new workers; drains the old ones when all new ones run
SIGCHLD             reaps the children that have ended, and replaces those that were workers
"""

import contextlib
import logging
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from ..contract.access import AccessRules
from ..contract.route import Context
from ..handshakes import SETTLE_SECONDS, take_no_new
from ..service_manager import tell
from .scoreboard import Row, Scoreboard
from .signals import BLOCKED, DRAIN, STOP, Signals, ended_children
from .worker_process import run_worker

LOG = logging.getLogger("wireproof.socket")
_START_AGAIN_SECONDS = 0.5
# A worker that ends earlier has failed at its start.
_START_SECONDS = 1.0
# How often the supervisor looks whether its first workers run.
_POLL_SECONDS = 0.01
_TICK_SECONDS = 1.0
# A worker is killed when it has shown no beat for so many ticks (X04).
_SILENT_TICKS = 5


class Silence:
    """Counts the ticks for which a worker has shown no beat.

    It counts ticks of the supervisor and no seconds. When the supervisor or the machine was suspended, one
    tick has passed, however long that took.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self._last_beat = 0.0

    def tick(self, beat: float) -> int:
        """One tick has passed, and `beat` is the last beat of the worker. Returns the number of ticks."""
        self.ticks = self.ticks + 1 if beat == self._last_beat else 0
        self._last_beat = beat
        return self.ticks


@dataclass(frozen=True)
class _Process:
    """A worker process. `started` is in seconds of `time.monotonic`."""

    started: float
    row: Row
    silence: Silence = field(default_factory=Silence)


class Supervisor:
    """Runs `processes` workers until it is stopped. `read_access` is called when they are to be replaced."""

    def __init__(
        self,
        sockets: list[socket.socket],
        context: Context,
        processes: int,
        read_access: Callable[[logging.Logger], AccessRules],
    ) -> None:
        self._sockets = sockets
        self._context = context
        self._read_access = read_access
        self._processes = processes
        self._workers: dict[int, _Process] = {}
        self._replaced: dict[int, _Process] = {}  # those that finish their requests after a reload
        self._free_rows = Scoreboard(processes).rows  # one for each worker that must be started
        self._start_at = 0.0
        self._stop_at = math.inf
        self._takes_new = True
        self._stopping = False
        # Only the supervisor holds `_life`. Closing it stops all workers, one that was forked this moment
        # included, and also when the supervisor is killed.
        self._life_seen, self._life = socket.socketpair()

    def run(self, ready: Callable[[], None]) -> int:
        """Serve until SIGTERM or SIGINT. Returns the exit status. `ready` is called when all workers run."""
        self._signals = Signals((*STOP, signal.SIGHUP, signal.SIGCHLD))
        is_ready = False
        next_tick = time.monotonic() + _TICK_SECONDS
        while not self._stopping or self._workers or self._replaced:
            due = min(next_tick, self._stop_at, *([self._start_at] if self._must_start else []))
            seconds = due - time.monotonic()
            for number in self._signals.wait(seconds if is_ready else min(seconds, _POLL_SECONDS)):
                self._follow(number)
            for pid, status in ended_children():
                self._child_ended(pid, os.waitstatus_to_exitcode(status))
            if time.monotonic() >= self._stop_at:
                self._begin_to_stop() if self._takes_new else self._stop()
            if time.monotonic() >= next_tick:
                self._tick()
                next_tick = time.monotonic() + _TICK_SECONDS
            if self._must_start and time.monotonic() >= self._start_at:
                self._start()
            if not is_ready and not self._stopping and self._all_run():
                is_ready = True
                ready()
        return 0

    def _follow(self, number: int) -> None:
        shutdown = self._context.shutdown
        if number in STOP and not self._takes_new:
            if not self._stopping:
                self._stop()
            self._send(signal.SIGQUIT, (*self._workers, *self._replaced))
        elif number == signal.SIGTERM and shutdown.delay and not shutdown.announced:
            LOG.info("SIGTERM: /healthz is 503 for %g s, then the server stops", shutdown.delay)
            tell("STOPPING=1")
            shutdown.announce()
            self._stop_at = time.monotonic() + shutdown.delay
        elif number in STOP:
            tell("STOPPING=1")
            self._begin_to_stop()
        elif number == signal.SIGHUP and self._takes_new:
            LOG.info("SIGHUP: %d new workers replace the old ones", self._processes)
            self._context = replace(self._context, access=self._read_access(LOG))
            self._replaced |= self._workers
            self._workers = {}
            self._free_rows = Scoreboard(self._processes).rows

    def _begin_to_stop(self) -> None:
        self._takes_new = False
        if take_no_new(self._sockets):
            self._stop_at = time.monotonic() + SETTLE_SECONDS
        else:
            self._stop()

    def _stop(self) -> None:
        self._stop_at = math.inf
        self._stopping = True
        for sock in (*self._sockets, self._life):
            sock.close()

    @property
    def _must_start(self) -> bool:
        return bool(self._free_rows) and self._takes_new

    def _start(self) -> None:
        """Fork a worker. If the system has no room for one, it is tried again later."""
        row = self._free_rows[-1]
        # Until a worker has its own handlers, no signal may run the supervisor's handler in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
        try:
            pid = os.fork()
            if pid == 0:
                of_supervisor = (self._life, *self._signals.sockets)
                run_worker(self._sockets, self._context, row, self._life_seen, of_supervisor)
        except OSError as error:
            LOG.error("no worker can be started: %s", error.strerror)
            self._start_at = time.monotonic() + _START_AGAIN_SECONDS
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
        self._free_rows.pop()
        self._workers[pid] = _Process(time.monotonic(), row)

    def _child_ended(self, pid: int, status: int) -> None:
        if self._replaced.pop(pid, None) and status and self._takes_new:
            LOG.error("worker %d ended with status %d after it was replaced", pid, status)
        worker = self._workers.pop(pid, None)
        if worker is None or not self._takes_new:
            return
        LOG.error("worker %d ended with status %d: starting another", pid, status)
        worker.row.clear()
        self._free_rows.append(worker.row)
        now = time.monotonic()
        if now - worker.started < _START_SECONDS:  # do not fork without end
            self._start_at = now + _START_AGAIN_SECONDS

    def _tick(self) -> None:
        for pid, worker in (*self._workers.items(), *self._replaced.items()):
            ticks = worker.silence.tick(worker.row.last_beat)
            if ticks == _SILENT_TICKS and not worker.row.has_ended:
                LOG.error("worker %d has been silent for %d s: killing it", pid, ticks * _TICK_SECONDS)
                self._send(signal.SIGKILL, (pid,))
        if self._all_run(_START_SECONDS):
            self._send(DRAIN, self._replaced)

    def _all_run(self, seconds: float = 0.0) -> bool:
        """Whether all workers run, and have not ended for so long."""
        latest = time.monotonic() - seconds
        workers = self._workers.values()
        return not self._free_rows and all(
            worker.row.last_beat > 0 and worker.started <= latest for worker in workers
        )

    def _send(self, number: int, pids: Iterable[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
