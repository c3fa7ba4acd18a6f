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
