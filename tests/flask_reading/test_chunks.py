"""Chunked framing: rules B26 to B36, for several splits of the raw bytes and sizes of read."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.flask_reading.chunks import ChunkedStream


def any_rate(size: int) -> None:
    """No client is too slow."""


def source(raw: bytes, step: int) -> Callable[[int], bytes]:
    """Reads of at most `step` bytes, then the end."""
    left = bytearray(raw)

    def read(size: int) -> bytes:
        data = bytes(left[: min(step, size)])
        del left[: len(data)]
        return data

    return read


def decode(raw: bytes, *, step: int = 1 << 20, size: int = 1 << 20, limits: Limits | None = None) -> object:
    stream = ChunkedStream(source(raw, step), limits or Limits(), has_type=True, check_rate=any_rate)
    decoded = b""
    try:
        while piece := stream.read(size):
            assert len(piece) <= size
            decoded += piece
    except Problem as problem:
        return problem.code
    assert stream.ended
    return decoded


BODIES: dict[str, tuple[bytes, object]] = {
    "plain": (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    "empty": (b"0\r\n\r\n", b""),
    "B26 extension": (b'3;a;b=c;d="e;\\"f"\r\nabc\r\n0;x\r\n\r\n', b"abc"),
    "B26 blanks": (b"3 \t;\ta = b\r\nabc\r\n0\r\n\r\n", b"abc"),
    "B32": (b"0003\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n", b"abc0123456789"),
    "B33 16 digits": (b"0000000000000003\r\nabc\r\n0\r\n\r\n", b"abc"),
    "B28 trailers": (b"3\r\nabc\r\n0\r\nX-A: 1\r\nX-A:2\r\n\r\n", b"abc"),
    "B28 100 trailers": (b"0\r\n" + b"X: y\r\n" * 100 + b"\r\n", b""),
    "B27 256 bytes": (b"3;" + b"x" * 254 + b"\r\nabc\r\n0\r\n\r\n", b"abc"),
    "B27 257 bytes": (b"3;" + b"x" * 255 + b"\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B27 no end": (b"3;" + b"x" * 300, "bad_chunk"),
    "B27 no name": (b"3;=x\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B27 empty": (b"3;\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B27 quote over the line": (b'3;a="\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    "B27 LF": (b"3;a\nb\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B29 framing": (b"0\r\nContent-Length: 3\r\n\r\n", "bad_chunk"),
    "B29 host": (b"0\r\nHost: x\r\n\r\n", "bad_chunk"),
    "B29 second type": (b"0\r\nContent-Type: a/b\r\n\r\n", "bad_chunk"),
    "B29 malformed": (b"0\r\nX : y\r\n\r\n", "bad_chunk"),
    "B29 NUL": (b"0\r\nX: \0\r\n\r\n", "bad_chunk"),
    "101 trailers": (b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n", "bad_chunk"),
    "long trailer": (b"0\r\nX: " + b"y" * 8190 + b"\r\n\r\n", "bad_chunk"),
    "B30 sign": (b"+3\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B30 prefix": (b"0x3\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B30 underscore": (b"0_3\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B30 blank": (b"3 \r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B31 empty": (b"\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B33 17 digits": (b"0" * 16 + b"3\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B33 too large": (b"f" * 16 + b"\r\nabc", "body_too_large"),
    "B34 too small": (b"2\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B34 too big": (b"4\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    "B34 other bytes": (b"3\r\nabcXX0\r\n\r\n", "bad_chunk"),
    "B35": (b"3\nabc\n0\n\n", "bad_chunk"),
    "B36 no last chunk": (b"3\r\nabc\r\n", "body_truncated"),
    "B36 in the data": (b"3\r\nab", "body_truncated"),
    "B36 no final CRLF": (b"3\r\nabc\r\n0\r\n", "body_truncated"),
    "B36 in the terminator": (b"3\r\nabc\r", "body_truncated"),
    "nothing": (b"", "body_truncated"),
}


@pytest.mark.parametrize("raw, expected", BODIES.values(), ids=BODIES)
def test_chunks_are_decoded_alike_in_every_split(raw: bytes, expected: object) -> None:
    assert decode(raw) == expected
    for step in (1, 2, 3, 5):
        for size in (1, 4, 1000):
            assert decode(raw, step=step, size=size) == expected


def test_what_follows_the_body_is_kept() -> None:
    stream = ChunkedStream(
        source(b"1\r\na\r\n0\r\n\r\nGET /", 1 << 20), Limits(), has_type=False, check_rate=any_rate
    )
    assert (stream.read(10), stream.read(10), stream.rest) == (b"a", b"", b"GET /")


def test_first_content_type_may_stand_in_the_trailers() -> None:
    raw = b"0\r\nContent-Type: a/b\r\n\r\n"
    assert ChunkedStream(source(raw, 9), Limits(), has_type=False, check_rate=any_rate).read(9) == b""


def test_total_is_limited_before_its_data_are_read() -> None:
    limits = replace(Limits(), max_body=5)
    assert decode(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", limits=limits) == b"abcde"
    assert decode(b"3\r\nabc\r\n3\r\n", limits=limits) == "body_too_large"


def test_data_before_a_fault_come_first() -> None:
    stream = ChunkedStream(
        source(b"3\r\nabc\r\nzz\r\n", 1 << 20), Limits(), has_type=False, check_rate=any_rate
    )
    assert stream.read(10) == b"abc"
    for _ in range(2):
        with pytest.raises(Problem, match="bad_chunk"):
            stream.read(10)


def test_tiny_chunks_are_given_together() -> None:
    stream = ChunkedStream(
        source(b"1\r\na\r\n" * 1000 + b"0\r\n\r\n", 1 << 20), Limits(), has_type=False, check_rate=any_rate
    )
    assert stream.read(1 << 20) == b"a" * 1000
