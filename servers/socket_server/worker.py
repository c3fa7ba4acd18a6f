"""One worker process: accepts connections and runs them in its loop until it is stopped."""

import errno
import logging
import socket
import time

from ..contract.route import Context
from .connection import Connection
from .loop import READ, Deadline, Loop
from .observer import Observer
from .wire.screen import Screen

LOG = logging.getLogger("wireproof.socket")
_ACCEPTS_A_TURN = 64
_PAUSE_SECONDS = 0.1
_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener:
    """Accepts connections. When descriptors run out it pauses, so that the loop does not spin (X09)."""

    def __init__(self, sock: socket.socket, worker: "Worker") -> None:
        self._socket = sock
        self._worker = worker
        self._pause = Deadline(worker.loop, self._listen)
        self._listen()

    def _listen(self) -> None:
        if not self._worker.stopping:
            self._worker.loop.watch(self._socket, READ, self)

    def on_ready(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self._worker.loop.watch(self._socket, 0, self)
                    self._pause.set(time.monotonic() + _PAUSE_SECONDS)
                    return
                continue  # the client has already gone (ECONNABORTED)
            self._worker.accept(sock)

    def close(self) -> None:
        self._pause.cancel()
        self._worker.loop.watch(self._socket, 0, self)
        self._socket.close()


class Worker:
    """Owns the connections of one process, and its loop. `grace` is in seconds, see `stop`."""

    def __init__(
        self,
        listeners: list[socket.socket],
        context: Context,
        *,
        grace: float = 30.0,
        screen: Screen | None = None,
    ) -> None:
        self.loop = Loop()
        self.context = context
        self.stopping = False
        self._grace = grace
        self._screen = screen
        self._observed = 0
        self._connections: set[Connection] = set()
        self._listeners = [Listener(sock, self) for sock in listeners]
        self._end_of_grace = Deadline(self.loop, self.loop.stop)

    def run(self) -> None:
        """Serve until stopped."""
        self.loop.run()

    def accept(self, sock: socket.socket) -> None:
        """Start a connection on a socket that was accepted."""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            self._connections.add(Connection(sock, self))
        except OSError:  # the client has already gone
            sock.close()
        except Exception:  # no memory for one more: the other connections go on (H109)
            LOG.exception("a connection could not begin")
            sock.close()

    def observer(self, sock: socket.socket) -> Observer | None:
        """The observer of a new connection, or None without a screen."""
        if self._screen is None:
            return None
        self._observed += 1
        host, port = sock.getpeername()[:2]
        return Observer(self._screen, self._observed, f"{host} port {port}")

    def connection_closed(self, connection: Connection) -> None:
        """Called by each connection when it is closed."""
        self._connections.discard(connection)
        self._stop_when_empty()

    def stop(self) -> None:
        """Accept no more, close idle connections, and end when the last response is sent.

        Ends after `grace` seconds in any case. Safe to call twice.
        """
        if self.stopping:
            return
        for listener in self._listeners:
            listener.on_ready()  # a client that waits to be accepted may have sent a request
            listener.close()
        self.stopping = True
        for connection in list(self._connections):
            connection.stop()
        self._end_of_grace.set(time.monotonic() + self._grace)
        self._stop_when_empty()

    def stop_at_once(self) -> None:
        """End now. Only work that runs in a thread is finished."""
        self.loop.stop()

    def _stop_when_empty(self) -> None:
        if self.stopping and not self._connections:
            self.loop.stop()
