"""Sends on a connection and reads from it at the same time, for every client that makes bytes by hand.

A server may respond before it has read the whole request, and it may then close or stop reading. A client
that only sends would wait for room for ever, or lose the response to a broken pipe. So each wait before
sending is also a wait for received bytes, and after a broken pipe what the server sent can still be read.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable

from .digest import Block
from .wire import Wire

_RECEIVE_BYTES = 1 << 16
_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def connect(host: str, port: int, wire: Wire) -> socket.socket:
    """A blocking connection that sends small segments at once. Raises OSError."""
    connection = socket.create_connection((host, port), timeout=wire.remaining)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Conversation:
    """One non-blocking `connection` until the deadline of `wire`.

    `feed` gets all received bytes, and `b""` at the end; a reset is an end too, and sets `ended`. `stop` is
    asked after each read during a send, and True ends the sending. Methods raise TimeoutError at the
    deadline, OSError when the connection fails otherwise, and what `feed` raises.
    """

    def __init__(
        self,
        connection: socket.socket,
        wire: Wire,
        feed: Callable[[bytes], object],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.ended = False
        self._connection = connection
        self._wire = wire
        self._feed = feed
        self._stop = stop
        self._poll = select.poll()

    def send(self, data: Block) -> bool:
        """Send `data`; False as soon as `stop` says so, or the peer has ended or takes no more."""
        view = memoryview(data).cast("B")
        while view:
            if self._wait(select.POLLIN | select.POLLOUT) & ~select.POLLOUT:
                self._read()
                if self.ended or self._stop():
                    return False
            try:
                view = view[self._connection.send(view) :]
            except _NOT_YET:
                continue
            except _BROKEN:
                return False
        return True

    def receive(self, seconds: float | None = None) -> None:
        """Wait for bytes, at most `seconds`, and feed what has come."""
        if self._wait(select.POLLIN, seconds):
            self._read()

    def shut(self) -> None:
        """End the sending, so that the peer has nothing more to wait for."""
        with contextlib.suppress(OSError):  # the peer may have closed already
            # `SSLSocket.shutdown` would also end the decryption of what still comes.
            socket.socket.shutdown(self._connection, socket.SHUT_WR)

    def _read(self) -> None:
        try:
            data = self._connection.recv(_RECEIVE_BYTES)
        except _NOT_YET:
            return
        except _BROKEN:
            data = b""
        self.ended = not data
        self._feed(data)

    def _wait(self, events: int, seconds: float | None = None) -> int:
        """The events that are ready, 0 after `seconds`."""
        connection = self._connection
        if events & select.POLLIN and isinstance(connection, ssl.SSLSocket) and connection.pending():
            return select.POLLIN
        limits = [limit for limit in (self._wire.remaining, seconds) if limit is not None]
        self._poll.register(connection, events)
        ready = self._poll.poll(min(limits) * 1000 if limits else None)
        return ready[0][1] if ready else 0
