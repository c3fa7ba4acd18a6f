"""Records a stream: when each event could be read, and when its bytes came on the wire."""

from collections.abc import Callable
from dataclasses import dataclass

from ..http1.errors import ClientError, Unreachable, UploadFailed
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .event_stream import Event, EventStreamError, EventStreamParser, Item
from .streaming_response import OpenStream, StreamingResponse, WireTimes

MAX_BODY_BYTES = 64 << 20
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event or a comment, and when it could be read, in seconds since the request had been sent."""

    item: Item
    at: float


@dataclass(frozen=True, slots=True)
class StreamRecording:
    """All that came. Times are in seconds since the request had been sent.

    `response` has no body when it is an event stream; any other response is read whole. `arrivals` are the
    events and comments. `first_byte` and `last_byte` are the times on the wire, and `reads` counts how often
    bytes came. `read_whole`: the client asked for the whole body first. `unfinished`: the stream ended
    inside an event, which is discarded. `broken` says why the stream did not come to its end.
    """

    response: Response
    arrivals: tuple[Arrival, ...] = ()
    first_byte: float = 0.0
    last_byte: float = 0.0
    reads: int = 0
    read_whole: bool = False
    unfinished: bool = False
    broken: ClientError | None = None

    @property
    def is_event_stream(self) -> bool:
        """Whether the response has a status 2xx and the type of an event stream."""
        return _is_event_stream(self.response)

    @property
    def events(self) -> tuple[Event, ...]:
        """The events in order."""
        return tuple(arrival.item for arrival in self.arrivals if isinstance(arrival.item, Event))

    @property
    def times(self) -> tuple[float, ...]:
        """When each of `events` came."""
        return tuple(arrival.at for arrival in self.arrivals if isinstance(arrival.item, Event))


def record(
    call: Call,
    open_stream: OpenStream,
    *,
    whole: bool = False,
    max_time: float | None = None,
    on_arrival: Callable[[Arrival], object] = lambda arrival: None,
) -> StreamRecording:
    """Send `call` and read the stream to its end; `on_arrival` gets each event and comment as it comes.

    Raises UsageError for a call that does not make a request, and Unreachable when there is no response. The
    recording of a stream that breaks off, or does not end within `max_time` seconds, has `broken` set.
    """
    times = WireTimes(max_time)
    parser = EventStreamParser()
    arrivals: list[Arrival] = []
    broken: ClientError | None = None
    with open_stream(call, times.wire, whole) as streaming:
        response = streaming.head if _is_event_stream(streaming.head) else _read_whole(streaming)
        try:
            for piece in streaming.pieces:  # after a response that is not a stream there are none left
                at = times.piece_came()
                for item in parser.feed(piece):
                    arrivals.append(Arrival(item, at))
                    on_arrival(arrivals[-1])
                times.piece_shown()
        except Unreachable as error:
            broken = _why_broken(error, times.wire)
        except EventStreamError as error:
            broken = UploadFailed(str(error))
        return StreamRecording(
            response,
            tuple(arrivals),
            times.since_sent(times.first_at),
            times.since_sent(times.last_at),
            times.reads,
            whole,
            parser.unfinished,
            broken,
        )


def _why_broken(error: Unreachable, wire: Wire) -> Unreachable:
    """After the time limit the response is there, and only its end is missing."""
    try:
        wire.remaining  # noqa: B018  # raises when the time is over
    except TimeoutError:
        return Unreachable(f"the stream had not ended after {wire.max_time:g} s")
    return error


def _read_whole(streaming: StreamingResponse) -> Response:
    body = bytearray()
    for piece in streaming.pieces:
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise UploadFailed(f"the response is larger than {MAX_BODY_BYTES >> 20} MiB")
    return Response(streaming.head.status, streaming.head.headers, bytes(body))


def _is_event_stream(response: Response) -> bool:
    media_type = (response.header("content-type") or "").partition(";")[0]
    return 200 <= response.status < 300 and media_type.strip(" \t").lower() == EVENT_STREAM
