"""The bytes that arrived and were not consumed yet."""

from collections.abc import Generator

import pytest

from servers.contract.problems import Problem
from servers.sansio.stream import Incoming, Need, PeerClosed, Role

_LIMIT = 4


def _line(incoming: Incoming) -> Generator[Need, None, bytes]:
    return incoming.line(
        Role.FIELD,
        _LIMIT,
        lambda: Problem("headers_too_large", "too long"),
        lambda what: Problem("bad_header", what),
    )


def _lines(*pieces: bytes) -> list[bytes] | str:
    """The lines that the pieces hold, or the code of the problem."""
    incoming = Incoming()
    lines = []
    current = _line(incoming)
    for piece in filter(None, pieces):  # b"" would be the end
        incoming.feed(piece)
        try:
            while True:
                next(current)
                break
        except StopIteration as done:
            lines.append(done.value)
            current = _line(incoming)
        except Problem as problem:
            return problem.code
    return lines


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"abcd\r\n", [b"abcd"]),
        (b"\r\n", [b""]),
        (b"abcde\r\n", "headers_too_large"),
        (b"abcdef", "headers_too_large"),
        (b"a\n", "bad_header"),
        (b"\n", "bad_header"),
        (b"a\rb\r\n", "bad_header"),
        (b"\r\r\n", "bad_header"),
        (b"abcd\r", []),
        (b"abcd", []),
        (b"abcde", "headers_too_large"),
        (b"abcd\rx", "headers_too_large"),
        (b"abcd\n", "bad_header"),
        (b"abcde\n", "headers_too_large"),
    ],
)
def test_a_line_in_every_cut(data: bytes, expected: list[bytes] | str) -> None:
    for cut in range(len(data) + 1):
        assert _lines(data[:cut], data[cut:]) == expected
    assert _lines(*(data[at : at + 1] for at in range(len(data)))) == expected


def test_the_end_of_the_peer_inside_a_line() -> None:
    incoming = Incoming()
    incoming.feed(b"ab")
    line = _line(incoming)
    assert next(line) is Need.DATA
    incoming.feed(b"")
    with pytest.raises(PeerClosed):
        next(line)
    assert not incoming.at_end
    assert bytes(incoming.take(10)) == b"ab"
    assert incoming.at_end


def test_bytes_are_taken_once_and_in_order() -> None:
    incoming = Incoming()
    incoming.feed(b"abc")
    assert (bytes(incoming.take(2)), len(incoming)) == (b"ab", 1)
    incoming.feed(b"de")
    assert incoming.startswith(b"cd")
    assert (bytes(incoming.take(100)), len(incoming)) == (b"cde", 0)
    assert bytes(incoming.take(1)) == b""


def test_what_was_taken_outlives_what_arrives_later() -> None:
    incoming = Incoming()
    incoming.feed(b"abc")
    taken = incoming.take(3)
    incoming.feed(b"xyz")
    incoming.take(3)
    assert bytes(taken) == b"abc"


def test_a_trace_is_told_every_byte_with_what_it_is() -> None:
    told: list[tuple[Role, bytes]] = []
    incoming = Incoming(lambda role, data: told.append((role, bytes(data))))
    incoming.feed(b"ab\r\nrest")
    with pytest.raises(StopIteration):
        next(_line(incoming))
    incoming.take(9, Role.BODY)
    assert told == [(Role.FIELD, b"ab\r\n"), (Role.BODY, b"rest")]
