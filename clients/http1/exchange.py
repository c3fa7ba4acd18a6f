"""Sends the bytes of a request on a connection of their own, split as asked, and reads all that comes back.

The write side is shut after the last byte, so that a server which misread where the request ends has nothing
to wait for. Many proxies take that for a client that has left. So after a request that is whole it is shut
when the response is there, or a second later. A response during the sending does not end the sending: a
server that misreads the end of the request may take the rest for a second request, and its second response
shows the fault.
"""

import itertools
import random
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .conversation import Conversation, connect
from .response_parser import Response, ResponseError, ResponseParser, Responses
from .wire import Wire

_SEGMENT_BYTES = 65536
# How long to wait for the peer's close, or for bytes that should not be there, after the last response.
_LINGER_SECONDS = 1.0
# How long a server has for the response to a whole request, before it learns that nothing more will come.
_OPEN_SECONDS = 1.0
EXCHANGE_SECONDS = 20.0
BYTEWISE_BYTES = 300
_REQUEST_LINE = re.compile(rb"([A-Z]+) [!-~]+ HTTP/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back for one request.

    `responses` are the complete final responses in order (usually one), `continues` counts the 1xx.
    `closed`: the connection ended without a byte of a final response. `no_response` says why nothing came (a
    refused connection, a time-out); `no_connection` is true when none could be made. `bad_response` says what
    is wrong with what came (a truncated or malformed response, a hash of other bytes than were sent).
    """

    responses: tuple[Response, ...] = ()
    continues: int = 0
    closed: bool = False
    no_response: str = ""
    bad_response: str = ""
    no_connection: bool = False

    @property
    def failure(self) -> str:
        """Why there is no complete and correct response, or empty. A close alone is no failure."""
        return self.no_response or self.bad_response


def whole(request: bytes) -> list[bytes]:
    """The request in one piece."""
    return [request]


def random_pieces(request: bytes, rng: random.Random) -> list[bytes]:
    """The request in 2 to 12 pieces, split at random."""
    if len(request) < 2:
        return [request]
    splits = rng.sample(range(1, len(request)), min(rng.randint(1, 11), len(request) - 1))
    return split_at(request, sorted(splits))


def split_at(request: bytes, offsets: Sequence[int]) -> list[bytes]:
    """The request in pieces that end at these offsets, and the rest of it."""
    edges = [0, *offsets, len(request)]
    return [request[start:end] for start, end in itertools.pairwise(edges)]


def bytewise(request: bytes, rng: random.Random) -> list[bytes]:
    """The request in pieces: `BYTEWISE_BYTES` of its bytes, at a random place, are a piece each."""
    start = rng.randint(0, max(0, len(request) - BYTEWISE_BYTES))
    end = start + BYTEWISE_BYTES
    singles = [request[at : at + 1] for at in range(start, min(end, len(request)))]
    return [piece for piece in (request[:start], *singles, request[end:]) if piece]


def request_methods(request: bytes, responses: int = 1) -> tuple[bytes, ...]:
    """The method of the request, or of each in a pipeline for several `responses`: HEAD's has no body.

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
    expected_responses: int = 1,
    seconds: float = EXCHANGE_SECONDS,
    pause: float = 0.0,
    is_whole: bool = False,
    tls: ssl.SSLContext | None = None,
    most_bytes: int | None = None,
) -> Exchange:
    """Send `pieces`, each in a segment of its own, shut the write side and read the responses.

    `is_whole`: a server has nothing to wait for after the last byte, so the write side is shut when the
    responses are there, or after a second. `tls` is the context of an https server.
    More than `most_bytes` are a bad response.

    Between two pieces it waits up to `pause` seconds for bytes of a response. A busy server may otherwise get
    several pieces in one read.

    Returns when the peer has closed, a moment after `expected_responses` are complete, or after `seconds`;
    never raises for what the peer does.
    """
    wire = Wire(seconds)
    parser = ResponseParser(methods)

    received = 0

    def feed(data: bytes) -> None:
        nonlocal received
        received += len(data)
        if most_bytes is not None and received > most_bytes:
            raise ResponseError(f"it has more than {most_bytes} bytes")
        parser.feed(data)
        if len(parser.responses.complete) >= expected_responses:
            wire.shorten(_LINGER_SECONDS)

    try:
        connection = connect(host, port, wire)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_hostname=host)
    except OSError as error:
        return Exchange(no_response=f"no connection: {error}", no_connection=True)
    with connection:
        connection.setblocking(False)
        conversation = Conversation(connection, wire, feed)
        stay_open = expected_responses if is_whole else 0
        return _converse(conversation, pieces, parser.responses, pause, stay_open)


def _converse(
    conversation: Conversation,
    pieces: Iterable[bytes],
    responses: Responses,
    pause: float,
    stay_open: int,
) -> Exchange:
    """Send and read until the peer closes or the time is over. Shut after `stay_open` responses."""
    try:
        if _send(conversation, pieces, pause):
            _await(conversation, responses, stay_open)
            conversation.shut()
        while not conversation.ended:
            conversation.receive()
    except ResponseError as error:
        return Exchange(bad_response=f"not a response: {error}")
    except TimeoutError:
        pass
    except OSError:
        return _outcome(responses, ended=True)
    return _outcome(responses, ended=conversation.ended)


def _await(conversation: Conversation, responses: Responses, count: int) -> None:
    """Read until there are `count` responses, for a second at most."""
    end = time.monotonic() + _OPEN_SECONDS
    while len(responses.complete) < count and not conversation.ended:
        left = end - time.monotonic()
        if left <= 0:
            return
        conversation.receive(left)


def _outcome(responses: Responses, *, ended: bool) -> Exchange:
    complete, continues = tuple(responses.complete), responses.continues
    if responses.unfinished:
        why = "the connection ended" if ended else "time-out"
        return Exchange(complete, continues, bad_response=f"{responses.unfinished} ({why})")
    if complete:
        return Exchange(complete, continues)
    if ended:
        return Exchange(continues=continues, closed=True)
    return Exchange(continues=continues, no_response="no response came in time")


def _send(conversation: Conversation, pieces: Iterable[bytes], pause: float) -> bool:
    """Send all pieces. Returns whether the peer took them."""
    for position, piece in enumerate(pieces):
        if position and pause and not conversation.ended:
            conversation.receive(pause)
        if not all(map(conversation.send, _segments(piece))):
            return False
    return True


def _segments(piece: bytes) -> Iterator[memoryview]:
    view = memoryview(piece)
    for start in range(0, len(view), _SEGMENT_BYTES):
        yield view[start : start + _SEGMENT_BYTES]
