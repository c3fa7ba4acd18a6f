"""A server that says what a test tells it to, byte for byte: it reads to the end, answers, and closes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"

Script = Callable[[bytes], bytes]


def ok(body: bytes = b"{}\n", content_type: str = "application/json", status: str = "200 OK") -> bytes:
    """An answer with a Content-Length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class ScriptedServer:
    """Answers each connection with `script(request)`; requests are kept, and the number of reads of each."""

    def __init__(self, script: Script, *, early: bool, reset: bool) -> None:
        self.requests: list[bytes] = []
        self.reads: list[int] = []
        self._script = script
        self._early = early
        self._reset = reset
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        received, reads = b"", 0
        while data := connection.recv(65536):
            received, reads = received + data, reads + 1
            if self._early:
                break
        self.requests.append(received)
        self.reads.append(reads)
        try:
            connection.sendall(self._script(received))
        except OSError:
            return  # the client has left; that is the test's business
        if self._reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def scripted(
    response: bytes | Script, *, early: bool = False, reset: bool = False
) -> Iterator[ScriptedServer]:
    """A running ScriptedServer. `early`: it answers after its first read, and closes with the rest unread.

    `reset`: it ends the connection with a reset.
    """
    script = response if callable(response) else lambda request: response
    server = ScriptedServer(script, early=early, reset=reset)
    try:
        yield server
    finally:
        server.close()
