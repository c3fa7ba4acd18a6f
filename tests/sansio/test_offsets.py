"""The exact byte at which a request is refused, however its bytes are split into reads.

In each row `<>` stands before the first byte that cannot be accepted. It is taken out before the request is
read. In the rows of bodies the first byte is that of the body, without chunks.
"""

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from tests.both_parsers.refused import refused_by_sansio
from tests.sansio.splits import bytewise

_LIMITS = Limits(max_request_line=40, max_field_line=42, max_fields=4, max_trailers=2, max_chunk_line=12)
_MARK = b"<>"
_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_FORM = b"multipart/form-data; boundary=b"
_DISPOSITION = b"--b\r\nContent-Disposition: form-data; "
_PART = _DISPOSITION + b"name=a\r\n"


def _refused(pieces: list[bytes], limits: Limits) -> Problem:
    problem = refused_by_sansio(pieces, limits=limits)
    assert problem is not None
    return problem


def _places(before: bytes, marked: bytes, limits: Limits) -> set[tuple[str | None, int | None]]:
    """The rule and the offset, as a whole and byte by byte."""
    data = before + marked.replace(_MARK, b"")
    problems = [_refused(pieces, limits) for pieces in ([data], bytewise(data))]
    return {(problem.rule, problem.offset) for problem in problems}


@pytest.mark.parametrize(
    ("rule", "request_"),
    [
        # The request line.
        ("R40", b"G<>(T / HTTP/1.1\r\n\r\n"),
        ("R14", b"<> GET / HTTP/1.1\r\n\r\n"),
        ("R14", b"GET <> / HTTP/1.1\r\n\r\n"),
        ("R13", b"GET /<>\r\n\r\n"),
        ("R13", b"GET<>\r\n\r\n"),
        ("R27", b"GET /a<>\x01b HTTP/1.1\r\n\r\n"),
        ("R26", b"GET /a?<>\xe9 HTTP/1.1\r\n\r\n"),
        ("R29", b"GET /a<>#b HTTP/1.1\r\n\r\n"),
        ("R15", b"GET /a <>b HTTP/1.1\r\n\r\n"),
        ("R6", b"GET <>a HTTP/1.1\r\n\r\n"),
        ("R4", b"GET http://h:<>x/ HTTP/1.1\r\n\r\n"),
        ("R2", b"GET http://u<>@h/ HTTP/1.1\r\n\r\n"),
        ("R11", b"GET / HTTP/1<>,1\r\n\r\n"),
        ("R12", b"GET / HTTP/1.1<>1\r\n\r\n"),
        ("R14", b"GET / HTTP/1.1<> \r\n\r\n"),
        ("R10", b"GET / HTTP/<>2.0\r\n\r\n"),
        ("R17", b"\r\n<>\r\nGET / HTTP/1.1\r\n\r\n"),
        ("R17", b"\r\n<>\nGET / HTTP/1.1\r\n\r\n"),
        ("R18", b"\r\nGET / HTTP/1.1<>\nHost: h\r\n\r\n"),
        ("R19", b"GET / <>\rHTTP/1.1\r\n\r\n"),
        ("R42", b"<>\x16\x03\x01\r\n\r\n"),
        ("R41", b"GET /" + b"a" * 35 + b"<>a HTTP/1.1\r\n\r\n"),
        ("R23", b"GET /%41<>%00 HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("R24", b"GET http://h/%c3%a9<>%c3/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("R37", b"\r\nGET http://h?a=<>%ff HTTP/1.1\r\nHost: h\r\n\r\n"),
        # The field lines.
        ("H2", b"GET / HTTP/1.1\r\n<> X: 1\r\n\r\n"),
        ("H1", _HEAD + b"<> X: 1\r\n\r\n"),
        ("H3", _HEAD + b"<> \t\r\n\r\n"),
        ("H4", _HEAD + b"X: a<>\rb\r\n\r\n"),
        ("H5", _HEAD + b"<>\n"),
        ("H6", _HEAD + b"X: a<>\r\r\n\r\n"),
        ("H7", _HEAD + b"X<> : 1\r\n\r\n"),
        ("H9", _HEAD + b"X<>\r\n\r\n"),
        ("H10", _HEAD + b"<>: 1\r\n\r\n"),
        ("H12", _HEAD + b"X: a<>\x00\r\n\r\n"),
        ("H15", _HEAD + b"X<>(: 1\r\n\r\n"),
        ("H22", _HEAD + b"Content-Type: a/b\r\n<>Content-Type: a/b\r\n\r\n"),
        ("H24", b"GET / HTTP/1.1\r\nX: 1\r\n<>\r\n"),
        ("H26", _HEAD + b"<>host: h\r\n\r\n"),
        ("H27", b"GET / HTTP/1.1\r\nHost:  h<>/x\r\n\r\n"),
        ("H29", _HEAD + b"X: 1\r\nX_Y: 1\r\nX: 1\r\nX: 1\r\n<>X: 1\r\n\r\n"),
        ("H30", _HEAD + b"X: " + b"v" * 37 + b"<>v\r\n\r\n"),
        ("H30", _HEAD + b"X: " + b"v" * 37 + b"\r<>v\r\n\r\n"),
        ("H35", _HEAD + b"Expect: <>200-ok\r\n\r\n"),
        # The framing.
        ("B5", _HEAD + b"Content-Length: 1<>x\r\n\r\n"),
        ("B9", _HEAD + b"Content-Length: 1\r\n<>Content-Length: 2\r\n\r\n"),
        ("B16", _HEAD + b"Transfer-Encoding: chunked\r\n<>Content-Length: 2\r\n\r\n"),
        ("B20", _HEAD + b"Transfer-Encoding: chunked, <>gzip\r\n\r\n"),
        ("B2", _HEAD + b"Content-Length: 3\r\n\r\nab<>"),
        ("B27", _CHUNKED + b"3;a=<>@\r\nabc\r\n"),
        ("B30", _CHUNKED + b"0<>x3\r\nabc\r\n"),
        ("B31", _CHUNKED + b"1\r\na\r\n<>z\r\n"),
        ("B33", _CHUNKED + b"<>FFFFFFFFFFF\r\n"),
        ("B34", _CHUNKED + b"3\r\nabc<>d\r\n"),
        ("B34", _CHUNKED + b"3\r\nabc\r<>d\r\n"),
        ("B35", _CHUNKED + b"3\r\nabc\r\n0<>\n"),
        ("B36", _CHUNKED + b"3\r\nabc\r\n0\r\n<>"),
        ("B29", _CHUNKED + b"3\r\nabc\r\n0\r\nX<> : 1\r\n\r\n"),
        ("B29", _CHUNKED + b"0\r\nX: 1\r\nX: 1\r\n<>X: 1\r\n\r\n"),
    ],
)
def test_the_first_byte_that_cannot_be_accepted(rule: str, request_: bytes) -> None:
    assert _places(b"", request_, _LIMITS) == {(rule, request_.index(_MARK))}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize(
    ("rule", "content_type", "body"),
    [
        ("M13", _FORM, b"\r\n<>text"),
        ("M24", _FORM, b"<>--b\n"),
        ("M23", _FORM, b"\r\n<>"),
        ("M18", _FORM, _PART + b"\r\nv\r\n--b--<>x"),
        ("M16", _FORM, _PART + b"\r\nv\r\n--b--\r\n<>x"),
        ("M20", _FORM, _PART + b"\r\nv\r\n--b<>"),
        ("M21", _FORM, _PART + b"\r\nv<>"),
        ("M26", _FORM, b"--b\r\nX: 1<>\n\r\n"),
        ("M35", _FORM, b"--b\r\n<>\r\nv\r\n--b--"),
        ("M36", _FORM, b"--b\r\n--b<>\r\nX: 1\r\n\r\n"),
        ("M37", _FORM, b"--b\r\nX: 1\r\n<>\r\n--b--"),
        ("M45", _FORM, _DISPOSITION + b'name="a"<>b\r\n\r\n'),
        ("M49", _FORM, _PART + b"Content-Type: a/b\r\n<>Content-Type: a/b\r\n\r\n"),
        ("M62", _FORM, _DISPOSITION + b"name=a; name*=<>utf-8''b\r\n\r\n"),
        ("M66", _FORM, _PART + b"X: a<>\x01\r\n\r\n"),
        ("M69", _FORM, b"--b\r\n<> X: 1\r\n\r\n"),
        ("M70", _FORM, _PART + b"X<> : 1\r\n\r\n"),
        ("M74", _FORM, _PART + b"Content-Transfer-Encoding: <>base64\r\n\r\n"),
        ("J8", b"application/json", b'{"a": "<>\xff"}'),
        ("J1", b"application/json", b"\xef\xbb\xbf[1,<>]"),
        ("J13", b"application/json", b"[0<>1]"),
        ("J3", b"application/json", '["é", '.encode() + b"<>NaN]"),
        ("J10", b"application/json", b'["\\ud834\\udd1e", "<>\\ud834"]'),
        ("J15", b"application/json", b"[" * 64 + b"<>[" + b"]" * 65),
        ("C12", b"text/plain; charset=utf-8", b"abc<>\xff"),
    ],
)  # fmt: skip
def test_the_first_byte_of_a_body(rule: str, content_type: bytes, body: bytes, chunked: bool) -> None:
    """Chunks do not count."""
    sent = body.replace(_MARK, b"")
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: " + content_type + b"\r\n"
    if chunked:
        head += b"Transfer-Encoding: chunked\r\n\r\n1\r\n"
        data = head + sent[:1] + b"\r\n" + b"%x\r\n" % len(sent[1:]) + sent[1:] + b"\r\n0\r\n\r\n"
    else:
        data = head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent
    assert _places(b"", data, Limits()) == {(rule, body.index(_MARK))}


def test_the_offset_counts_from_the_request_on_its_connection() -> None:
    first = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    assert _places(first * 3, b"\r\nGET / HTTP/1.1\r\nHost: h\r\nX <>: 1\r\n\r\n", Limits()) == {("H7", 28)}


def test_a_bare_line_end_is_found_first_whatever_comes_first() -> None:
    """A CR before a bare LF in one line."""
    line = b"GET / HT\rTP/1.1\n"
    assert _places(b"", line, Limits()) == {("R19", 8)}
