"""Opens a stream with bytes made by hand on a socket: what one read gives is passed on before the next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..http1.errors import Unreachable
from ..http1.request import Request, build_request
from ..http1.response_parser import ResponseError
from ..http1.socket_transport import connect, reason, too_late
from ..http1.streaming_parser import StreamingParser
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .streaming_response import StreamingResponse

_RECEIVE_BYTES = 65536


@contextmanager
def open_live(call: Call, wire: Wire, whole: bool = False) -> Iterator[StreamingResponse]:
    """Send `call`, whose body is in memory, and wait for the head of the answer.

    Raises UsageError for a call that makes no request, and Unreachable when there is no answer.
    """
    message = build_request(**call.arguments())
    with _in_words(message, wire):
        connection = connect(message.url, wire)
    with connection:
        connection.settimeout(None)  # it blocks, and the wire sees to the deadline at every step
        reader = StreamingParser()
        with _in_words(message, wire):
            _send(connection, message)
            first = _read_head(connection, reader)
        assert reader.head is not None
        pieces = _pieces(connection, reader, first, message, wire)
        yield StreamingResponse(reader.head, iter([b"".join(pieces)]) if whole else pieces)


def _send(connection: socket.socket, message: Request) -> None:
    # A server that refuses early has answered, and takes no more: what it said is read next.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(message.head() + b"".join(message.blocks()))


def _read_head(connection: socket.socket, reader: StreamingParser) -> bytes:
    """Read until the head is complete; return what came of the body with it."""
    body = b""
    while reader.head is None:
        body = reader.feed(connection.recv(_RECEIVE_BYTES))
    return body


def _pieces(
    connection: socket.socket, reader: StreamingParser, first: bytes, message: Request, wire: Wire
) -> Iterator[bytes]:
    if first:
        yield first
    while not reader.complete:
        with _in_words(message, wire):
            piece = reader.feed(connection.recv(_RECEIVE_BYTES))
        if piece:
            yield piece


@contextmanager
def _in_words(message: Request, wire: Wire) -> Iterator[None]:
    """What can go wrong on the way, as Unreachable."""
    peer = message.url.authority
    try:
        yield
    except ResponseError as error:
        raise Unreachable(f"{peer}: {error}") from None
    except TimeoutError as error:
        raise too_late(message.url, wire, error) from None
    except OSError as error:
        raise Unreachable(f"no answer from {peer}: {reason(error)}") from None
