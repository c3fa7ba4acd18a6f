"""The request line and its target (rules R1 to R42)."""

import pytest

from servers.contract.request import Pair
from servers.sansio.target import RequestLine, decode_target, parse_request_line
from tests.refusals import refusal_code

_MALFORMED = [
    ("R2: userinfo", b"GET http://u@h/ HTTP/1.1"),
    ("R2: empty host", b"GET http:/// HTTP/1.1"),
    ("R2: empty host with a port", b"GET http://:80/ HTTP/1.1"),
    ("R2: another scheme", b"GET ftp://h/ HTTP/1.1"),
    ("R4: an open bracket", b"GET http://[x/ HTTP/1.1"),
    ("R4: a port out of range", b"GET http://h:65536/ HTTP/1.1"),
    ("R6: asterisk-form without OPTIONS", b"GET * HTTP/1.1"),
    ("R6: a path without its slash", b"GET foo HTTP/1.1"),
    ("R6: authority-form without CONNECT", b"GET h:80 HTTP/1.1"),
    ("R6: more than an asterisk", b"OPTIONS *a HTTP/1.1"),
    ("R10: the preface of HTTP/2", b"PRI * HTTP/2.0"),
    ("R11: lower case", b"GET / http/1.1"),
    ("R11: one digit", b"GET / HTTP/1"),
    ("R11: another protocol", b"GET / HTTPS/1.1"),
    ("R11: without a slash", b"GET / HTTP1.1"),
    ("R11: no version", b"GET / "),
    ("R12: 01.1", b"GET / HTTP/01.1"),
    ("R12: 1.10", b"GET / HTTP/1.10"),
    ("R12: 1.", b"GET / HTTP/1."),
    ("R12: Arabic digits", "GET / HTTP/\u0661.\u0661".encode()),
    ("R13: HTTP/0.9", b"GET /"),
    ("R14: two spaces", b"GET  / HTTP/1.1"),
    ("R14: two spaces before the version", b"GET /  HTTP/1.1"),
    ("R14: tabs", b"GET\t/\tHTTP/1.1"),
    ("R14: a space first", b" GET / HTTP/1.1"),
    ("R14: a space last", b"GET / HTTP/1.1 "),
    ("R15: a space inside the target", b"GET /a b HTTP/1.1"),
    ("R17: an empty line", b""),
    ("R26: raw UTF-8", "GET /\u00e9 HTTP/1.1".encode()),
    ("R26: raw 0xFF", b"GET /\xff HTTP/1.1"),
    ("R27: NUL", b"GET /\x00 HTTP/1.1"),
    ("R27: DEL", b"GET /\x7f HTTP/1.1"),
    ("R27: TAB", b"GET /a\tb HTTP/1.1"),
    ("R29: a fragment", b"GET /a#b HTTP/1.1"),
    ("R29: a fragment in absolute-form", b"GET http://h/#b HTTP/1.1"),
    ("R40: no token", b"GE(T / HTTP/1.1"),
    ("R40: an empty method", b" / HTTP/1.1"),
    ("R40: a byte beyond ASCII", b"G\xc9T / HTTP/1.1"),
    ("R42: a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00"),
    ("left to right: method before target", b"G(T /\x00 HTTP/1.1"),
    ("left to right: target before version", b"GET foo HTTP/2.0"),
]


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in _MALFORMED])
def test_a_malformed_request_line_is_refused(line: bytes) -> None:
    assert refusal_code(parse_request_line, line) == "request_line"


@pytest.mark.parametrize("version", [b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"])
def test_another_major_version_is_unsupported(version: bytes) -> None:
    """R10."""
    assert refusal_code(parse_request_line, b"GET / " + version) == "unsupported_version"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"GET /a?b=c HTTP/1.1", RequestLine("GET", b"/a?b=c", 1), id="R1"),
        pytest.param(b"GET / HTTP/1.0", RequestLine("GET", b"/", 0), id="R8"),
        pytest.param(b"GET / HTTP/1.2", RequestLine("GET", b"/", 2), id="R9"),
        pytest.param(b"GET / HTTP/1.9", RequestLine("GET", b"/", 9), id="R9: 1.9"),
        pytest.param(
            b"GET http://o.example:81/p?q=1 HTTP/1.1",
            RequestLine("GET", b"/p?q=1", 1, "o.example:81"),
            id="R2",
        ),
        pytest.param(b"GET HTTP://H/ HTTP/1.1", RequestLine("GET", b"/", 1, "H"), id="R2: any case"),
        pytest.param(b"GET http://h HTTP/1.1", RequestLine("GET", b"/", 1, "h"), id="R3"),
        pytest.param(b"GET http://h?q=1 HTTP/1.1", RequestLine("GET", b"/?q=1", 1, "h"), id="R3: a query"),
        pytest.param(
            b"GET http://h//a HTTP/1.1", RequestLine("GET", b"//a", 1, "h"), id="R31: inner slashes"
        ),
        pytest.param(b"GET http://[::1]:8/ HTTP/1.1", RequestLine("GET", b"/", 1, "[::1]:8"), id="R2: IPv6"),
        pytest.param(
            b"GET https://h/ HTTP/1.1",
            RequestLine("GET", b"/", 1, "h", https=True),
            id="R2: checked at step 7",
        ),
        pytest.param(b"OPTIONS * HTTP/1.1", RequestLine("OPTIONS", b"*", 1), id="R5"),
        pytest.param(b"CONNECT h:80 HTTP/1.1", RequestLine("CONNECT", b"h:80", 1), id="R7"),
        pytest.param(b"CONNECT /a HTTP/1.1", RequestLine("CONNECT", b"/a", 1), id="R7: any target"),
        pytest.param(b'GET /[]{}|"<>^`\\ HTTP/1.1', RequestLine("GET", b'/[]{}|"<>^`\\', 1), id="R28"),
        pytest.param(b"get / HTTP/1.1", RequestLine("get", b"/", 1), id="R38"),
        pytest.param(b"BREW / HTTP/1.1", RequestLine("BREW", b"/", 1), id="R39"),
        pytest.param(b"!#$%&'*+-.^_`|~1 / HTTP/1.1", RequestLine("!#$%&'*+-.^_`|~1", b"/", 1), id="R40"),
    ],
)
def test_a_request_line(line: bytes, expected: RequestLine) -> None:
    assert parse_request_line(line) == expected


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(b"/%41%20", "/A ", id="R20"),
        pytest.param(b"/a%2Fb%2fc", "/a%2Fb%2fc", id="R21"),
        pytest.param(b"/%zz/%4/%", "/%zz/%4/%", id="R22"),
        pytest.param(b"/%2525", "/%25", id="R25"),
        pytest.param(b"/a/../b/%2e%2e", "/a/../b/..", id="R30"),
        pytest.param(b"//a//b", "/a//b", id="R31"),
        pytest.param(b"///", "/", id="R31: slashes alone"),
        pytest.param(b"/%2F/a", "/%2F/a", id="R31: an encoded slash is none of the run"),
        pytest.param(b"/a;p=1", "/a;p=1", id="R32"),
        pytest.param(b"/a+b", "/a+b", id="a plus is not a blank in a path"),
        pytest.param(b"/%C3%A9", "/\u00e9", id="R24: UTF-8"),
        pytest.param(b"*", "*", id="R5"),
    ],
)
def test_a_path(target: bytes, path: str) -> None:
    assert decode_target(target).path == path


@pytest.mark.parametrize(
    ("target", "segment"),
    [
        (b"/", ""),
        (b"/upload/a.txt", "a.txt"),
        (b"/upload/a%2Fb%20c", "a/b c"),
        (b"/upload/%2e%2e", ".."),
        (b"/upload/100%", "100%"),
        (b"/upload/a?b=/c", "a"),
        (b"//a", "a"),
        (b"/%41/", ""),
    ],
)
def test_the_last_segment_is_fully_decoded(target: bytes, segment: str) -> None:
    assert decode_target(target).last_segment == segment


@pytest.mark.parametrize(
    ("target", "args"),
    [
        pytest.param(b"/?x=1;y=2", [("x", "1;y=2")], id="R32"),
        pytest.param(b"/??x=1?2", [("?x", "1?2")], id="R33"),
        pytest.param(b"/?", [], id="R34"),
        pytest.param(b"/", [], id="R34: none"),
        pytest.param(
            b"/?a&b=&=c&&d=1&d=2", [("a", ""), ("b", ""), ("", "c"), ("d", "1"), ("d", "2")], id="R35"
        ),
        pytest.param(b"/?%zz=%4&%", [("%zz", "%4"), ("%", "")], id="R36"),
        pytest.param(b"/?a=%00%0d%0a%7f", [("a", "\0\r\n\x7f")], id="R23: controls are for the path alone"),
        pytest.param(b"/?a=%2F%2f/", [("a", "///")], id="R21: slashes are for the path alone"),
    ],
)
def test_a_query(target: bytes, args: list[tuple[str, str]]) -> None:
    assert decode_target(target).args == tuple(Pair(*arg) for arg in args)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        *(pytest.param(b"/%%%02x" % octet, "bad_percent", id=f"R23: {octet:#04x}") for octet in range(32)),
        pytest.param(b"/%7F", "bad_percent", id="R23: DEL"),
        pytest.param(b"/%00%ff", "bad_percent", id="R23 goes before R24"),
        pytest.param(b"/%00?%ff", "bad_percent", id="the path goes before the query"),
        pytest.param(b"/%ff%fe", "target_not_utf8", id="R24"),
        pytest.param(b"/%c0%af", "target_not_utf8", id="R24: overlong"),
        pytest.param(b"/%ed%a0%80", "target_not_utf8", id="R24: a surrogate"),
        pytest.param(b"/%c3", "target_not_utf8", id="R24: incomplete"),
        pytest.param(b"/?%ff", "target_not_utf8", id="R37"),
        pytest.param(b"/?a=%c3&b=%a9", "target_not_utf8", id="R37: over two values"),
    ],
)
def test_a_target_that_does_not_decode_is_refused(target: bytes, code: str) -> None:
    assert refusal_code(decode_target, target) == code
