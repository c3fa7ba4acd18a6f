"""Defects of gunicorn 27 in their smallest form (README.md). A test fails when its defect is repaired."""

import gzip
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import ConfigurationProblem, InvalidChunkSize
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import create

CLIENT = ("127.0.0.1", 50000)


def environ_of(request: bytes) -> dict[str, Any]:
    """What the application gets for this request from a client on the same machine, with default settings."""
    parsed = next(RequestParser(Config(), [request], CLIENT))
    with socket.socket() as unconnected:
        environ: dict[str, Any] = create(parsed, unconnected, CLIENT, ("127.0.0.1", 8000), Config())[1]
    return environ


def test_a_body_cut_short_ends_like_a_complete_one() -> None:
    body = Body(LengthReader(IterUnreader([b"abc"]), 10))
    assert body.read() == b"abc"


def test_malformed_chunks_raise_what_no_application_expects() -> None:
    body = Body(ChunkedReader(SimpleNamespace(trailers=[]), IterUnreader([b"zz\r\nabc\r\n0\r\n\r\n"])))
    with pytest.raises(InvalidChunkSize) as raised:
        body.read()
    assert not isinstance(raised.value, OSError | ValueError)


def test_a_field_named_script_name_fails_the_request() -> None:
    assert environ_of(b"GET /a/b HTTP/1.1\r\nHost: h\r\nSCRIPT_NAME: /a\r\n\r\n")["PATH_INFO"] == "/b"
    with pytest.raises(ConfigurationProblem) as raised:
        environ_of(b"GET / HTTP/1.1\r\nHost: h\r\nSCRIPT_NAME: /a\r\n\r\n")
    assert raised.value.code == 500


def test_a_body_of_two_codings_is_decoded_by_one() -> None:
    coded = gzip.compress(b"abc", mtime=0)
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    environ = environ_of(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(coded), coded))
    assert environ["wsgi.input"].read() == coded
