"""Streams are compared and expected event by event."""

import pytest

from clients.comparison.equality import first_difference
from clients.comparison.expectation import Expectation
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response
from clients.sse.event_values import event_values

ABC = b'data: {"chunk": "a"}\n\ndata: {"chunk": "b", "n": 1}\n\ndata: [DONE]\n\n'


def stream(body: bytes) -> Exchange:
    return Exchange((Response(200, (("content-type", "text/event-stream"),), body),))


def test_an_event_is_its_data_and_an_object_when_it_has_a_type_or_an_id() -> None:
    body = b"data: 1\n\n: ping\n\ndata: [DONE]\n\nevent: t\ndata: {}\n\nid: 7\ndata: x\n\ndata: unfinished\n"
    assert event_values(body) == [
        1,
        "[DONE]",
        {"data": {}, "event": "t", "id": ""},
        {"data": "x", "event": "message", "id": "7"},
    ]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (ABC, None),
        (ABC.replace(b'"b"', b'"c"'), "event[1].chunk: 'b' and 'c'"),
        (ABC.replace(b"[DONE]", b"DONE"), "event[2]: '[DONE]' and 'DONE'"),
        (ABC.partition(b"data: [")[0], "number of events: 3 and 2"),
        (ABC.replace(b"\n", b"\r\n"), "body, byte 20: "),
    ],
    ids=["equal", "value", "text", "number", "line-ends"],
)
def test_the_first_event_that_differs_is_named(other: bytes, difference: str | None) -> None:
    found = first_difference(stream(ABC), stream(other))
    assert found == difference or (difference is not None and (found or "").startswith(difference))


@pytest.mark.parametrize(
    ("events", "faults"),
    [
        ([{"chunk": "a"}, {"chunk": "b"}, "[DONE]"], []),
        ([{"chunk": "a"}, {"chunk": "c"}, "[DONE]"], ["events[1].chunk: expected 'c', got 'b'"]),
        ([{"chunk": "a"}, {"n": 1, "m": 2}, "[DONE]"], ["events[1].m: expected 2, got nothing"]),
    ],
)
def test_expected_events_match_as_subsets_in_order(events: list[object], faults: list[str]) -> None:
    assert Expectation.parse({"status": 200, "events": events}).faults(stream(ABC)) == faults


@pytest.mark.parametrize("events", [[], [{"chunk": "a"}], [{"chunk": "a"}, {"chunk": "b"}, "[DONE]", {}]])
def test_another_number_of_events_is_a_fault(events: list[object]) -> None:
    (fault,) = Expectation.parse({"status": 200, "events": events}).faults(stream(ABC))
    assert f"expected {len(events)} entries, got 3" in fault
