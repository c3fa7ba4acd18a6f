"""Opens a stream through requests, as the post does; or, `whole`, as the post warns: without stream=True."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError

from ..http1.digest import Block
from ..http1.errors import Unreachable
from ..http1.request import Request, build_request
from ..http1.requests_adapter import WatchedAdapter
from ..http1.requests_transport import client_error, watched_session
from ..http1.response_parser import Response, ResponseError
from ..http1.streaming_parser import StreamingParser
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .streaming_response import StreamingResponse


@contextmanager
def open_live(call: Call, wire: Wire, whole: bool = False) -> Iterator[StreamingResponse]:
    """Send `call`; without `whole` the head of the answer is waited for, with it all of the answer.

    Raises UsageError for a call that makes no request, and Unreachable when there is no answer.
    """
    message = build_request(**call.arguments())
    # http.client forgives a head without an end and guesses lengths: our own reader hears all, and objects.
    reader = StreamingParser()
    wire.listen(lambda sent: None, lambda block: _check(reader, block))
    with watched_session(WatchedAdapter(wire)) as session:
        with _in_words(message, wire):
            reply = session.request(
                call.method,
                call.url,
                data=call.data,
                headers=dict(call.headers or {}),
                stream=not whole,
                timeout=wire.remaining,
                allow_redirects=False,
            )
        with reply:
            headers = tuple((name.lower(), value) for name, value in reply.raw.headers.items())
            pieces = iter([reply.content]) if whole else _pieces(reply, message, wire)
            yield StreamingResponse(Response(reply.status_code, headers, b""), pieces)


def _pieces(reply: requests.Response, message: Request, wire: Wire) -> Iterator[bytes]:
    """Chunk by chunk; without chunks, what has arrived."""
    chunked = "chunked" in reply.headers.get("transfer-encoding", "").lower()
    # Without chunks iter_content waits for as much as it was asked for.
    arrived = iter(lambda: reply.raw.read1(decode_content=True), b"")
    pieces = reply.iter_content(None) if chunked else arrived
    while True:
        with _in_words(message, wire):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _check(reader: StreamingParser, block: Block) -> None:
    reader.feed(bytes(block))


@contextmanager
def _in_words(message: Request, wire: Wire) -> Iterator[None]:
    """What can go wrong on the way, as Unreachable or UsageError."""
    try:
        yield
    except ResponseError as error:
        raise Unreachable(f"{message.url.authority}: {error}") from None
    except (requests.RequestException, HTTPError, TimeoutError) as error:
        raise client_error(error, message, wire) from None
