"""Live streams in the comparison: every backend must send the same events, and each event at once.

A recorded request says nothing about time. Both stream clients read a live case while the backend makes it.
The case expects its events and also that they were a real stream.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise

from ..http1.errors import BadResponse, ClientError, UploadFailed
from ..http1.exchange import EXCHANGE_SECONDS, Exchange
from ..http1.request import build_request
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..sse import requests_stream, socket_stream
from ..sse.classification import StreamKind, classify_stream
from ..sse.event_stream import Event
from ..sse.stream_recording import record
from ..sse.streaming_response import OpenStream
from .cases import Case, tier_of
from .expectation import Expectation, ExpectedResponse
from .verdicts import Result, Sending

CLIENT = "stream"
READERS: dict[str, OpenStream] = {
    "socket": socket_stream.open_stream,
    "requests": requests_stream.open_stream,
}
# A busy machine may delay events once; a server or proxy that buffers delays them every time.
ATTEMPTS = 2
_RULES = ("S7", "S10")
_HOST = "localhost:8000"


@dataclass(frozen=True, slots=True)
class LiveStream:
    """One live case: `query` goes to `/stream_echo`, which pauses for `delay` seconds after each event."""

    title: str
    query: str
    delay: float

    def call(self, authority: str) -> Call:
        """The request, with the same bytes whatever the address."""
        body = json.dumps({"query": self.query, "delay": self.delay}).encode("ascii")
        headers = {"Host": _HOST, "User-Agent": "wireproof", "Content-Type": "application/json"}
        return Call("POST", f"http://{authority}/stream_echo", data=body, headers=headers)

    def expect(self) -> LiveExpectation:
        """One event for each character, in a real stream."""
        events = [{"chunk": character} for character in self.query]
        headers = {"Content-Type": "text/event-stream"}
        return LiveExpectation((ExpectedResponse(200, headers=headers, events=events),), delay=self.delay)


LIVE_STREAMS = {
    "live-stream": LiveStream(
        "The stream of the blog post: nine events; the first arrives before the last is made.",
        "echo this",
        0.1,
    ),
    "live-stream-beyond-ascii": LiveStream(
        "A character beyond ASCII is one event too, and arrives alone.", "h\u00e9\u6f22\U0001f600!", 0.1
    ),
}


@dataclass(frozen=True, slots=True)
class LiveExchange(Exchange):
    """An exchange that was read live: `times` are those of its events, in seconds since the request."""

    times: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveExpectation(Expectation):
    """Expects also a real stream: its first event arrived before the server could have made the last one.

    `delay` is the pause between two events, in seconds.
    """

    delay: float = 0.0

    def faults(self, exchange: Exchange, *, head: bool = False) -> list[str]:
        """What is not as expected, in order; empty when all is."""
        faults = Expectation.faults(self, exchange, head=head)
        if isinstance(exchange, LiveExchange) and not faults:
            faults += self.late(exchange.times)
        return faults

    def late(self, times: Sequence[float]) -> Iterator[str]:
        """Why these are not the times of a real stream."""
        classified = classify_stream(times, delay=self.delay)
        if classified.kind is not StreamKind.REAL:
            yield f"{classified.kind}: {'; '.join(classified.evidence)}"
        elif times[0] >= (len(times) - 1) * self.delay:
            yield f"the first event came after {times[0]:.3f} s, when the last could have been made"


def load_stream_cases(pattern: str = "*") -> list[Case]:
    """The live cases whose name matches the glob `pattern`."""
    return [
        Case(
            name=name,
            title=stream.title,
            rules=_RULES,
            tier=tier_of(_RULES, name),
            request=_wire_bytes(stream.call(_HOST)),
            expect=stream.expect(),
            client=CLIENT,
        )
        for name, stream in sorted(LIVE_STREAMS.items())
        if fnmatchcase(name, pattern)
    ]


def send_stream(name: str, host: str, port: int) -> list[Sending]:
    """Read a live stream with each client; never raises for what the backend does."""
    stream = LIVE_STREAMS[name]
    return [
        Sending(f"for the {reader} client to read", _read(stream, f"{host}:{port}", open_stream))
        for reader, open_stream in READERS.items()
    ]


def with_gaps(result: Result, sendings: Iterable[Sending]) -> Result:
    """The result with the times of the events as its detail, when it has no other detail.

    The first event is that of the client which got it later.
    """
    times = [sending.exchange.times for sending in sendings if isinstance(sending.exchange, LiveExchange)]
    gaps = [later - earlier for of_one in times for earlier, later in pairwise(of_one)]
    if not gaps or result.detail:
        return result
    first = max(of_one[0] for of_one in times if of_one)
    middle = f"{statistics.median(gaps):.3f} s ({min(gaps):.3f} to {max(gaps):.3f})"
    return replace(result, detail=f"first event {first:.3f} s, gaps {middle}")


def _read(stream: LiveStream, authority: str, open_stream: OpenStream) -> Exchange:
    for _ in range(ATTEMPTS):
        exchange = _read_once(stream.call(authority), open_stream)
        late = isinstance(exchange, LiveExchange) and any(stream.expect().late(exchange.times))
        if not late:
            break
    return exchange


def _read_once(call: Call, open_stream: OpenStream) -> Exchange:
    try:
        recording = record(call, open_stream, max_time=EXCHANGE_SECONDS)
    except (BadResponse, UploadFailed) as error:
        return Exchange(bad_response=str(error))
    except ClientError as error:
        return Exchange(no_response=str(error))
    if recording.broken is not None:
        return Exchange(bad_response=str(recording.broken))
    response = recording.response
    if not recording.is_event_stream:
        return Exchange((response,))
    body = b"".join(_as_bytes(event) for event in recording.events)
    return LiveExchange((Response(response.status, response.headers, body),), times=recording.times)


def _as_bytes(event: Event) -> bytes:
    """The event in a fixed spelling. Recorded cases check the spelling of the server."""
    lines = [f"data: {line}" for line in event.data.split("\n")]
    if event.type != "message":
        lines.insert(0, f"event: {event.type}")
    if event.id:
        lines.insert(0, f"id: {event.id}")
    return "\n".join((*lines, "", "")).encode()


def _wire_bytes(call: Call) -> bytes:
    request = build_request(**call.arguments())
    return request.head() + b"".join(map(bytes, request.blocks()))
