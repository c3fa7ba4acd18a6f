"""Servers on loopback that are wrong in one way, for compare and fuzz to find."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from tests.http1.recording_server import HOST, Peer

Respond = Callable[[bytes], bytes | None]
"""Makes the bytes of the response from those of the request; None sends nothing and keeps the connection."""


class FaultyServer:
    """Answers with `respond`, on several connections at a time.

    After `dies_after` connections nobody listens any more. A request ends as its head says, or with
    `until_end` when the client has shut its write side.
    """

    def __init__(self, respond: Respond, dies_after: int | None = None, *, until_end: bool = False) -> None:
        self._until_end = until_end
        self.accepted = 0
        self._respond = respond
        self._dies_after = dies_after
        self._over = threading.Event()
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        """End the server and its connections."""
        self._over.set()
        self._close_listener()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _accept(self) -> None:
        for number in count(1):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted = number
            if number == self._dies_after:
                self._close_listener()
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                response = self._respond(self._read(Peer(connection)))
                if response is None:
                    self._over.wait(30)
                else:
                    connection.sendall(response)
            except OSError:  # the client may leave at any time
                return

    def _read(self, peer: Peer) -> bytes:
        return peer.read_to_the_end() if self._until_end else peer.read_request()

    def _close_listener(self) -> None:
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already
        self._listener.close()


@contextmanager
def faulty(
    respond: Respond, dies_after: int | None = None, *, until_end: bool = False
) -> Iterator[FaultyServer]:
    """A running server, which ends with the block."""
    server = FaultyServer(respond, dies_after, until_end=until_end)
    try:
        yield server
    finally:
        server.close()


def forwarded_to(port: int) -> Callable[[bytes], bytes]:
    """What the server at `port` of loopback responds to a request, until it closes."""

    def forward(request: bytes) -> bytes:
        with socket.create_connection((HOST, port), timeout=20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = bytearray()
            while data := connection.recv(65536):
                received += data
        return bytes(received)

    return forward
