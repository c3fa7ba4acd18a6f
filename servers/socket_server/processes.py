"""The worker processes: started with one listening socket, replaced when they die, stopped together."""

import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

from ..contract.route import Context
from ..settings import Settings, SettingsError
from .loop import READ
from .wire.screen import Screen
from .worker import Worker

LOG = logging.getLogger("wireproof.socket")
_BACKLOG = 1024
_START_AGAIN_SECONDS = 0.5
_STOP = (signal.SIGTERM, signal.SIGINT)


def listen(settings: Settings) -> list[socket.socket]:
    """Listening sockets on every address of `settings.host` (IPv4 and IPv6), all on the same port.

    Raises SettingsError when the host is not known or the port is in use.
    """
    port = settings.port
    sockets: list[socket.socket] = []
    try:
        infos = socket.getaddrinfo(
            settings.host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in dict.fromkeys(infos):
            sock = _bind(socket.socket(family, kind, protocol), (address[0], port, *address[2:]))
            sockets.append(sock)
            port = sock.getsockname()[1]
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA cannot encode
        for sock in sockets:
            sock.close()
        why = error.strerror if isinstance(error, OSError) else "it is not a valid host name"
        raise SettingsError(f"cannot listen on {settings.host} port {port}: {why}") from None
    return sockets


def _bind(sock: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sockets: list[socket.socket]) -> str:
    """The URL of the server that listens on these sockets."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_here(
    sockets: list[socket.socket], context: Context, ready: Callable[[], None], screen: Screen | None = None
) -> None:
    """Run one worker in this process until SIGTERM or SIGINT. A second signal ends it at once.

    `ready` is called when it accepts connections. With a screen, the bytes of each request are shown there.
    """
    worker = Worker(sockets, context, screen=screen)
    for number in _STOP:
        _on_signal(number, worker, lambda: worker.stop_at_once() if worker.stopping else worker.stop())
    ready()
    worker.run()


def _on_signal(number: int, worker: Worker, step: Callable[[], None]) -> None:
    """Run `step` in the loop of `worker` when the signal comes."""
    signal.signal(number, lambda _number, _frame: worker.loop.call_soon_from_thread(step))


class EndOfSupervisor:
    """Stops a worker when the supervisor closes its end of the socket pair: it stops, or was killed."""

    def __init__(self, life: socket.socket, worker: Worker) -> None:
        self._life = life
        self._worker = worker
        worker.loop.watch(life, READ, self)

    def on_ready(self) -> None:
        # A closed pair stays readable: the loop would use a whole CPU.
        self._worker.loop.watch(self._life, 0, self)
        self._worker.stop()


class Supervisor:
    """Forks the workers and waits for them. A worker that died is replaced. SIGTERM and SIGINT stop all.

    Ctrl-C and service managers signal the workers as well. Those signals stop a worker once; only the
    supervisor makes it end at once, with SIGQUIT.
    """

    def __init__(self, sockets: list[socket.socket], context: Context, processes: int) -> None:
        self._sockets = sockets
        self._context = context
        self._processes = processes
        self._workers: dict[int, float] = {}
        self._stopping = False
        # Only the supervisor holds `_life`. Closing it stops all workers, one that was forked this moment
        # included, and also when the supervisor is killed.
        self._life_seen, self._life = socket.socketpair()

    def run(self, ready: Callable[[], None]) -> int:
        """Serve until SIGTERM or SIGINT. Returns the exit status."""
        for number in _STOP:
            signal.signal(number, self._on_signal)
        for _ in range(self._processes):
            self._start()
        if not self._stopping:
            ready()
        while self._workers:
            self._wait()
        return 0

    def _start(self) -> None:
        """Fork a worker. Try again until the system has room for one, or until all are to stop."""
        while not self._stopping:
            # Until a worker has its own handlers, no signal may run the supervisor's handler in it.
            signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
            try:
                pid = os.fork()
                if pid == 0:
                    self._run_worker()
                self._workers[pid] = time.monotonic()
                return
            except OSError as error:
                LOG.error("no worker can be started: %s", error.strerror)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
            time.sleep(_START_AGAIN_SECONDS)

    def _run_worker(self) -> None:
        status = 0
        try:
            if self._stopping:  # the signal came just before the fork: the sockets are closed
                return
            status = 1
            self._life.close()
            worker = Worker(self._sockets, self._context)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _on_signal(signal.SIGTERM, worker, worker.stop)
            _on_signal(signal.SIGQUIT, worker, worker.stop_at_once)
            EndOfSupervisor(self._life_seen, worker)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
            worker.run()
            status = 0
        except BaseException:
            LOG.exception("a worker failed")
        finally:
            sys.stderr.flush()
            os._exit(status)  # skips the clean-up of what belongs to the supervisor

    def _wait(self) -> None:
        pid, status = os.wait()
        started = self._workers.pop(pid, 0.0)
        if self._stopping:
            return
        LOG.error("worker %d ended with status %d: starting another", pid, os.waitstatus_to_exitcode(status))
        if time.monotonic() - started < 1.0:
            time.sleep(_START_AGAIN_SECONDS)  # it fails at its start: do not fork without end
        self._start()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping:  # the second signal
            for pid in self._workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT)
            return
        self._stopping = True
        for sock in (*self._sockets, self._life):
            sock.close()
