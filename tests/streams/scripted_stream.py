"""A server that sends what a test tells it to, piece by piece, with pauses between them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_SECONDS = 10.0

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

Script = Sequence[bytes | float]


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class ScriptedStream:
    """Where it listens, and the requests that it read."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/stream_echo"


@contextmanager
def scripted_stream(script: Script) -> Iterator[ScriptedStream]:
    """Plays `script` to each connection, then closes it: bytes are sent, numbers are seconds to wait."""
    listener = socket.create_server((HOST, 0))
    stream = ScriptedStream(listener.getsockname()[1])
    thread = threading.Thread(target=_serve, args=(listener, script, stream.requests), daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(_SECONDS)


def _serve(listener: socket.socket, script: Script, requests: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            requests.append(_read_request(connection))
            try:
                _play(connection, script)
            except OSError:
                continue  # the client has left; that is the test's business


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _play(connection: socket.socket, script: Script) -> None:
    for step in script:
        if isinstance(step, bytes):
            connection.sendall(step)
        else:
            time.sleep(step)
