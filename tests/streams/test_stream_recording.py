"""Both readers against scripted servers: OpenAI's style and Qwen's, whole and broken."""

import json
import threading
import time

import pytest

from clients.http1.errors import ClientError, Unreachable
from clients.http1.wire import Wire
from clients.sse.classification import StreamKind, classify_stream
from clients.sse.event_stream import Comment, Event
from clients.sse.stream_recording import Arrival, StreamRecording, record
from clients.sse.streaming_response import OpenStream
from clients.stream import CLIENTS, stream_call
from tests.http1.recording_server import (
    CHUNKED,
    LAST_CHUNK,
    UNTIL_CLOSE,
    Peer,
    Steps,
    chunk,
    playing,
    recording,
)
from tests.patience import patient

PAUSE = 0.1
WORDS = ["", "echo", " ", "this"]
CHUNKS = [json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}) for word in WORDS]
OPENAI = [f"data: {item}\n\n".encode() for item in (*CHUNKS, "[DONE]")]
QWEN = [f"data: {item}\r\n\r\n".encode() for item in (*CHUNKS, "[DONE]")]
PING = b": ping - 2026-01-01 00:00:00.000000+00:00\r\n\r\n"


def paused(pieces: list[bytes], pause: float = PAUSE) -> list[bytes | float]:
    steps: list[bytes | float] = []
    for piece in pieces:
        steps += [piece, pause]
    return steps[:-1]


def received(
    script: Steps, client: OpenStream, *, whole: bool = False, seconds: float = 10.0
) -> StreamRecording:
    with recording(playing(script)) as server:
        return record(stream_call(server.url + "/stream_echo", "{}"), client, whole=whole, max_time=seconds)


STYLES: dict[str, Steps] = {
    "openai": [CHUNKED, *paused([chunk(event) for event in OPENAI]), LAST_CHUNK],
    "qwen": [CHUNKED, *paused([chunk(event) for event in QWEN]), LAST_CHUNK],
    "until-close": [UNTIL_CLOSE, *paused(OPENAI)],
    "qwen-until-close": [UNTIL_CLOSE, *paused(QWEN)],
    "line-and-end-apart": [
        CHUNKED,
        *paused([chunk(event[:-2]) + chunk(event[-2:]) for event in OPENAI]),
        LAST_CHUNK,
    ],
    "chunk-in-two-segments": [
        CHUNKED,
        *paused([part for event in OPENAI for part in (chunk(event)[:9], chunk(event)[9:])], PAUSE / 2),
        LAST_CHUNK,
    ],
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_the_same_events_one_by_one(client: OpenStream, style: str) -> None:
    recorded = received(STYLES[style], client)
    assert [event.data for event in recorded.events] == [*CHUNKS, "[DONE]"]
    assert recorded.broken is None
    assert not recorded.unfinished
    assert classify_stream(recorded.times).kind in (StreamKind.REAL, StreamKind.UNDECIDED)
    assert recorded.times[0] < recorded.times[-1] - 3 * PAUSE


def test_pings_are_comments_and_no_events(client: OpenStream) -> None:
    pieces = [chunk(piece) for piece in (PING, QWEN[0], PING, QWEN[-1], PING)]
    recorded = received([CHUNKED, *pieces, LAST_CHUNK], client)
    kinds = [type(arrival.item) for arrival in recorded.arrivals]
    assert kinds == [Comment, Event, Comment, Event, Comment]


def test_a_server_that_sends_pairs_is_found_out(client: OpenStream) -> None:
    """As haproxy does without `option http-no-delay`."""
    pairs = paused([chunk(b"".join(OPENAI[at : at + 2])) for at in (0, 2, 4)], 0.3)
    recorded = received([CHUNKED, *pairs, LAST_CHUNK], client)
    assert len(recorded.events) == 5
    assert classify_stream(recorded.times).kind is StreamKind.BUFFERED


def test_a_response_held_back_to_the_end_is_found_out(client: OpenStream) -> None:
    body = b"".join(OPENAI)
    sized = CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(body))
    recorded = received([0.6, sized + body], client)
    assert len(recorded.events) == 5
    assert classify_stream(recorded.times).kind is StreamKind.BUFFERED


def test_reading_the_whole_first_gives_all_events_at_the_end(
    client: OpenStream,
) -> None:
    recorded = received(STYLES["openai"], client, whole=True)
    assert [event.data for event in recorded.events] == [*CHUNKS, "[DONE]"]
    assert len(set(recorded.times)) == 1
    assert recorded.times[0] > 3.5 * PAUSE  # the pauses begin before the head has arrived
    assert recorded.first_byte < patient(PAUSE)
    assert recorded.reads >= 5
    assert classify_stream(recorded.times, read_whole=recorded.read_whole).kind is StreamKind.PSEUDO


@pytest.mark.parametrize(
    "end",
    [b"", b"5\r\nda", b"zz\r\n"],
    ids=["between-chunks", "in-a-chunk", "no-chunk-size"],
)
def test_a_stream_that_breaks_off_says_so_after_the_events_that_came(client: OpenStream, end: bytes) -> None:
    recorded = received([CHUNKED, chunk(OPENAI[0]), 0.05, end], client)
    assert [event.data for event in recorded.events] == CHUNKS[:1]
    assert isinstance(recorded.broken, Unreachable)


def test_a_stream_that_goes_on_is_left_at_the_time_limit(client: OpenStream) -> None:
    recorded = received([CHUNKED, chunk(OPENAI[0]), 0.8], client, seconds=0.3)
    assert [event.data for event in recorded.events] == CHUNKS[:1]
    assert recorded.broken is not None
    assert str(recorded.broken) == "the stream had not ended after 0.3 s"
    assert recorded.broken.exit_status == 3


def test_an_unfinished_event_at_the_end_counts_for_nothing(client: OpenStream) -> None:
    recorded = received([CHUNKED, chunk(OPENAI[0]), chunk(b"data: 1\n"), LAST_CHUNK], client)
    assert (len(recorded.events), recorded.unfinished, recorded.broken) == (1, True, None)


@pytest.mark.parametrize(
    "script",
    [[0.01], [b"SSH-2.0-x\r\n\r\n"]],
    ids=["closed", "no-http"],
)
def test_no_response_at_all_is_an_error(client: OpenStream, script: Steps) -> None:
    with pytest.raises(Unreachable):
        received(script, client)


def test_no_missing_end_is_forgiven(client: OpenStream) -> None:
    """http.client, which requests reads with, forgives them all."""
    recorded = received([CHUNKED, chunk(OPENAI[0]), 0.05, b"0\r\n"], client)
    assert len(recorded.events) == 1
    assert isinstance(recorded.broken, Unreachable)
    for head in (b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\n", CHUNKED[:-2]):
        with pytest.raises(Unreachable, match="its response: the response's head is not complete"):
            received([head], client)


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: abc", b"Content-Length: -1", b"Transfer-Encoding: chunked\r\nContent-Length: 3"],
)
def test_no_length_is_guessed(client: OpenStream, framing: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + framing + b"\r\n\r\n"
    with pytest.raises(Unreachable):
        received([head], client)


def test_interim_responses_are_not_the_final_one(client: OpenStream) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    recorded = received([interim, CHUNKED, chunk(OPENAI[0]), LAST_CHUNK], client)
    assert recorded.is_event_stream
    assert len(recorded.events) == 1


@pytest.mark.parametrize("head", [CHUNKED, UNTIL_CLOSE], ids=["chunks", "until-close"])
def test_the_time_that_showing_takes_does_not_count(client: OpenStream, head: bytes) -> None:
    """Showing a burst takes half a second, which its times do not have; what comes later has its own time."""
    burst = [piece if head is UNTIL_CLOSE else chunk(piece) for piece in OPENAI[:1] * 100]
    sent, shown = threading.Event(), threading.Semaphore(0)
    showing: list[tuple[float, float]] = []

    def show(arrival: Arrival) -> None:
        began = time.monotonic()
        assert sent.wait(timeout=60)  # so that no read has to wait for the rest of the burst
        time.sleep(0.005)
        showing.append((began, time.monotonic()))
        shown.release()

    def script(peer: Peer) -> None:
        peer.read_request()
        for piece in (head, *burst):
            peer.send(piece)
        sent.set()
        assert all(shown.acquire(timeout=60) for _ in burst)
        time.sleep(0.5)  # not a time of showing
        peer.send(burst[0])
        if head is CHUNKED:
            peer.send(LAST_CHUNK)

    with recording(script) as server:
        recorded = record(stream_call(server.url + "/stream_echo", "{}"), client, on_arrival=show)
    assert len(recorded.events) == 101
    shown_in_burst = sum(end - began for began, end in showing[:99])
    assert shown_in_burst >= 0.49
    took = showing[99][0] - showing[0][0]
    assert recorded.times[99] - recorded.times[0] <= took - shown_in_burst + 0.001
    assert recorded.times[100] - recorded.times[99] >= 0.49


def test_a_response_until_the_close_is_not_read_byte_by_byte() -> None:
    open_stream = CLIENTS["requests"]
    with (
        recording(playing([UNTIL_CLOSE, OPENAI[0] * 100])) as server,
        open_stream(stream_call(server.url + "/stream_echo", "{}"), Wire(), False) as live,
    ):
        assert sum(1 for _ in live.pieces) < 20


def test_silence_ends_at_the_time_limit(client: OpenStream) -> None:
    with pytest.raises(ClientError) as raised:
        received([0.8], client, seconds=0.3)
    assert raised.value.exit_status == 3


def test_a_response_that_is_not_an_event_stream_is_read_whole(client: OpenStream) -> None:
    response = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\n\r\nabc"
    recorded = received([response], client)
    assert (recorded.response.status, recorded.response.body) == (404, b"abc")
    assert not recorded.is_event_stream
    assert recorded.events == ()


def test_the_request_is_the_same_from_both_clients_but_for_what_each_calls_itself() -> None:
    bodies = {}
    for name, open_stream in CLIENTS.items():
        with recording(playing([CHUNKED, LAST_CHUNK])) as server:
            record(stream_call(server.url + "/stream_echo", '{"query":"a"}', "secret"), open_stream)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /stream_echo HTTP/1.1"
        for line in (b"Accept: text/event-stream", b"Authorization: Bearer secret", b"Content-Length: 13"):
            assert line in lines, name
        assert b"Content-Type: application/json" in lines
        bodies[name] = body
    assert set(bodies.values()) == {b'{"query":"a"}'}


def test_each_arrival_is_told_before_the_next_one_was_sent(client: OpenStream) -> None:
    shown: list[Arrival] = []
    with recording(playing(STYLES["qwen"])) as server:
        recorded = record(stream_call(server.url + "/stream_echo", "{}"), client, on_arrival=shown.append)
    assert tuple(shown) == recorded.arrivals
