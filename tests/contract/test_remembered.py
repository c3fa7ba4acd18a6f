"""What is remembered of accepted input: it is found again, it is bounded, and it hides no refusal."""

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.remembered import (
    MOST_OF_A_HEAD,
    MOST_OF_A_LINE,
    MOST_RESULTS,
    KnownHeads,
    remembered,
)
from servers.flask_reading.wire_head import KnownHead, WireHead
from servers.sansio.connection import HeadReceived, RequestReader
from servers.sansio.stream import NEED_DATA

_HEAD = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\nCookie: d=e\r\n\r\n"


def test_a_short_input_is_parsed_once_and_a_long_one_each_time() -> None:
    parsed: list[bytes] = []

    @remembered
    def parse(data: bytes) -> int:
        parsed.append(data)
        return len(data)

    short, long = b"a" * MOST_OF_A_LINE, b"a" * (MOST_OF_A_LINE + 1)
    assert [parse(short), parse(short), parse(long), parse(long)] == [len(short)] * 2 + [len(long)] * 2
    assert parsed == [short, long, long]


def test_a_refusal_is_made_anew_because_its_place_is_added_to_it() -> None:
    @remembered
    def parse(_data: bytes) -> int:
        raise Problem("bad_header", "malformed", rule="H9")

    problems = []
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            parse(b"a")
        problems.append(caught.value)
    assert problems[0] is not problems[1]


def test_known_heads_are_bounded_in_number_and_in_size() -> None:
    known: KnownHeads[int] = KnownHeads()
    for number in range(MOST_RESULTS + 1):
        known.add(b"%d" % number, number)
    assert known.find(b"0") is None
    assert [known.find(b"%d" % number) for number in range(1, MOST_RESULTS + 1)] == list(
        range(1, MOST_RESULTS + 1)
    )
    known.add(b"a" * (MOST_OF_A_HEAD + 1), 1)
    assert known.find(b"a" * (MOST_OF_A_HEAD + 1)) is None


def _read(known: KnownHeads[HeadReceived], *pieces: bytes) -> list[object]:
    reader = RequestReader(Limits(), known=known)
    events: list[object] = []
    for piece in pieces:
        reader.feed(piece)
        while (event := reader.next_event()) is not NEED_DATA:
            events.append(event)
    return [*events, reader.buffered]


@pytest.mark.parametrize("size", range(len(_HEAD)))
def test_a_head_is_read_alike_whether_it_is_known_or_not(size: int) -> None:
    """In every split in two, and with a request behind it in the same read."""
    known: KnownHeads[HeadReceived] = KnownHeads()
    plain = _read(KnownHeads(), _HEAD)
    assert _read(known, _HEAD) == plain
    assert known.find(_HEAD) == plain[0]
    pieces = [piece for piece in (_HEAD[:size], _HEAD[size:]) if piece]
    assert _read(known, *pieces) == plain
    assert _read(known, _HEAD + _HEAD) == [*plain[:-1], *plain]
    assert _read(known, b"\r\n" + _HEAD) == plain


def test_a_head_that_only_begins_like_a_known_one_is_read_itself() -> None:
    known: KnownHeads[HeadReceived] = KnownHeads()
    _read(known, _HEAD)
    longer = _HEAD[:-2] + b"X: y\r\n\r\n"
    assert _read(known, longer) == _read(KnownHeads(), longer)
    with pytest.raises(Problem):
        _read(known, _HEAD[:-2] + b"X : y\r\n\r\n")


def test_a_refused_head_is_not_known() -> None:
    known: KnownHeads[HeadReceived] = KnownHeads()
    refused = b"GET / HTTP/1.1\r\n\r\n"
    for _ in range(2):
        with pytest.raises(Problem):
            _read(known, refused)
    assert known.find(refused) is None


@pytest.mark.parametrize("behind", [b"", b"body", _HEAD])
def test_gunicorn_s_heads_are_read_alike_whether_they_are_known_or_not(behind: bytes) -> None:
    known: KnownHeads[KnownHead] = KnownHeads()
    read = []
    for _ in range(2):
        wire = WireHead(Limits(), known)
        assert wire.feed(_HEAD + behind)
        read.append((wire.line, wire.raw_target, wire.fields, wire.head, wire.rest, wire.request_line))
    assert read[0] == read[1]
    assert known.find(_HEAD) is not None
    assert known.find(_HEAD + behind) is None or not behind
