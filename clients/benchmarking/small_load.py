"""Sends small requests over keep-alive connections from one process, as fast as the server answers.

The requests are cut into templates before, and answers are only collected; they are checked after the last
one, so that the sender takes as little of the machine as it can.
"""

import contextlib
import re
import select
import socket
import time
from dataclasses import dataclass, field

from .small_requests import SmallRequests

_READ_BYTES = 1 << 16
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = (
    10.0  # after the time of the load is over, requests that are on their way may still take this
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SmallLoad:
    """How much is sent where: `connections` for `seconds`, at most `most` requests.

    The first request has the number `first`; numbers that were used before make contents that are known.
    """

    port: int
    requests: SmallRequests
    connections: int
    seconds: float
    first: int
    most: int = 200_000


@dataclass(slots=True)
class Collected:
    """What came back: number, seconds and whole answer of each request that was answered, in order."""

    seconds: float = 0.0
    answers: list[tuple[int, float, bytes]] = field(default_factory=list)
    errors: int = 0


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    number: int = 0
    began: float = 0.0
    received: bytes = b""
    waits: bool = False


class _Sender:
    """One event loop over all connections."""

    def __init__(self, load: SmallLoad) -> None:
        self._load = load
        self._pieces = load.requests.template()
        self._next = load.first
        self._epoll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._waiting = 0
        self.collected = Collected()

    def run(self) -> Collected:
        for _ in range(self._load.connections):
            self._connect()
        began = time.perf_counter()
        self._end = began + self._load.seconds
        for connection in list(self._open.values()):
            self._send(connection)
        while self._waiting and time.perf_counter() < self._end + _ANSWER_SECONDS:
            for descriptor, _ in self._epoll.poll(_POLL_SECONDS):
                self._receive(self._open[descriptor])
        self.collected.seconds = time.perf_counter() - began
        self.collected.errors += self._waiting
        for connection in self._open.values():
            connection.socket.close()
        self._epoll.close()
        return self.collected

    def _connect(self) -> _Connection:
        connected = socket.create_connection(("127.0.0.1", self._load.port), timeout=_ANSWER_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._epoll.register(connected, select.EPOLLIN)
        connection = self._open[connected.fileno()] = _Connection(connected)
        return connection

    def _send(self, connection: _Connection) -> None:
        """Send the next request, unless the load is over."""
        if self._next >= self._load.first + self._load.most or time.perf_counter() > self._end:
            return
        connection.number, connection.received, connection.waits = self._next, b"", True
        self._next += 1
        self._waiting += 1
        request = (b"%012d" % connection.number).join(self._pieces)
        connection.began = time.perf_counter()
        with contextlib.suppress(OSError):  # reading fails too, and then the request is counted as failed
            connection.socket.sendall(request)

    def _receive(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(_READ_BYTES)
        except OSError:
            data = b""
        connection.received = connection.received + data if connection.received else data
        closes = end_of_answer(connection.received, closed=not data)
        if not connection.waits:
            self._close(connection)  # the load is over
        elif closes is not None:
            seconds = time.perf_counter() - connection.began
            self.collected.answers.append((connection.number, seconds, connection.received))
            self._go_on(connection, closes)
        elif not data:
            self.collected.errors += 1
            self._go_on(connection, True)

    def _go_on(self, connection: _Connection, closes: bool) -> None:
        self._waiting -= 1
        connection.waits = False
        if closes:
            self._close(connection)
            connection = self._connect()
        self._send(connection)

    def _close(self, connection: _Connection) -> None:
        del self._open[connection.socket.fileno()]
        connection.socket.close()


def end_of_answer(received: bytes, closed: bool = False) -> bool | None:
    """None while more of the answer has to come, else whether the server closes the connection after it."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[: end + 2]
    if (length := _LENGTH.search(head)) is not None:
        complete = len(received) >= end + 4 + int(length[1])
    elif _CHUNKED.search(head):
        complete = received.endswith(b"\r\n0\r\n\r\n")
    else:
        complete = closed
    return (closed or bool(_CLOSES.search(head)) or head.startswith(b"HTTP/1.0")) if complete else None


def status_and_body(answer: bytes) -> tuple[int, bytes]:
    """The status of a complete answer, and its body without the framing of chunks."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if _CHUNKED.search(head + b"\r\n"):
        pieces = []
        while body:
            size, _, rest = body.partition(b"\r\n")
            count = int(size.split(b";")[0], 16)
            pieces.append(rest[:count])
            body = rest[count + 2 :] if count else b""
        body = b"".join(pieces)
    return int(head[9:12]), body


def send_small(load: SmallLoad) -> Collected:
    """Send the load. Returns when its time is over and every answer has come."""
    return _Sender(load).run()
