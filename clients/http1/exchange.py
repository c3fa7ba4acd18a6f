"""Sends the bytes of a request over a socket of its own, cut as asked, and reads all that comes back.

The write side is shut after the last byte, so that a server which misread where the message ends has nothing
to wait for. Sending and reading go on at the same time: a server may answer and close before it has read all.
"""

from __future__ import annotations

import itertools
import random
import re
import select
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .response_parser import Response, ResponseError, Responses, read_responses

_SEGMENT_BYTES = 65536
# How long to wait for the peer's close, or for bytes that should not be there, once the answers are complete.
_LINGER_SECONDS = 1.0
EXCHANGE_SECONDS = 20.0
BYTEWISE_BYTES = 300
_REQUEST_LINE = re.compile(rb"([A-Z]+) [!-~]+ HTTP/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back for one request.

    `answers` are the complete final answers in order (usually one), `continues` counts the 1xx before them.
    `closed`: the connection ended without a byte of a final answer. `no_answer` says why there is no complete
    answer (a time-out, a refused connection, an answer cut off or malformed), and is empty otherwise.
    """

    responses: tuple[Response, ...] = ()
    continues: int = 0
    closed: bool = False
    no_response: str = ""


def whole(request: bytes) -> list[bytes]:
    """The request in one piece."""
    return [request]


def random_pieces(request: bytes, rng: random.Random) -> list[bytes]:
    """The request in 2 to 12 pieces, cut at random."""
    if len(request) < 2:
        return [request]
    cuts = rng.sample(range(1, len(request)), min(rng.randint(1, 11), len(request) - 1))
    edges = [0, *sorted(cuts), len(request)]
    return [request[start:end] for start, end in itertools.pairwise(edges)]


def bytewise(request: bytes, rng: random.Random) -> list[bytes]:
    """The request with `BYTEWISE_BYTES` of its bytes, at a random place, one a piece."""
    start = rng.randint(0, max(0, len(request) - BYTEWISE_BYTES))
    end = start + BYTEWISE_BYTES
    singles = [request[at : at + 1] for at in range(start, min(end, len(request)))]
    return [piece for piece in (request[:start], *singles, request[end:]) if piece]


def request_methods(request: bytes, responses: int = 1) -> tuple[bytes, ...]:
    """The method of the request, or of each in a pipeline for several `answers`: HEAD's answer has no body.

    One empty line before a request is ignored (RFC 9112, section 2.2).
    """
    if responses > 1:
        return tuple(_REQUEST_LINE.findall(request))
    return (request.removeprefix(b"\r\n").partition(b" ")[0],)


def exchange(
    host: str,
    port: int,
    pieces: Iterable[bytes],
    *,
    methods: tuple[bytes, ...] = (b"GET",),
    expected_answers: int = 1,
    seconds: float = EXCHANGE_SECONDS,
) -> Exchange:
    """Send `pieces`, each in a segment of its own, shut the write side and read the answers.

    Returns when the peer has closed, a moment after `expected_answers` are complete, or after `seconds`;
    never raises for what the peer does.
    """
    deadline = time.monotonic() + seconds
    try:
        connection = socket.create_connection((host, port), timeout=seconds)
    except OSError as error:
        return Exchange(no_response=f"no connection: {error}")
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        return _Conversation(connection, pieces, methods, expected_answers).hold(deadline)


class _Conversation:
    """One connection's sending and reading, side by side."""

    def __init__(
        self, connection: socket.socket, pieces: Iterable[bytes], methods: tuple[bytes, ...], expected: int
    ) -> None:
        self._connection = connection
        self._unsent = _segments(pieces)
        self._segment: memoryview | None = next(self._unsent, None)
        self._methods = methods
        self._expected = expected
        self._received = bytearray()
        self._answers = Responses()

    def hold(self, deadline: float) -> Exchange:
        """Send and read until the peer closes or the time is over."""
        if self._segment is None:
            self._shut()
        try:
            while (left := deadline - time.monotonic()) > 0:
                writing = [self._connection] if self._segment is not None else []
                readable, writable, _ = select.select([self._connection], writing, [], left)
                if writable:
                    self._send()
                if readable:
                    if not self._receive():
                        return self._outcome(ended=True)
                    if len(self._answers.complete) >= self._expected:
                        deadline = min(deadline, time.monotonic() + _LINGER_SECONDS)
            return self._outcome(ended=False)
        except ResponseError as error:
            return Exchange(no_response=f"not an answer: {error}")

    def _send(self) -> None:
        assert self._segment is not None
        try:
            sent = self._connection.send(self._segment)
        except BlockingIOError:
            return
        except OSError:
            # The server has answered early and closed: what it said can still be read.
            self._segment = None
            return
        rest = self._segment[sent:]
        self._segment = rest if rest.nbytes else next(self._unsent, None)
        if self._segment is None:
            self._shut()

    def _shut(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            return  # already closed by the peer

    def _receive(self) -> bool:
        """Read what is there; False when the peer has closed, by a reset too."""
        try:
            data = self._connection.recv(_SEGMENT_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self._received += data
        self._answers = read_responses(bytes(self._received), self._methods, ended=not data)
        return bool(data)

    def _outcome(self, *, ended: bool) -> Exchange:
        responses = self._answers
        if responses.unfinished:
            why = responses.unfinished + (" (the connection ended)" if ended else " (time-out)")
            return Exchange(tuple(responses.complete), responses.continues, no_response=why)
        if not responses.complete:
            if ended:
                return Exchange(continues=responses.continues, closed=True)
            return Exchange(continues=responses.continues, no_response="no answer came in time")
        return Exchange(tuple(responses.complete), responses.continues)


def _segments(pieces: Iterable[bytes]) -> Iterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), _SEGMENT_BYTES):
            yield view[start : start + _SEGMENT_BYTES]
