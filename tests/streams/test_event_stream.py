"""The parser of Server-Sent Events: the WHATWG's rules one by one, and every case in every split."""

import itertools
import random

import pytest

from clients.sse import event_stream
from clients.sse.event_stream import Comment, Event, EventStreamError, EventStreamParser, Item

CASES: dict[str, tuple[bytes, list[Item]]] = {
    "one-event": (b"data: a\n\n", [Event("a")]),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
    "cr": (b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
    "mixed-line-ends": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\r", [Event(c) for c in "abcd"]),
    "lines-are-joined-with-lf": (b"data: a\ndata: b\r\ndata\n\n", [Event("a\nb\n")]),
    "one-blank-after-the-colon-goes": (b"data:a\n\ndata:  a \n\n", [Event("a"), Event(" a ")]),
    "a-tab-is-no-blank": (b"data:\ta\n\n", [Event("\ta")]),
    "data-without-a-colon-is-empty-data": (b"data\n\ndata\ndata\n\n", [Event(""), Event("\n")]),
    "data-with-an-empty-value": (b"data:\n\n", [Event("")]),
    "a-colon-in-the-value": (b'data: {"a":1}\n\n', [Event('{"a":1}')]),
    "no-data-no-event": (b"event: a\n\n\n\ndata: b\n\n", [Event("b")]),
    "event-type-holds-once": (b"event: a\ndata: 1\n\ndata: 2\n\n", [Event("1", "a"), Event("2")]),
    "the-last-event-type-wins": (b"event: a\nevent: b\ndata: 1\n\n", [Event("1", "b")]),
    "an-empty-event-type-is-message": (b"event:\ndata: 1\n\n", [Event("1")]),
    "id-holds-on": (b"id: 7\ndata: 1\n\ndata: 2\n\n", [Event("1", id="7"), Event("2", id="7")]),
    "an-empty-id-resets": (b"id: 7\ndata: 1\n\nid\ndata: 2\n\n", [Event("1", id="7"), Event("2")]),
    "an-id-with-nul-is-ignored": (
        b"id: 7\ndata: 1\n\nid: 8\0\ndata: 2\n\n",
        [Event("1", id="7"), Event("2", id="7")],
    ),
    "an-id-without-data-counts": (b"id: 7\n\ndata: 1\n\n", [Event("1", id="7")]),
    "comments": (b": ping\n\n:\n:  x\n", [Comment("ping"), Comment(""), Comment(" x")]),
    "a-comment-inside-an-event": (b"data: a\n: ping\ndata: b\n\n", [Comment("ping"), Event("a\nb")]),
    "unknown-fields-are-ignored": (b"Data: a\n data: b\nfoo: c\nfoo\ndata: d\n\n", [Event("d")]),
    "a-byte-order-mark-is-dropped": (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
    "a-second-one-is-not": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [Event("b")]),
    "one-in-the-data-stays": (b"data: \xef\xbb\xbfa\n\n", [Event("\ufeffa")]),
    "utf-8": ("data: aé漢😀\n\n".encode(), [Event("aé漢😀")]),
    # A maximal subpart is one U+FFFD, a surrogate three (Encoding, "UTF-8 decoder").
    "broken-utf-8-is-replaced": (
        b"data: \xff|\xe6\xbc|\xed\xa0\x80|\xf0\x9f\x98\n\n",
        [Event("\ufffd|\ufffd|\ufffd\ufffd\ufffd|\ufffd")],
    ),
    "line-separators-of-unicode-end-no-line": (
        "data: a\u2028b\x85c\x0bd\n\n".encode(),
        [Event("a\u2028b\x85c\x0bd")],
    ),
    "the-end-discards-an-unfinished-event": (b"data: a\n\ndata: b\n", [Event("a")]),
    "the-end-discards-an-unfinished-line": (b"data: a\n\ndata: b", [Event("a")]),
    "nothing": (b"", []),
    "blank-lines-only": (b"\n\r\r\n\n", []),
    "openai": (
        b'data: {"choices":[]}\n\ndata: [DONE]\n\n',
        [Event('{"choices":[]}'), Event("[DONE]")],
    ),
    "qwen": (
        b': ping - 2026-01-01 00:00:00\r\n\r\ndata: {"choices": []}\r\n\r\ndata: [DONE]\r\n\r\n',
        [Comment("ping - 2026-01-01 00:00:00"), Event('{"choices": []}'), Event("[DONE]")],
    ),
}


def parsed(pieces: list[bytes]) -> list[Item]:
    parser = EventStreamParser()
    return [item for piece in pieces for item in parser.feed(piece)]


@pytest.mark.parametrize(("stream", "items"), CASES.values(), ids=CASES)
def test_items_are_as_the_rules_say_in_every_split(stream: bytes, items: list[Item]) -> None:
    assert parsed([stream]) == items
    assert parsed([stream[at : at + 1] for at in range(len(stream))]) == items
    for at in range(len(stream) + 1):
        assert parsed([stream[:at], b"", stream[at:]]) == items, at
    rng = random.Random(stream)
    for _ in range(20):
        splits = sorted(rng.choices(range(len(stream) + 1), k=4))
        edges = [0, *splits, len(stream)]
        assert parsed([stream[a:b] for a, b in itertools.pairwise(edges)]) == items, splits


def test_an_event_comes_with_its_last_cr_and_the_lf_after_it_ends_no_line() -> None:
    parser = EventStreamParser()
    assert parser.feed(b"data: a\r\n\r") == [Event("a")]
    assert parser.feed(b"\ndata: b\r") == []
    assert parser.feed(b"\r") == [Event("b")]


def test_retry_is_milliseconds_and_digits_only() -> None:
    parser = EventStreamParser()
    parser.feed(b"retry: 2500\n")
    assert parser.retry == 2500
    for value in ("", "-1", "1.5", "+3", " 4", "1_0", "٣", "9" * 5000):
        parser.feed(f"retry: {value}\n".encode())
        assert parser.retry == 2500, value
    parser.feed(b"retry:0\n\n")
    assert parser.retry == 0


def test_the_last_event_id_counts_from_the_blank_line_on() -> None:
    parser = EventStreamParser()
    parser.feed(b"id: 7\n")
    assert parser.last_event_id == ""
    parser.feed(b"\n")
    assert parser.last_event_id == "7"


@pytest.mark.parametrize(
    ("stream", "unfinished"),
    [(b"", False), (b"data: a\n\n", False), (b"data: a\n", True), (b"dat", True), (b": ping\n", False)],
)
def test_an_unfinished_event_is_known_at_the_end(stream: bytes, unfinished: bool) -> None:
    parser = EventStreamParser()
    parser.feed(stream)
    assert parser.unfinished is unfinished


@pytest.mark.parametrize("piece", [b"data: aaaaaaa", b"data\ndata\n", b"data: 0123456\n"])
def test_an_event_has_a_limit_however_it_grows(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(event_stream, "MAX_EVENT_CHARACTERS", 1000)
    parser = EventStreamParser()
    with pytest.raises(EventStreamError, match="more than"):
        for _ in range(1001):
            parser.feed(piece)


def test_comments_and_events_without_end_do_not_count_against_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "MAX_EVENT_CHARACTERS", 1000)
    parser = EventStreamParser()
    items = [
        item
        for _ in range(300)
        for piece in (b": pi", b"ng\n", b"da", b"ta: a\n\n")
        for item in parser.feed(piece)
    ]
    assert items == [Comment("ping"), Event("a")] * 300


def test_a_long_line_in_small_pieces_costs_linear_time() -> None:
    """Half a million pieces: quadratic work would take minutes."""
    parser = EventStreamParser()
    for _ in range(500_000):
        parser.feed(b"data: 7 ")
    assert parser.feed(b"\n\n") == [Event(("data: 7 " * 500_000).removeprefix("data: "))]
