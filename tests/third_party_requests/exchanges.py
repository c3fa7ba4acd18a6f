"""Sends the bytes of a request over a new connection, and reads the first response."""

import contextlib
import socket
import time
from collections.abc import Iterable

from clients.comparison.equality import first_difference
from clients.http1.exchange import Exchange, request_methods
from clients.http1.response_parser import Response, ResponseError, read_responses
from clients.launch import RunningBackend

_PAUSE_SECONDS = 0.005
SECONDS = 30.0
TOO_LATE = "no response came in time"


def converse(
    backend: RunningBackend, pieces: Iterable[bytes], *, half_close: bool = True, seconds: float = SECONDS
) -> Exchange:
    """Send each piece in its own segment; return the first response, the end, or a time-out after `seconds`.

    Responses to bytes behind the first request are not read.
    """
    pieces = list(pieces)
    methods = request_methods(b"".join(pieces))
    deadline = time.monotonic() + seconds
    with socket.create_connection((backend.host, backend.port), timeout=seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(connection, pieces, half_close=half_close)
        try:
            return _read(connection, methods, deadline)
        except ResponseError as error:
            return Exchange(bad_response=f"not a response: {error}")


def response(backend: RunningBackend, request: bytes) -> Response:
    """The response to a whole request. Fails when there is none."""
    outcome = converse(backend, [request])
    assert outcome.responses, f"{backend.name}: {outcome.failure or 'closed without a response'}"
    return outcome.responses[0]


def post(target: bytes, content_type: bytes, body: bytes) -> bytes:
    """A POST of `body` to `target`."""
    head = b"POST %s HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: wireproof\r\n" % target
    return b"%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (head, content_type, len(body), body)


def difference(one: Exchange, other: Exchange) -> str | None:
    """How two exchanges differ, or None. A time-out differs from everything else."""
    if bool(one.responses) != bool(other.responses) or one.closed != other.closed:
        return f"{_outcome(one)} and {_outcome(other)}"
    return one.failure or other.failure or first_difference(one, other)


def _outcome(exchange: Exchange) -> str:
    if exchange.responses:
        return f"status {exchange.responses[0].status}"
    return "closed" if exchange.closed else exchange.failure


def _send(connection: socket.socket, pieces: Iterable[bytes], *, half_close: bool) -> None:
    # A server that has refused the head may have closed; its response can still be read.
    with contextlib.suppress(OSError):
        for position, piece in enumerate(pieces):
            if position:
                time.sleep(_PAUSE_SECONDS)  # so that the server reads the pieces one by one
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)


def _read(connection: socket.socket, methods: tuple[bytes, ...], deadline: float) -> Exchange:
    received = b""
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            data = connection.recv(65536)
        except TimeoutError:
            break
        except OSError:
            data = b""
        received += data
        responses = read_responses(received, methods, ended=not data)
        if responses.complete:
            return Exchange(tuple(responses.complete[:1]), responses.continues)
        if not data and responses.unfinished:
            return Exchange(bad_response=f"{responses.unfinished} (the connection ended)")
        if not data:
            return Exchange(closed=True)
    return Exchange(no_response=TOO_LATE)
