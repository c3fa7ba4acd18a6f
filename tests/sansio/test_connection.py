"""RequestReader: from the bytes of a connection to events (rules R, H and B; contract section 4)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, Pair
from servers.sansio.connection import BodyComplete, HeadReceived, RequestReader
from servers.sansio.stream import NEED_DATA, Role
from tests.sansio.splits import bytewise, two_way
from tests.sansio.transcripts import LIMITS, read_requests, request

_HOST = b"Host: h\r\n"
_LINE = b"GET / HTTP/1.1\r\n"


def test_a_whole_request_is_read() -> None:
    head = request(
        b"POST /a%20b?q=1&q HTTP/1.1\nHost: localhost:8000\nB: 2\nA: 1\nCookie: x=y\n"
        b"Authorization: Basic dTpw\nContent-Length: 3",
        b"abc",
    ).head
    assert (head.method, head.target, head.path, head.host) == (
        "POST",
        "/a%20b?q=1&q",
        "/a b",
        "localhost:8000",
    )
    assert head.args == (Pair("q", "1"), Pair("q", ""))
    assert [pair.name for pair in head.headers] == [
        "a",
        "authorization",
        "b",
        "content-length",
        "cookie",
        "host",
    ]
    assert head.cookies == (Pair("x", "y"),)
    assert head.auth == BasicCredentials("u", "p")
    assert (head.content_length, head.chunked, head.last_segment) == (3, False, "a b")


@pytest.mark.parametrize("fields", [b"Host: other\r\n", b""])
def test_the_authority_of_the_target_replaces_host(fields: bytes) -> None:
    """R2: also if an HTTP/1.0 request has no Host."""
    head = read_requests([b"GET http://o.example:81/p HTTP/1.0\r\n" + fields + b"\r\n"]).head
    assert (head.host, head.headers, head.target) == ("o.example:81", (Pair("host", "o.example:81"),), "/p")


@pytest.mark.parametrize(
    ("data", "heads", "problem"),
    [
        pytest.param(b"\r\n" + _LINE + _HOST + b"\r\n", 1, None, id="R16"),
        pytest.param(b"\r\n\r\n" + _LINE + _HOST + b"\r\n", 0, "request_line", id="R17"),
        pytest.param(b"\n" + _LINE + _HOST + b"\r\n", 0, "request_line", id="R17: LF"),
        pytest.param(b"GET / HTTP/1.1\n" + _HOST + b"\r\n", 0, "request_line", id="R18"),
        pytest.param(b"GET /\r HTTP/1.1\r\n" + _HOST + b"\r\n", 0, "request_line", id="R19"),
        pytest.param(b"GET / HTTP/1.1\r\r\n", 0, "request_line", id="R19: CR CR LF"),
        pytest.param(b"GET " + b"/" * 8177 + b" HTTP/1.1\r\n" + _HOST + b"\r\n", 1, None, id="R41: 8190"),
        pytest.param(
            b"GET " + b"/" * 8178 + b" HTTP/1.1\r\n" + _HOST + b"\r\n", 0, "uri_too_long", id="R41: 8191"
        ),
        pytest.param(b"G(T " + b"/" * 9000, 0, "uri_too_long", id="R41: before the method"),
        pytest.param(b"\x16\x03\x01\n", 0, "request_line", id="R42: a TLS hello"),
        pytest.param(_LINE + _HOST + b"A: 1\n\r\n", 0, "bad_header", id="H5"),
        pytest.param(_LINE + _HOST + b"A: 1\r\n\n", 0, "bad_header", id="H5: the end"),
        pytest.param(_LINE + _HOST + b"A: 1\r\r\n\r\n", 0, "bad_header", id="H6"),
        pytest.param(_LINE + _HOST + b"A: 1\r\n 2\r\n\r\n", 0, "bad_header", id="H1"),
        pytest.param(_LINE + _HOST + b"A: " + b"x" * 8185 + b"\r\n\r\n", 1, None, id="H30: 8190"),
        pytest.param(
            _LINE + _HOST + b"A: " + b"x" * 8186 + b"\r\n\r\n", 0, "headers_too_large", id="H30: 8191"
        ),
        pytest.param(_LINE + b"x" * 8191, 0, "headers_too_large", id="H30: an incomplete line"),
        pytest.param(_LINE + b"\r\n", 0, "bad_host", id="H24"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", 1, None, id="H25"),
        pytest.param(_LINE + _HOST + b"Content-Length: 3\r\n\r\nab", 1, "body_truncated", id="B2"),
        pytest.param(_LINE + _HOST + b"Content-Length: 2\r\n\r\nab", 1, None, id="B1"),
        pytest.param(b"", 0, None, id="nothing"),
        pytest.param(b"\r\n", 0, None, id="an empty line alone"),
        pytest.param(b"GET", 0, None, id="R42: the end in the request line"),
        pytest.param(_LINE + _HOST[:-2], 0, None, id="R42: the end in a field line"),
        pytest.param(_LINE + _HOST, 0, None, id="R42: the end before the empty line"),
        pytest.param(b"BAD\r\n", 0, "request_line", id="R42: a fault in a complete line"),
    ],
)
def test_a_connection_for_every_split(data: bytes, heads: int, problem: str | None) -> None:
    whole = read_requests([data])
    assert (len(whole.heads), whole.problem, whole.closed) == (heads, problem, problem is None)
    for pieces in two_way(data) if len(data) < 1000 else ():
        assert read_requests(pieces) == whole, pieces
    assert read_requests(bytewise(data)) == whole


@pytest.mark.parametrize(
    ("head", "code"),
    [
        pytest.param(b"GET foo HTTP/1.1\nBAD", "request_line", id="1 before 2"),
        pytest.param(b"GET / HTTP/1.1\nBAD\nContent-Length: x", "bad_header", id="2 before 3"),
        pytest.param(b"GET / HTTP/1.1\nExpect: x\nBAD", "expectation_failed", id="2 in order of arrival"),
        pytest.param(b"GET / HTTP/1.1\nContent-Length: x\nBAD", "bad_header", id="2 before 3, in any order"),
        pytest.param(b"GET / HTTP/1.1\nContent-Length: x", "bad_framing", id="3 before 4"),
        pytest.param(b"GET /%00 HTTP/1.1", "bad_host", id="4 before 5"),
        pytest.param(b"GET /%00 HTTP/1.1\nHost: h", "bad_percent", id="5"),
    ],
)
def test_the_order_of_the_checks(head: bytes, code: str) -> None:
    """Contract section 4, steps 1 to 5."""
    assert request(head).problem == code


def test_several_requests_for_every_split() -> None:
    """B45, B4: each request begins with the byte after the previous one."""
    data = (
        b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /"
        b"POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n"
        b"\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n"
        b"GET /4 HTTP/1.0\r\n\r\n"
    )
    whole = read_requests([data])
    assert [received.head.path for received in whole.heads] == ["/1", "/2", "/3", "/4"]
    assert whole.bodies == [b"GET /", b"abc", b"", b""]
    assert (whole.complete, whole.closed) == (4, True)
    for pieces in [*two_way(data), bytewise(data)]:
        assert read_requests(pieces) == whole, pieces


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\nHost: h", True),
        (b"GET / HTTP/1.1\nHost: h\nConnection: close", False),
        (b"GET / HTTP/1.1\nHost: h\nConnection: foo, \tCLOSE ", False),
        (b"GET / HTTP/1.1\nHost: h\nConnection: foo\nConnection: close", False),
        (b"GET / HTTP/1.1\nHost: h\nConnection: closed", True),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\nConnection: Keep-Alive", True),
        (b"GET / HTTP/1.0\nConnection: keep-alive, close", False),
    ],
)
def test_keep_alive(head: bytes, keep_alive: bool) -> None:
    """B45, RFC 9112 9.3."""
    (received,) = request(head).heads
    assert received.keep_alive == keep_alive


@pytest.mark.parametrize(
    ("head", "expects", "has_body"),
    [
        (b"POST / HTTP/1.1\nHost: h\nContent-Length: 1\nExpect: 100-Continue", True, True),
        (b"POST / HTTP/1.1\nHost: h\nContent-Length: 0\nExpect: 100-continue", True, False),
        (b"POST / HTTP/1.1\nHost: h\nExpect: 100-continue", True, False),
        (b"POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked", False, True),
        (b"POST / HTTP/1.0\nContent-Length: 1\nExpect: 100-continue", False, True),
        (b"POST / HTTP/1.0\nContent-Length: 1\nExpect: anything", False, True),
    ],
)
def test_whether_the_client_waits_for_a_100(head: bytes, expects: bool, has_body: bool) -> None:
    """B37, B38."""
    (received,) = request(head, b"").heads
    assert (received.expects_continue, received.has_body) == (expects, has_body)


def test_a_problem_is_raised_again_and_nothing_after_it_is_read() -> None:
    reader = RequestReader(LIMITS)
    reader.feed(b"BAD\r\n" + _LINE + _HOST + b"\r\n")
    with pytest.raises(Problem) as first:
        reader.next_event()
    reader.feed(_LINE)
    for _ in range(3):
        with pytest.raises(Problem) as again:
            reader.next_event()
        assert again.value is first.value


def test_buffered_counts_the_bytes_that_no_event_has_consumed() -> None:
    reader = RequestReader(LIMITS)
    reader.feed(_LINE + _HOST + b"Content-Length: 3\r\n\r\nab")
    assert isinstance(reader.next_event(), HeadReceived)
    assert reader.buffered == 2
    reader.next_event()
    assert (reader.buffered, reader.next_event()) == (0, NEED_DATA)
    reader.feed(b"cGET")
    reader.next_event()
    assert isinstance(reader.next_event(), BodyComplete)
    assert reader.buffered == 3


def test_the_limits_of_a_head_can_be_set() -> None:
    limits = dataclasses.replace(Limits(), max_request_line=16, max_field_line=11, max_fields=2)
    good = b"GET /ab HTTP/1.1\r\nHost: abc\r\nA: 1\r\n\r\n"
    assert read_requests([good], limits).problem is None
    assert read_requests([good.replace(b"/ab", b"/abc")], limits).problem == "uri_too_long"
    assert read_requests([good.replace(b"abc\r", b"abcd\r")], limits).problem == "headers_too_large"
    assert read_requests([good.replace(b"A: 1", b"A: 1\r\nB: 2")], limits).problem == "headers_too_large"


def test_a_trace_gets_every_byte_once_and_in_order() -> None:
    traced: list[tuple[Role, bytes]] = []
    reader = RequestReader(LIMITS, lambda role, data: traced.append((role, bytes(data))))
    data = (
        b"\r\nPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX: 1\r\n\r\n"
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nde"
    )
    for piece in bytewise(data):
        reader.feed(piece)
        while reader.next_event() is not NEED_DATA:
            pass
    assert b"".join(raw for _, raw in traced) == data
    assert b"".join(raw for role, raw in traced if role is Role.BODY) == b"abcde"
