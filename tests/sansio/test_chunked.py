"""Chunked bodies on a connection: what follows them, and the limit of a body (rules B26 to B43)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from tests.both_parsers.chunked_bodies import ACCEPTED, REFUSED
from tests.sansio.transcripts import Requests, read_requests

_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"


def _read(body: bytes, *, fields: bytes = b"", limits: Limits | None = None) -> Requests:
    return read_requests([_HEAD + fields + b"\r\n" + body], limits or Limits())


@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in ACCEPTED])
def test_the_next_request_begins_after_a_chunked_body(body: bytes, data: bytes) -> None:
    requests = _read(body + b"GET / HTTP/1.0\r\n\r\n")
    assert requests.problem is None
    assert requests.bodies == [data, b""], "the next request was not found"


@pytest.mark.parametrize(("body", "code"), [pytest.param(*case, id=name) for name, *case in REFUSED])
def test_a_malformed_chunked_body_is_refused(body: bytes, code: str) -> None:
    requests = _read(body)
    assert (requests.problem, requests.complete) == (code, 0)


def test_a_content_type_in_the_head_forbids_one_in_the_trailers() -> None:
    """B29."""
    body = b"0\r\nContent-Type: a/b\r\n\r\n"
    assert _read(body, fields=b"Content-Type: a/b\r\n").problem == "bad_chunk"
    assert _read(body, fields=b"Content_Type: a/b\r\n").problem is None


@pytest.mark.parametrize(("size", "problem"), [(5, None), (6, "body_too_large")])
def test_the_limit_holds_for_all_chunks_together(size: int, problem: str | None) -> None:
    """B42, B43."""
    limits = dataclasses.replace(Limits(), max_body=10)
    body = b"5\r\nabcde\r\n%d\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert _read(body, limits=limits).problem == problem


def test_a_chunk_over_the_limit_is_refused_before_its_data() -> None:
    """B33: the size alone decides."""
    limits = dataclasses.replace(Limits(), max_body=10)
    requests = _read(b"b\r\n", limits=limits)
    assert (requests.problem, requests.bodies) == ("body_too_large", [b""])
