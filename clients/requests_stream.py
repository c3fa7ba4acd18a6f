"""Opens a stream through requests, as the post does; or, `whole`, as the post warns: without stream=True."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError

from clients.answers import Answer, AnswerError
from clients.digest import Block
from clients.errors import Unreachable
from clients.live_answer import AnswerReader
from clients.live_stream import LiveAnswer
from clients.message import Message, build_message
from clients.requests_upload import client_error, watched_session
from clients.requests_wire import WatchedAdapter
from clients.upload_call import Call
from clients.wire import Wire


@contextmanager
def open_live(call: Call, wire: Wire, whole: bool = False) -> Iterator[LiveAnswer]:
    """Send `call`; without `whole` the head of the answer is waited for, with it all of the answer.

    Raises UsageError for a call that makes no request, and Unreachable when there is no answer.
    """
    message = build_message(**call.arguments())
    # http.client forgives a head without an end and guesses lengths: our own reader hears all, and objects.
    reader = AnswerReader()
    wire.listen(lambda sent: None, lambda block: _check(reader, block))
    with watched_session(WatchedAdapter(wire)) as session:
        with _in_words(message, wire):
            response = session.request(
                call.method,
                call.url,
                data=call.data,
                headers=dict(call.headers or {}),
                stream=not whole,
                timeout=wire.remaining,
                allow_redirects=False,
            )
        with response:
            headers = tuple((name.lower(), value) for name, value in response.raw.headers.items())
            pieces = iter([response.content]) if whole else _pieces(response, message, wire)
            yield LiveAnswer(Answer(response.status_code, headers, b""), pieces)


def _pieces(response: requests.Response, message: Message, wire: Wire) -> Iterator[bytes]:
    """Chunk by chunk; without chunks, what has arrived."""
    chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
    # Without chunks iter_content waits for as much as it was asked for.
    arrived = iter(lambda: response.raw.read1(decode_content=True), b"")
    pieces = response.iter_content(None) if chunked else arrived
    while True:
        with _in_words(message, wire):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _check(reader: AnswerReader, block: Block) -> None:
    reader.receive(bytes(block))


@contextmanager
def _in_words(message: Message, wire: Wire) -> Iterator[None]:
    """What can go wrong on the way, as Unreachable or UsageError."""
    try:
        yield
    except AnswerError as error:
        raise Unreachable(f"{message.url.authority}: {error}") from None
    except (requests.RequestException, HTTPError, TimeoutError) as error:
        raise client_error(error, message, wire) from None
