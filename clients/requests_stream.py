"""Opens a stream through requests, as the post does; or, `whole`, as the post warns: without stream=True."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError

from clients.answers import Answer
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
    """Chunk by chunk. Without chunks urllib3 waits for as much as it was asked for: so, one byte."""
    chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
    pieces = response.iter_content(None if chunked else 1)
    while True:
        with _in_words(message, wire):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


@contextmanager
def _in_words(message: Message, wire: Wire) -> Iterator[None]:
    """What can go wrong on the way, as Unreachable or UsageError."""
    try:
        yield
    except (requests.RequestException, HTTPError, TimeoutError) as error:
        raise client_error(error, message, wire) from None
