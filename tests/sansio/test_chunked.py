"""The chunked transfer coding (RFC 9112 7.1; rules B26 to B36)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from tests.sansio.splits import bytewise, two_way
from tests.sansio.transcripts import Requests, read_requests

_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
_LIMIT = Limits().max_field_line


def _read(body: bytes, *, fields: bytes = b"", limits: Limits | None = None) -> Requests:
    return read_requests([_HEAD + fields + b"\r\n" + body], limits or Limits())


_ACCEPTED = [
    ("no chunk", b"0\r\n\r\n", b""),
    ("two chunks", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    ("data that looks like an end", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    ("B26: an extension", b"3;a\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B26: values", b'3;a=b;c="d";e="\\""\r\nabc\r\n0;z\r\n\r\n', b"abc"),
    ("B26: blanks", b"3 \t; \ta \t= \tb ;c\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B26: a quoted semicolon", b'1;a="; b=\t\xe9"\r\nx\r\n0\r\n\r\n', b"x"),
    ("B27: a line of 256 bytes", b"1;" + b"a" * 254 + b"\r\nx\r\n0\r\n\r\n", b"x"),
    ("B28: a trailer", b"1\r\nx\r\n0\r\nX-A: 1\r\nX-A: 2\r\n\r\n", b"x"),
    ("B28: 100 trailers", b"0\r\n" + b"X: 1\r\n" * 100 + b"\r\n", b""),
    ("B28: dropped names do not count", b"0\r\n" + b"X_A: 1\r\n" * 150 + b"X: 1\r\n" * 100 + b"\r\n", b""),
    ("B28: a trailer of 8190 bytes", b"0\r\nX: " + b"a" * (_LIMIT - 5) + b"\r\n\r\n", b""),
    ("B29: a first Content-Type", b"0\r\nContent-Type: a/b\r\n\r\n", b""),
    ("B29: Host_ is another name", b"0\r\nHost_: a\r\nContent_Length: 1\r\n\r\n", b""),
    ("B32: leading zeros", b"0003\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B32: upper case", b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("B32: lower case", b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("B32: many zeros", b"0000\r\n\r\n", b""),
    ("B33: 16 digits", b"0000000000000001\r\nx\r\n0\r\n\r\n", b"x"),
]
_REFUSED = [
    ("B27: no name", b"3;=x\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: nothing", b"3;\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: no value", b"3;a=\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: an open quote", b'3;a="b\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    ("B27: text behind a quote", b'3;a="b"c\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    ("B27: a control", b"3;a=\x00\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: LF inside", b"3;a\nb\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: CR inside", b"3;a\rb\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: a line of 257 bytes", b"1;" + b"a" * 255 + b"\r\nx\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: a line without end", b"1;" + b"a" * 300, "bad_chunk"),
    ("B29: a trailer of 8191 bytes", b"0\r\nX: " + b"a" * (_LIMIT - 4) + b"\r\n\r\n", "bad_chunk"),
    ("B29: 101 trailers", b"0\r\n" + b"X: 1\r\n" * 101 + b"\r\n", "bad_chunk"),
    ("B29: no colon", b"0\r\nX\r\n\r\n", "bad_chunk"),
    ("B29: a blank before the colon", b"0\r\nX : 1\r\n\r\n", "bad_chunk"),
    ("B29: a control", b"0\r\nX: \x01\r\n\r\n", "bad_chunk"),
    ("B29: a control in a dropped one", b"0\r\nX_A: \x01\r\n\r\n", "bad_chunk"),
    ("B29: a fold", b"0\r\nX: 1\r\n 2\r\n\r\n", "bad_chunk"),
    ("B29: LF alone", b"0\r\nX: 1\n\r\n", "bad_chunk"),
    ("B29: CR alone", b"0\r\nX: 1\rY: 2\r\n\r\n", "bad_chunk"),
    ("B29: two Content-Types", b"0\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n", "bad_chunk"),
    *(
        (f"B29: {name}", b"0\r\n%s: 1\r\n\r\n" % name.encode(), "bad_chunk")
        for name in ("Host", "content-length", "Transfer-Encoding", "TRAILER", "Authorization", "TE")
    ),
    *(
        (f"B30, B31: {size!r}", size + b"\r\nabc\r\n0\r\n\r\n", "bad_chunk")
        for size in (b"0x3", b"+3", b"0_3", b"3 ", b" 3", b"\t3", b"-3", b"zz", b"", b"3g", b"\xb3", b"3,")
    ),
    ("B33: 17 digits", b"00000000000000001\r\nx\r\n0\r\n\r\n", "bad_chunk"),
    ("B33: over the limit", b"ffffffffffffffff\r\n", "body_too_large"),
    ("B34: too small", b"2\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B34: too large", b"4\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B34: no CRLF", b"3\r\nabc0\r\n\r\n", "bad_chunk"),
    ("B34: two other bytes", b"3\r\nabcxx0\r\n\r\n", "bad_chunk"),
    ("B34: CR and another byte", b"3\r\nabc\rx0\r\n\r\n", "bad_chunk"),
    ("B35: LF behind a size", b"3\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B35: LF behind data", b"3\r\nabc\n0\r\n\r\n", "bad_chunk"),
    ("B35: LF at the end", b"3\r\nabc\r\n0\r\n\n", "bad_chunk"),
    ("B36: nothing", b"", "body_truncated"),
    ("B36: half a size line", b"3", "body_truncated"),
    ("B36: a CR", b"3\r", "body_truncated"),
    ("B36: half the data", b"3\r\nab", "body_truncated"),
    ("B36: no CRLF behind the data", b"3\r\nabc", "body_truncated"),
    ("B36: no last chunk", b"3\r\nabc\r\n", "body_truncated"),
    ("B36: no final CRLF", b"3\r\nabc\r\n0\r\n", "body_truncated"),
    ("B36: in a trailer", b"0\r\nX: 1", "body_truncated"),
    ("B36: behind a trailer", b"0\r\nX: 1\r\n", "body_truncated"),
]


@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in _ACCEPTED])
def test_a_chunked_body(body: bytes, data: bytes) -> None:
    requests = _read(body + b"GET / HTTP/1.0\r\n\r\n")
    assert requests.problem is None
    assert requests.bodies == [data, b""], "what follows is the next request"


@pytest.mark.parametrize(("body", "code"), [pytest.param(*case, id=name) for name, *case in _REFUSED])
def test_a_malformed_chunked_body_is_refused(body: bytes, code: str) -> None:
    requests = _read(body)
    assert (requests.problem, requests.complete) == (code, 0)


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body, _ in (*_ACCEPTED, *_REFUSED)])
def test_no_cut_shows_in_a_chunked_body(body: bytes) -> None:
    """M89, for every cut of each body above."""
    whole = _read(body)
    prefix = _HEAD + b"\r\n"
    if len(body) < 1000:
        for pieces in two_way(body):
            assert read_requests([prefix, *pieces]) == whole, pieces
    assert read_requests([prefix, *bytewise(body)]) == whole


def test_a_content_type_in_the_head_forbids_one_in_the_trailers() -> None:
    """B29."""
    body = b"0\r\nContent-Type: a/b\r\n\r\n"
    assert _read(body, fields=b"Content-Type: a/b\r\n").problem == "bad_chunk"
    assert _read(body, fields=b"Content_Type: a/b\r\n").problem is None


@pytest.mark.parametrize(("size", "problem"), [(5, None), (6, "body_too_large")])
def test_the_limit_is_for_all_chunks_together(size: int, problem: str | None) -> None:
    """B42, B43."""
    limits = dataclasses.replace(Limits(), max_body=10)
    body = b"5\r\nabcde\r\n%d\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert _read(body, limits=limits).problem == problem


def test_a_chunk_over_the_limit_is_refused_before_its_data() -> None:
    """B33: the data never have to come."""
    limits = dataclasses.replace(Limits(), max_body=10)
    requests = _read(b"b\r\n", limits=limits)
    assert (requests.problem, requests.bodies) == ("body_too_large", [b""])
