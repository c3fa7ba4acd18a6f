"""Heads, from an ASGI scope and from the bytes that h11 refused: rules R, H, B, K and A."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from starlette.requests import Request

from servers.contract.request import BasicCredentials, OtherCredentials, RequestHead
from servers.fastapi_reading import read_scope
from servers.fastapi_reading.fields import FieldLine
from servers.fastapi_reading.head import RequestLine, read_head
from servers.fastapi_reading.scope import TARGET_EXTENSION
from servers.fastapi_reading.trailers import judge_trailers
from servers.fastapi_reading.wire_head import diagnose, sent_fields
from tests.fastapi_reading.reading_of import LIMITS, outcome

HOST = (b"host", b"h")


def request(
    target: bytes = b"/",
    *fields: tuple[bytes, bytes],
    method: str = "GET",
    version: str = "1.1",
    host: bool = True,
    **more: Any,
) -> Request:
    """A request as a server tells it to an application."""
    path, _, query = target.partition(b"?")
    headers = [HOST, *fields] if host else list(fields)
    scope = {"type": "http", "method": method, "http_version": version, "headers": headers}
    return Request({**scope, "raw_path": path, "query_string": query, **more})


def head_of(target: bytes = b"/", *fields: tuple[bytes, bytes], **more: Any) -> RequestHead:
    return read_scope(request(target, *fields, **more), LIMITS)


def code_of(target: bytes = b"/", *fields: tuple[bytes, bytes], **more: Any) -> object:
    return outcome(read_scope, request(target, *fields, **more), LIMITS)


@pytest.mark.parametrize(
    ("target", "path", "last_segment"),
    [
        (b"/a%41%20", "/aA ", "aA "),
        (b"/a%2Fb%2f", "/a%2Fb%2f", "a/b/"),
        (b"/%zz%4%", "/%zz%4%", "%zz%4%"),
        (b"/%2525", "/%25", "%25"),
        (b"//a//b", "/a//b", "b"),
        (b"/a/../%2e%2e", "/a/../..", ".."),
        (b"/%c3%a9;p=1", "/é;p=1", "é;p=1"),
        (b'/[]{}|"<>^`\\', '/[]{}|"<>^`\\', '[]{}|"<>^`\\'),
    ],
)
def test_a_path_is_decoded_once(target: bytes, path: str, last_segment: str) -> None:
    head = head_of(target)
    assert (head.target, head.path, head.last_segment) == (target.decode(), path, last_segment)


def test_a_query_gives_ordered_pairs() -> None:
    head = head_of(b"/?a&b=&=c&&d=1&d=%zz+2&?x=1?2;y")
    assert [tuple(pair) for pair in head.args] == [
        *(("a", ""), ("b", ""), ("", "c"), ("d", "1"), ("d", "%zz 2"), ("?x", "1?2;y")),
    ]


def test_the_target_is_as_sent_where_the_server_says_so() -> None:
    """ASGI alone cannot tell an empty query from none (R34)."""
    assert head_of(b"/a?", extensions={TARGET_EXTENSION: b"/a?"}).target == "/a?"
    assert head_of(b"/a?").target == "/a"


@pytest.mark.parametrize(
    ("target", "origin", "authority", "https"),
    [
        (b"http://o.example:81/p?q=1", "/p?q=1", "o.example:81", False),
        (b"HTTP://o?q", "/?q", "o", False),
        (b"http://[::1]:8000", "/", "[::1]:8000", False),
        (b"https://o/", "/", "o", True),
    ],
)
def test_an_absolute_form_brings_its_host(target: bytes, origin: str, authority: str, https: bool) -> None:
    head = head_of(target)
    assert (head.target, head.host, head.field("host"), head.https_target) == (
        *(origin, authority, authority, https),
    )


def test_the_asterisk_and_an_authority_belong_to_one_method_each() -> None:
    assert head_of(b"*", method="OPTIONS").path == "*"
    assert head_of(b"h:80", method="CONNECT").target == "h:80"
    assert code_of(b"*") == code_of(b"h:80") == "request_line"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (b"", "request_line"),
        (b"foo", "request_line"),
        (b"/a#b", "request_line"),
        (b"/\xc3\xa9", "request_line"),
        (b"/a\x7f", "request_line"),
        (b"ftp://h/", "request_line"),
        (b"http:/h/", "request_line"),
        (b"http://", "request_line"),
        (b"http://u@h/", "request_line"),
        (b"http://[x/", "request_line"),
        (b"/%00", "bad_percent"),
        (b"/%0d%0a", "bad_percent"),
        (b"/%7F", "bad_percent"),
        (b"/%ff", "target_not_utf8"),
        (b"/?%ff", "target_not_utf8"),
        (b"/" + b"a" * (8190 - len("GET / HTTP/1.1") + 1), "uri_too_long"),
        (b"#" * 9000, "uri_too_long"),
    ],
)
def test_a_target_is_refused(target: bytes, code: str) -> None:
    assert code_of(target) == code


def test_a_request_line_of_just_the_limit_and_control_characters_in_a_query_are_fine() -> None:
    assert head_of(b"/" + b"a" * (8190 - len("GET / HTTP/1.1")))
    assert head_of(b"/?%00=%0a").args[0].value == "\n"


@pytest.mark.parametrize(
    ("version", "code"), [("2.0", "unsupported_version"), ("1.10", "request_line"), ("1", "request_line")]
)
def test_versions(version: str, code: str) -> None:
    assert head_of(version="1.2").host == "h"
    assert code_of(version=version) == code


@pytest.mark.parametrize(
    "host",
    [
        *(
            b"localhost:8000",
            b"h:",
            b"a_b.c",
            b"0.0.0.0=5000",
            b"%41:080",
            b"[::1]",
            b"[::ffff:1.2.3.4]:65535",
        ),
        b"h:0000000080",
    ],
)
def test_a_host_is_shown_verbatim(host: bytes) -> None:
    assert head_of(b"/", (b"host", host), host=False).host == host.decode()


@pytest.mark.parametrize(
    "host",
    [
        *(b"", b"a b", b"a/b", b"a?b", b"a,b", b"u@h", b"h:65536", b"h:x", b"h:1:2", b":80", b"%4", b"a%zz"),
        *(b"[::1", b"[]", b"[::1]x", b"[1.2.3.4]", b"[v1.x]", b"[fe80::1%25eth0]", b"::1", b"\xe9"),
    ],
)
def test_what_is_no_host_is_refused(host: bytes) -> None:
    assert code_of(b"/", (b"host", host), host=False) == "bad_host"


def test_one_host_is_demanded_but_on_http_1_0() -> None:
    assert code_of(host=False) == code_of(b"/", HOST) == "bad_host"
    assert head_of(host=False, version="1.0").host is None
    assert head_of(b"http://o/", host=False, version="1.0").host == "o"


def test_fields_are_joined_sorted_and_shown_as_latin_1() -> None:
    head = head_of(b"/", (b"x", b" \t1\xe9 "), (b"a", b""), (b"X", b"2"), (b"a", b"b"), (b"x_y", b"dropped"))
    assert [tuple(pair) for pair in head.headers] == [("a", ",b"), ("host", "h"), ("x", "1é,2")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([(b"x", b"a\x00")], "bad_header"),
        ([(b"x", b"a\x0bb")], "bad_header"),
        ([(b"x_y", b"\x7f")], "bad_header"),
        ([(b"host", b"h\x01")], "bad_host"),
        ([(b"content-length", b"1\x01")], "bad_framing"),
        ([(b"transfer-encoding", b"\x0bchunked")], "bad_framing"),
        ([(b"x y", b"")], "bad_header"),
        ([(b"", b"")], "bad_header"),
        ([(b"content-type", b"a/b"), (b"content-type", b"a/b")], "bad_header"),
        ([(b"x", b"a" * (8190 - len("x: \r\n") + 1))], "headers_too_large"),
        ([(b"x", b"")] * 100, "headers_too_large"),
        ([(b"expect", b"foo")], "expectation_failed"),
        ([(b"expect", b"100-continue"), (b"expect", b"foo")], "expectation_failed"),
    ],
)
def test_field_lines_are_refused(fields: list[tuple[bytes, bytes]], code: str) -> None:
    assert code_of(b"/", *fields) == code


def test_field_lines_up_to_the_limits_are_accepted() -> None:
    assert head_of(b"/", *[(b"x_y", b"")] * 50, *[(b"x", b"")] * 99)
    assert head_of(b"/", (b"x", b"a" * (8190 - len("x: \r\n"))))
    assert head_of(b"/", (b"expect", b" 100-Continue "))
    assert head_of(b"/", (b"expect", b"foo"), version="1.0")


@pytest.mark.parametrize(
    ("fields", "length", "chunked"),
    [
        ([], None, False),
        ([(b"content-length", b"003")], 3, False),
        ([(b"content-length", b"0" * 5000 + b"7")], 7, False),
        ([(b"transfer-encoding", b"\tChunKed ")], None, True),
    ],
)
def test_framing(fields: list[tuple[bytes, bytes]], length: int | None, chunked: bool) -> None:
    head = head_of(b"/", *fields)
    assert (head.content_length, head.chunked) == (length, chunked)


def test_a_length_of_any_number_of_digits_is_a_number() -> None:
    assert (head_of(b"/", (b"content-length", b"9" * 5000)).content_length or 0) > LIMITS.max_body


@pytest.mark.parametrize(
    ("codings", "code"),
    [
        *[
            ([value], "bad_framing")
            for value in (b"identity", b"gzip", b"xchunked", b'"chunked"', b"", b",chunked")
        ],
        *[([value], "bad_framing") for value in (b"chunked;x=1", b"chunked, gzip", b"chunked, chunked")],
        ([b"chunked", b"chunked"], "bad_framing"),
        ([b"gzip, chunked"], "unsupported_transfer_coding"),
    ],
)
def test_codings_other_than_chunked_are_refused(codings: list[bytes], code: str) -> None:
    assert code_of(b"/", *[(b"transfer-encoding", coding) for coding in codings]) == code


@pytest.mark.parametrize(
    "length", [b"", b"-1", b"+3", b"0x3", b"1 0", b"1_0", b"3.0", b"\xb2", b"3, 3", b"3,4"]
)
def test_what_is_no_length_is_refused(length: bytes) -> None:
    assert code_of(b"/", (b"content-length", length)) == "bad_framing"


def test_two_ways_of_framing_are_refused() -> None:
    length, chunked = (b"content-length", b"0"), (b"transfer-encoding", b"chunked")
    assert code_of(b"/", length, chunked) == code_of(b"/", length, length) == "bad_framing"
    assert code_of(b"/", chunked, version="1.0") == "bad_framing"


def test_faults_are_judged_in_the_order_of_the_contract() -> None:
    bad_length, bad_field = (b"content-length", b"x"), (b"x", b"\x00")
    assert code_of(b"/#", bad_field) == "request_line"
    assert code_of(b"/%00", bad_length, bad_field, host=False) == "bad_header"
    assert code_of(b"/%00", bad_length, host=False) == "bad_framing"
    assert code_of(b"/%00?%ff", host=False) == "bad_host"
    assert code_of(b"/%00?%ff") == "bad_percent"


@pytest.mark.parametrize(
    ("value", "cookies"),
    [
        (b"a=1; b=2;;\t ;c", [("a", "1"), ("b", "2"), ("", "c")]),
        (b'a="1; 2"; b = c=d ', [("a", '"1'), ("", '2"'), ("b", "c=d")]),
        (b"a=1, b=2;=;=v; \xe9=%C3+", [("a", "1, b=2"), ("", ""), ("", "v"), ("é", "%C3+")]),
        (b"a=1;a=2", [("a", "1"), ("a", "2")]),
    ],
)
def test_cookies_are_verbatim(value: bytes, cookies: list[tuple[str, str]]) -> None:
    assert [tuple(pair) for pair in head_of(b"/", (b"cookie", value)).cookies] == cookies


def test_several_cookie_lines_are_one() -> None:
    assert head_of(b"/", (b"cookie", b"a=1"), (b"cookie", b"b=2")).field("cookie") == "a=1; b=2"


@pytest.mark.parametrize(
    ("value", "auth"),
    [
        (b"", None),
        (b"basic  dTpw", BasicCredentials("u", "p")),
        (b"BASIC dTpwOnE=", BasicCredentials("u", "p:q")),
        (b"Basic Og==", BasicCredentials("", "")),
        (b"Basic w6k6eA==", BasicCredentials("é", "x")),
        (b"Basic 6Tp4", BasicCredentials("é", "x")),
        (b"Basic\tdTpw", OtherCredentials("basic", "\tdTpw")),
        (b"Basic", OtherCredentials("basic", "")),
        (b"Basic dXA=", OtherCredentials("basic", "dXA=")),
        (b"Basic dTpw=", OtherCredentials("basic", "dTpw=")),
        (b"Basic Oh==", OtherCredentials("basic", "Oh==")),
        (b"Basic dT pw", OtherCredentials("basic", "dT pw")),
        (b"Basic dToA", OtherCredentials("basic", "dToA")),
        (b"Basic \xe9", OtherCredentials("basic", "é")),
        (b"Bearer a  b", OtherCredentials("bearer", "a  b")),
        (b"dTpw", OtherCredentials("dtpw", "")),
    ],
)
def test_authorization_is_shown_and_never_refused(
    value: bytes, auth: BasicCredentials | OtherCredentials | None
) -> None:
    assert head_of(b"/", (b"authorization", value)).auth == auth


REFUSED_BY_H11 = {
    "a-space-in-the-target": (b"GET /a b HTTP/1.1\r\nHost: h", "request_line"),
    "no-version": (b"GET /\r\nHost: h", "request_line"),
    "a-method-that-is-no-token": (b"GE(T / HTTP/1.1\r\nHost: h", "request_line"),
    "nothing": (b"", "request_line"),
    "an-empty-line-first": (b"\r\nGET / HTTP/1.10\r\nHost: h", "request_line"),
    "no-colon": (b"GET / HTTP/1.1\r\nHost: h\r\nX", "bad_header"),
    "a-blank-before-the-colon": (b"GET / HTTP/1.1\r\nHost : h", "bad_header"),
    "a-fold": (b"GET / HTTP/1.1\r\nHost: h\r\n x", "bad_header"),
    "nul": (b"GET / HTTP/1.1\r\nHost: h\r\nX: \0", "bad_header"),
    "nul-in-host": (b"GET / HTTP/1.1\r\nHost: \0", "bad_host"),
    "no-host": (b"GET / HTTP/1.1", "bad_host"),
    "a-length-of-21-digits": (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: " + b"9" * 21, "body_too_large"),
    "gzip-chunked": (
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked",
        "unsupported_transfer_coding",
    ),
    "nothing-that-we-see": (b"GET / HTTP/1.1\r\nHost: h", "bad_header"),
}


@pytest.mark.parametrize(("head", "code"), REFUSED_BY_H11.values(), ids=REFUSED_BY_H11)
def test_a_head_that_h11_refused_has_the_problem_of_its_bytes(head: bytes, code: str) -> None:
    assert diagnose(head + b"\r\n\r\nbody", LIMITS).code == code


def test_sent_fields_know_their_size() -> None:
    lines = sent_fields(b"GET / HTTP/1.1\r\nA:  b \r\nC:d\r\n\r\nE: f\r\n\r\n")
    assert list(lines) == [FieldLine(b"A", b"  b ", 8), FieldLine(b"C", b"d", 5)]
    line = RequestLine(b"GET", b"/", b"HTTP/1.0")
    limits = replace(LIMITS, max_field_line=7)
    assert outcome(read_head, line, [FieldLine(b"A", b"  b ", 8)], limits) == "headers_too_large"


TRAILERS = {
    "plain": ([(b"x", b"y"), (b"x", b"z"), (b"expect", b"foo")], None),
    "a-type-when-the-head-has-none": ([(b"content-type", b"a/b")], None),
    "100": ([(b"x", b"y")] * 100, None),
    "underscores-do-not-count": ([(b"x_y", b"y")] * 101, None),
    "101": ([(b"x", b"y")] * 101, "bad_chunk"),
    "too-large": ([(b"x", b"y" * 8190)], "bad_chunk"),
    "a-control-character": ([(b"x", b"\x01")], "bad_chunk"),
    "two-types": ([(b"content-type", b"a/b")] * 2, "bad_chunk"),
    **{
        name.decode(): ([(name, b"x")], "bad_chunk")
        for name in (b"host", b"content-length", b"transfer-encoding", b"te", b"trailer", b"authorization")
    },
}


@pytest.mark.parametrize(("fields", "code"), TRAILERS.values(), ids=TRAILERS)
def test_trailers(fields: list[tuple[bytes, bytes]], code: str | None) -> None:
    lines = [FieldLine(name, value, len(name) + len(value) + 4) for name, value in fields]
    assert outcome(judge_trailers, lines, LIMITS, has_type=False) == code


def test_a_type_in_the_trailers_is_a_second_one_when_the_head_has_one() -> None:
    line = FieldLine(b"content-type", b"a/b", 20)
    assert outcome(judge_trailers, [line], LIMITS, has_type=True) == "bad_chunk"
