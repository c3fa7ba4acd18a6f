"""A head as bytes, checked while it arrives: what WSGI hides and gunicorn does not (reach G and W)."""

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.flask_reading.wire_head import WireHead

REQUEST = b"GET /a?b=c HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"


def outcome(data: bytes, *, size: int = 0) -> str:
    """`complete`, `more`, or the code of the problem, when the bytes come in pieces of `size`."""
    wire = WireHead(Limits())
    size = size or len(data)
    try:
        for position in range(0, len(data), size):
            if wire.feed(data[position : position + size]):
                return "complete"
    except Problem as problem:
        return problem.code
    return "more"


def values(*lines: bytes) -> dict[str, list[str]]:
    wire = WireHead(Limits())
    assert wire.feed(REQUEST + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
    return wire.fields


LINES: dict[str, tuple[bytes, str]] = {
    "R14 two blanks": (b"GET  / HTTP/1.1\r\n", "request_line"),
    "R14 TAB": (b"GET\t/ HTTP/1.1\r\n", "request_line"),
    "R14 blank first": (b" GET / HTTP/1.1\r\n", "request_line"),
    "R14 blank last": (b"GET / HTTP/1.1 \r\n", "request_line"),
    "R15": (b"GET /a b HTTP/1.1\r\n", "request_line"),
    "R13": (b"GET /\r\n", "request_line"),
    "R10": (b"GET / HTTP/2.0\r\n", "unsupported_version"),
    "R10 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "request_line"),
    "R17 two CRLF": (b"\r\n\r\n" + REQUEST, "request_line"),
    "R17 LF": (b"\n" + REQUEST, "request_line"),
    "R18": (b"GET / HTTP/1.1\nHost: x\n\n", "request_line"),
    "R19": (b"GET / HTTP/1.1\rHost: x\r\n", "request_line"),
    "R41 without end": (b"G" * 8191, "uri_too_long"),
    "H1": (REQUEST + HOST + b"X: a\r\n b\r\n", "bad_header"),
    "H2": (REQUEST + b" " + HOST, "bad_header"),
    "H3": (REQUEST + HOST + b" \r\n", "bad_header"),
    "H4": (REQUEST + b"X: a\rb\r\n", "bad_header"),
    "H5": (REQUEST + b"X: a\n", "bad_header"),
    "H5 in Host": (REQUEST + b"Host: a\n", "bad_header"),
    "H6": (REQUEST + HOST + b"\r\r\n", "bad_header"),
    "H7": (REQUEST + b"X-A : 1\r\n", "bad_header"),
    "H8": (REQUEST + b"Content-Length : 3\r\n", "bad_header"),
    "H9 blank": (REQUEST + b"X A: 1\r\n", "bad_header"),
    "H9 colon": (REQUEST + b"X-A\r\n", "bad_header"),
    "H10": (REQUEST + b": 1\r\n", "bad_header"),
    "H12": (REQUEST + b"X: \0\r\n", "bad_header"),
    "H12 in Host": (REQUEST + b"Host: a\0\r\n", "bad_host"),
    "H12 in Content-Length": (REQUEST + b"Content-Length: 3\0\r\n", "bad_framing"),
    "H12 in Transfer-Encoding": (REQUEST + b"Transfer-Encoding: \x0bchunked\r\n", "bad_framing"),
    "H15": (REQUEST + b"X(: 1\r\n", "bad_header"),
    "H15 beyond ASCII": (REQUEST + b"X\xe9: 1\r\n", "bad_header"),
    "H17 malformed": (REQUEST + b"X_A : 1\r\n", "bad_header"),
    "H22": (REQUEST + b"Content-Type: a/b\r\ncontent-type: a/b\r\n", "bad_header"),
    "H24": (REQUEST + b"\r\n", "bad_host"),
    "H24 absolute-form": (b"GET http://h/ HTTP/1.1\r\n\r\n", "bad_host"),
    "H26": (REQUEST + HOST + HOST + b"\r\n", "bad_host"),
    "H29": (REQUEST + HOST + b"X: y\r\n" * 100, "headers_too_large"),
    "H29 with a dropped name": (REQUEST + HOST + b"X: y\r\n" * 99 + b"X_A: y\r\n", "headers_too_large"),
    "H30": (REQUEST + b"X: " + b"x" * 8186 + b"\r\n", "headers_too_large"),
    "H30 and malformed": (REQUEST + b"X" * 8190 + b"\r\n", "headers_too_large"),
    "H30 without end": (REQUEST + b"X: " + b"x" * 8186, "headers_too_large"),
    "H35": (REQUEST + b"Expect: foo\r\n", "expectation_failed"),
    "B8": (REQUEST + HOST + b"Content-Length: 3\r\n" * 2 + b"\r\n", "bad_framing"),
    "B16": (
        REQUEST + HOST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "bad_framing",
    ),
    "B20": (REQUEST + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", "bad_framing"),
    "cut off": (REQUEST + HOST, "more"),
    "cut off in a line": (REQUEST + HOST + b"X", "more"),
    "R16 and cut off": (b"\r\n", "more"),
    "bare CR in a line without end": (REQUEST + b"X: a\rb", "more"),
    "R1": (REQUEST + HOST + b"\r\n", "complete"),
    "R16": (b"\r\n" + REQUEST + HOST + b"\r\n", "complete"),
    "H24 on HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", "complete"),
    "H29 100 fields": (REQUEST + HOST + b"X: y\r\n" * 99 + b"\r\n", "complete"),
    "H30 8190 bytes": (REQUEST + HOST + b"X: " + b"x" * 8185 + b"\r\n\r\n", "complete"),
    "B38": (b"GET / HTTP/1.0\r\nExpect: foo\r\n\r\n", "complete"),
}


@pytest.mark.parametrize("data, expected", LINES.values(), ids=LINES)
def test_head_is_checked_alike_in_every_split(data: bytes, expected: str) -> None:
    assert outcome(data) == expected
    assert {outcome(data, size=size) for size in (1, 2, 3, 7)} == {expected}


def test_problem_comes_with_the_line_not_with_the_head() -> None:
    wire = WireHead(Limits())
    assert not wire.feed(REQUEST)
    with pytest.raises(Problem):
        wire.feed(b"X A: 1\r\n")


def test_what_follows_the_head_is_kept() -> None:
    wire = WireHead(Limits())
    assert wire.feed(REQUEST + HOST + b"\r\nbody")
    assert wire.rest == b"body"
    assert wire.head is not None and wire.head.target == "/a?b=c"


def test_lines_of_one_name_are_kept_apart() -> None:
    assert values(b"X-A: 1", b"x-a:\t2 ", b"X_A: 3", b"Cookie: a", b"Cookie: b") == {
        "host": ["localhost"],
        "x-a": ["1", "2"],
        "cookie": ["a", "b"],
    }


def test_all_token_characters_make_a_name() -> None:
    assert values(b"!#$%&'*+-.^`|~1: v")["!#$%&'*+-.^`|~1"] == ["v"]


def test_dropped_fields_do_not_count() -> None:
    assert outcome(REQUEST + HOST + b"X_A: y\r\n" * 10000 + b"\r\n") == "complete"


def test_lines_with_bare_line_ends_beat_the_wait_for_a_crlf() -> None:
    assert outcome(b"GET / HTTP/1.1\nHost: x\n\n") == "request_line"
    assert outcome(REQUEST + b"Host: x\n\n") == "bad_header"
