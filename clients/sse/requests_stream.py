"""Opens a stream through requests with stream=True, or without it, as a careless client does (`whole`)."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError

from ..http1.digest import Block
from ..http1.incoming_response import IncomingResponse
from ..http1.request import Request, build_request
from ..http1.requests_adapter import WatchedAdapter
from ..http1.requests_transport import client_error, watched_session
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .streaming_response import StreamingResponse


@contextmanager
def open_stream(call: Call, wire: Wire, whole: bool = False) -> Iterator[StreamingResponse]:
    """Send `call`, and wait for the head of the response, or with `whole` for all of it.

    Raises UsageError for a call that does not make a request, and Unreachable when there is no response.
    """
    request = build_request(**call.arguments())
    # http.client accepts a head without an end and guesses lengths. The strict parser gets every byte too.
    incoming = IncomingResponse(request, wire, streamed=True)
    wire.listen(lambda block: _check(incoming, block))
    with watched_session(WatchedAdapter(wire)) as session:
        with _in_words(request, wire):
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
            pieces = iter([reply.content]) if whole else _pieces(reply, request, wire)
            yield StreamingResponse(Response(reply.status_code, headers, b""), pieces)


def _pieces(reply: requests.Response, request: Request, wire: Wire) -> Iterator[bytes]:
    """Chunk by chunk; without chunks, what has arrived."""
    chunked = "chunked" in reply.headers.get("transfer-encoding", "").lower()
    # Without chunks iter_content waits for as much as it was asked for.
    arrived = iter(lambda: reply.raw.read1(decode_content=True), b"")
    pieces = reply.iter_content(None) if chunked else arrived
    while True:
        with _in_words(request, wire):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _check(incoming: IncomingResponse, block: Block) -> None:
    """Raise Unreachable for what is not a response, and for an end in the middle of one."""
    incoming.feed(block)
    incoming.parser.take_body()
    incoming.final()


@contextmanager
def _in_words(request: Request, wire: Wire) -> Iterator[None]:
    """Raises what can go wrong on the way as Unreachable or UsageError."""
    try:
        yield
    except (requests.RequestException, HTTPError, TimeoutError) as error:
        raise client_error(error, request, wire) from None
