"""Opens a stream with bytes made by hand on a socket: what one read gives is passed on before the next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from clients.answers import AnswerError
from clients.delivery import connect, reason, too_late
from clients.errors import Unreachable
from clients.live_answer import AnswerReader
from clients.live_stream import LiveAnswer
from clients.message import Message, build_message
from clients.upload_call import Call
from clients.wire import Wire

_RECEIVE_BYTES = 65536


@contextmanager
def open_live(call: Call, wire: Wire, whole: bool = False) -> Iterator[LiveAnswer]:
    """Send `call`, whose body is in memory, and wait for the head of the answer.

    Raises UsageError for a call that makes no request, and Unreachable when there is no answer.
    """
    message = build_message(**call.arguments())
    with _in_words(message, wire):
        connection = connect(message.url, wire)
    with connection:
        connection.settimeout(None)  # it blocks, and the wire sees to the deadline at every step
        reader = AnswerReader()
        with _in_words(message, wire):
            _send(connection, message)
            first = _read_head(connection, reader)
        assert reader.head is not None
        pieces = _pieces(connection, reader, first, message, wire)
        yield LiveAnswer(reader.head, iter([b"".join(pieces)]) if whole else pieces)


def _send(connection: socket.socket, message: Message) -> None:
    # A server that refuses early has answered, and takes no more: what it said is read next.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(message.head() + b"".join(message.blocks()))


def _read_head(connection: socket.socket, reader: AnswerReader) -> bytes:
    """Read until the head is complete; return what came of the body with it."""
    body = b""
    while reader.head is None:
        body = reader.receive(connection.recv(_RECEIVE_BYTES))
    return body


def _pieces(
    connection: socket.socket, reader: AnswerReader, first: bytes, message: Message, wire: Wire
) -> Iterator[bytes]:
    if first:
        yield first
    while not reader.complete:
        with _in_words(message, wire):
            piece = reader.receive(connection.recv(_RECEIVE_BYTES))
        if piece:
            yield piece


@contextmanager
def _in_words(message: Message, wire: Wire) -> Iterator[None]:
    """What can go wrong on the way, as Unreachable."""
    peer = message.url.authority
    try:
        yield
    except AnswerError as error:
        raise Unreachable(f"{peer}: {error}") from None
    except TimeoutError as error:
        raise too_late(message.url, wire, error) from None
    except OSError as error:
        raise Unreachable(f"no answer from {peer}: {reason(error)}") from None
