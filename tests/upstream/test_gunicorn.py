"""Defects of gunicorn 27, each in its smallest form: see README.md. A test that fails here is good news."""

from types import SimpleNamespace

import pytest
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import InvalidChunkSize
from gunicorn.http.unreader import IterUnreader


def test_a_body_cut_short_ends_like_a_complete_one() -> None:
    body = Body(LengthReader(IterUnreader([b"abc"]), 10))
    assert body.read() == b"abc"


def test_malformed_chunks_raise_what_no_application_expects() -> None:
    body = Body(ChunkedReader(SimpleNamespace(trailers=[]), IterUnreader([b"zz\r\nabc\r\n0\r\n\r\n"])))
    with pytest.raises(InvalidChunkSize) as raised:
        body.read()
    assert not isinstance(raised.value, OSError | ValueError)
