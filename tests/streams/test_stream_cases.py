"""Live streams in the comparison: equal sequences, and a difference when they do not come live."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from clients.comparison.cases import Case
from clients.comparison.stream_cases import (
    LIVE_STREAMS,
    LiveExchange,
    load_stream_cases,
    send_stream,
    with_gaps,
)
from clients.comparison.verdicts import Result, Sending, Verdict, evaluate
from tests.http1.recording_server import CHUNKED, HOST, LAST_CHUNK, Steps, chunk, playing, recording

NAME = "live-stream"
# Shorter than the real case: what is held back is asked for four times.
STREAM = replace(LIVE_STREAMS[NAME], delay=0.05)
EVENTS = [b'data: {"chunk": "%c"}\n\n' % character for character in b"echo this"]
LIVE: Steps = [CHUNKED, *[step for event in EVENTS for step in (chunk(event), STREAM.delay)], LAST_CHUNK]
HELD_BACK: Steps = [9 * STREAM.delay, CHUNKED, chunk(b"".join(EVENTS)), LAST_CHUNK]
IN_PAIRS: Steps = [
    CHUNKED,
    *[step for at in range(0, 9, 2) for step in (chunk(b"".join(EVENTS[at : at + 2])), 2 * STREAM.delay)],
    LAST_CHUNK,
]


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setitem(LIVE_STREAMS, NAME, STREAM)
    (case,) = load_stream_cases(NAME)
    return case


def sent_to(script: Steps) -> list[Sending]:
    with recording(playing(script)) as server:
        return send_stream(NAME, HOST, server.port)


def results(case: Case, **scripts: Steps) -> Mapping[str, Result]:
    sendings = {name: sent_to(script) for name, script in scripts.items()}
    judged = evaluate(case, sendings, {})
    return {result.backend: with_gaps(result, sendings[result.backend]) for result in judged}


def test_equal_live_streams_are_equal_and_their_gaps_are_reported(case: Case) -> None:
    for result in results(case, one=LIVE, other=LIVE).values():
        assert result.verdict is Verdict.EQUAL, result.evidence
        assert result.detail.startswith("first event 0.0")
        assert ", gaps 0.0" in result.detail


@pytest.mark.parametrize("script", [HELD_BACK, IN_PAIRS], ids=["held-back", "in-pairs"])
def test_a_stream_that_does_not_come_live_differs_though_its_events_are_equal(
    case: Case, script: Steps
) -> None:
    judged = results(case, one=LIVE, other=script)
    assert judged["one"].verdict is Verdict.EQUAL
    assert judged["other"].verdict is Verdict.DIFFERENT
    assert "buffered on the way" in judged["other"].detail


def test_other_events_are_a_difference(case: Case) -> None:
    wrong = [step.replace(b'"h"', b'"H"') if isinstance(step, bytes) else step for step in LIVE]
    judged = results(case, one=LIVE, other=wrong)
    assert judged["other"].verdict is Verdict.DIFFERENT
    assert "events[2].chunk: expected 'h', got 'H'" in judged["other"].detail


def test_a_stream_that_breaks_off_is_a_difference(case: Case) -> None:
    judged = results(case, one=LIVE, other=LIVE[:5])
    assert judged["other"].verdict is Verdict.DIFFERENT
    assert "closed the connection in the middle of its response" in judged["other"].detail


def test_a_refusal_is_a_difference(case: Case) -> None:
    response = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"
    judged = results(case, one=LIVE, other=[response])
    assert (judged["other"].verdict, judged["other"].status) == (Verdict.DIFFERENT, 404)


def test_a_first_event_that_comes_when_the_last_is_made_is_late(case: Case) -> None:
    responses = sent_to(LIVE)[0].exchange.responses
    times = tuple(0.4 + 0.05 * event for event in range(9))
    assert case.expect.faults(LiveExchange(responses, times=times)) == [
        "the first event came after 0.400 s, when the last could have been made"
    ]


def test_both_clients_send_the_same_body_and_host_to_any_address(case: Case) -> None:
    with recording(playing(LIVE)) as server:
        send_stream(NAME, HOST, server.port)
        one, other = server.requests
    for request in (one, other):
        assert b"\r\nHost: localhost:8000\r\n" in request
        assert request.endswith(b'\r\n\r\n{"query": "echo this", "delay": 0.05}')
