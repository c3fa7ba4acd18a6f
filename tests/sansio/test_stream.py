"""Incoming: the bytes that have arrived and are not consumed yet."""

from collections.abc import Generator

import pytest

from servers.contract.problems import Problem
from servers.sansio.stream import Incoming, LineFaults, Need, PeerClosed, Role
from tests.sansio.splits import bytewise, two_way

_LIMIT = 4
_FAULTS = LineFaults("headers_too_large", "H30", "bad_header", "H5", "H4", lf_alone="H5", cr_cr_lf="H6")


def _line(incoming: Incoming) -> Generator[Need, None, bytes]:
    return incoming.line(Role.FIELD, _LIMIT, _FAULTS)


def _lines(*pieces: bytes) -> list[bytes] | str:
    """The lines in these pieces, or the code of the problem."""
    incoming = Incoming()
    lines = []
    current = _line(incoming)
    for piece in filter(None, pieces):  # b"" would mean the end
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
def test_a_line_for_every_split(data: bytes, expected: list[bytes] | str) -> None:
    for pieces in ([data], bytewise(data), *two_way(data)):
        assert _lines(*pieces) == expected, pieces


def test_the_peer_closes_inside_a_line() -> None:
    incoming = Incoming()
    incoming.feed(b"ab")
    line = _line(incoming)
    assert next(line) is Need.DATA
    incoming.feed(b"")
    with pytest.raises(PeerClosed):
        next(line)
    assert bytes(incoming.take(10)) == b"ab"
    assert len(incoming) == 0


def test_bytes_are_taken_once_and_in_order() -> None:
    incoming = Incoming()
    incoming.feed(b"abc")
    assert (bytes(incoming.take(2)), len(incoming)) == (b"ab", 1)
    incoming.feed(b"de")
    assert incoming.startswith(b"cd")
    assert (bytes(incoming.take(100)), len(incoming)) == (b"cde", 0)
    assert bytes(incoming.take(1)) == b""


def test_taken_bytes_stay_valid_when_more_arrive() -> None:
    incoming = Incoming()
    incoming.feed(b"abc")
    taken = incoming.take(3)
    incoming.feed(b"xyz")
    incoming.take(3)
    assert bytes(taken) == b"abc"


def test_a_trace_gets_every_byte_with_its_role() -> None:
    traced: list[tuple[Role, bytes]] = []
    incoming = Incoming(lambda role, data: traced.append((role, bytes(data))))
    incoming.feed(b"ab\r\nrest")
    with pytest.raises(StopIteration):
        next(_line(incoming))
    incoming.take(9, Role.BODY)
    assert traced == [(Role.FIELD, b"ab\r\n"), (Role.BODY, b"rest")]
