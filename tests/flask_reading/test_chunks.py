"""Chunked framing: rules B26 to B36, for several splits of the raw bytes and sizes of read."""

from dataclasses import replace

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.flask_reading.chunks import ChunkedStream
from tests.parsers import dechunk_flask, decode_chunks
from tests.sansio.splits import by_size, source_of


def any_rate(size: int) -> None:
    """No client is too slow."""


def stream_of(*pieces: bytes) -> ChunkedStream:
    return ChunkedStream(source_of(pieces), Limits(), has_type=False, check_rate=any_rate)


def test_what_follows_the_body_is_kept() -> None:
    stream = stream_of(b"1\r\na\r\n0\r\n\r\nGET /")
    assert (stream.read(10), stream.read(10), stream.rest) == (b"a", b"", b"GET /")


def test_first_content_type_may_stand_in_the_trailers() -> None:
    pieces = by_size(b"0\r\nContent-Type: a/b\r\n\r\n", 9)
    assert stream_of(*pieces).read(9) == b""


def test_total_is_limited_before_its_data_are_read() -> None:
    limits = replace(Limits(), max_body=5)
    whole, cut = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"3\r\nabc\r\n3\r\n"
    assert decode_chunks(dechunk_flask, [whole], has_content_type=True, limits=limits) == b"abcde"
    assert decode_chunks(dechunk_flask, [cut], has_content_type=True, limits=limits) == "body_too_large"


def test_data_before_a_fault_come_first() -> None:
    stream = stream_of(b"3\r\nabc\r\nzz\r\n")
    assert stream.read(10) == b"abc"
    for _ in range(2):
        with pytest.raises(Problem, match="bad_chunk"):
            stream.read(10)


def test_tiny_chunks_are_given_together() -> None:
    stream = stream_of(b"1\r\na\r\n" * 1000 + b"0\r\n\r\n")
    assert stream.read(1 << 20) == b"a" * 1000
