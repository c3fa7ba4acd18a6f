"""Heads, cookies, targets and chunks: the readings against each other and against the standard library."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException, HTTPResponse
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.flask_reading.wire_head import WireHead
from servers.sansio.connection import HeadReceived, RequestReader
from tests.parsers import DECHUNK, LIMITS, dechunk_flask, decode_chunks
from tests.sansio.splits import by_sizes

_Head = RequestHead | str | None


def _sansio_head(pieces: Sequence[bytes]) -> _Head:
    """The head, the code of its refusal, or None when it was cut off."""
    reader = RequestReader(LIMITS)
    try:
        for piece in pieces:
            reader.feed(piece)
            event = reader.next_event()
            if isinstance(event, HeadReceived):
                return event.head
    except Problem as problem:
        return problem.code
    return None


def _flask_head(pieces: Sequence[bytes]) -> _Head:
    wire = WireHead(LIMITS)
    try:
        for piece in pieces:
            if wire.feed(piece):
                return wire.head
    except Problem as problem:
        return problem.code
    return None


HEADS: Sequence[Callable[[Sequence[bytes]], _Head]] = (_sansio_head, _flask_head)

_LINES = (
    *(
        b"Host: h\r\n",
        b"Host: h\r\n",
        b"host: a:80\r\n",
        b"Host:\r\n",
        b"X-A: 1\r\n",
        b"X_A: 2\r\n",
        b"X-A:\t\r\n",
    ),
    *(
        b"Content-Length: 3\r\n",
        b"Content-Length: 03\r\n",
        b"content-length: -1\r\n",
        b"Content-Length : 1\r\n",
    ),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, Chunked\r\n", b"Transfer-Encoding:\r\n"),
    *(
        b"Expect: 100-continue\r\n",
        b"Expect: x\r\n",
        b"Content-Type: a/b\r\n",
        b"content-type: text/plain\r\n",
    ),
    *(b"Cookie: a=1; b\r\n", b"Cookie: c=2\r\n", b"Authorization: Basic dTpw\r\n", b"authorization: x y\r\n"),
    *(
        b" fold\r\n",
        b"no colon\r\n",
        b": 1\r\n",
        b"X-A: \x00\r\n",
        b"X-A: \xe9\r\n",
        b"\n",
        b"\r",
        b"X-A: 1\n",
    ),
)
_TARGETS = (
    *(b"/", b"/a%2fb?x=1&x=2", b"*", b"/%zz?%zz", b"/%ff", b"/?%ff", b"/%00", b"//a", b"a", b"/#", b"/\xe9"),
    *(
        b"http://h/a?b",
        b"http://h",
        b"http://u@h/",
        b"http:///",
        b"https://h/",
        b"ftp://h/",
        b"HTTP://[::1]:1?q",
    ),
)
_REQUEST_LINES = st.builds(
    lambda before, method, target, version, end: before + method + b" " + target + b" " + version + end,
    st.sampled_from((b"", b"", b"", b"\r\n", b"\r\n\r\n", b" ")),
    st.sampled_from((b"GET", b"POST", b"OPTIONS", b"CONNECT", b"get", b"BREW", b"G(T", b"")),
    st.sampled_from(_TARGETS),
    st.sampled_from(
        (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"")
    ),
    st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b" \r\n")),
)
_HEAD_BYTES = st.builds(
    lambda line, fields, end: line + b"".join(fields) + end,
    _REQUEST_LINES,
    st.lists(st.sampled_from(_LINES), max_size=6),
    st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"", b"\n")),
)
_CUTS = st.lists(st.integers(1, 40), max_size=6)


@given(_HEAD_BYTES, _CUTS)
def test_both_heads_are_read_alike_in_any_cut(head: bytes, sizes: list[int]) -> None:
    """The order of judgement holds for heads: even the code of a refusal is the same."""
    if b"CONNECT" in head:
        return  # its path, which is none, is never shown: 501 whatever it is (R7)
    whole = [read([head]) for read in HEADS]
    assert whole[0] == whole[1]
    assert [read(by_sizes(head, sizes)) for read in HEADS] == whole


# Targets.

_PATHS = st.text(st.characters(categories=("L", "N"), include_characters="/.-_~!$'()*+,;=:@"), max_size=20)


@given(_PATHS, st.lists(st.tuples(_PATHS, _PATHS), max_size=4))
def test_urllib_reads_the_same_of_a_target(path: str, pairs: list[tuple[str, str]]) -> None:
    """What was percent-encoded, every byte of it, comes back; but for `%2F`, which stays (R21)."""
    encoded = b"/x" + b"".join(b"/" if octet == 0x2F else b"%%%02X" % octet for octet in path.encode())
    query = b"&".join(b"%b=%b" % tuple(_percent(text) for text in pair) for pair in pairs)
    target = encoded + b"?" + query
    parts = urlsplit(target.decode())
    for read in HEADS:
        head = read([b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n"])
        assert isinstance(head, RequestHead)
        assert head.path == unquote(parts.path, errors="strict")
        assert list(head.args) == parse_qsl(parts.query, keep_blank_values=True, errors="strict") == pairs


def _percent(text: str) -> bytes:
    return b"".join(b"%%%02x" % octet for octet in text.encode())


# Cookies.

_TOKENS = st.text(st.sampled_from("abcdefgXYZ0123456789!#&'*+-.^_`|~"), min_size=1, max_size=6)
_VALUES = st.text(st.sampled_from("abcXYZ0189!#$%&'()*+-./:<=>?@[]^_`{|}~"), max_size=8)
_ATTRIBUTES = frozenset(
    {
        "expires",
        "path",
        "comment",
        "domain",
        "max-age",
        "secure",
        "httponly",
        "version",
        "samesite",
        "partitioned",
    }
)


def _cookies(field: str) -> list[list[tuple[str, str]]]:
    found = []
    for read in HEADS:
        head = read([b"GET / HTTP/1.1\r\nHost: h\r\nCookie: %b\r\n\r\n" % field.encode("iso-8859-1")])
        assert isinstance(head, RequestHead)
        found.append([(pair.name, pair.value) for pair in head.cookies])
    return found


@given(
    st.dictionaries(
        _TOKENS.filter(lambda name: name.lower() not in _ATTRIBUTES), _VALUES, min_size=1, max_size=4
    )
)
def test_http_cookies_reads_the_same_plain_cookies(cookies: dict[str, str]) -> None:
    field = "; ".join(f"{name}={value}" for name, value in cookies.items())
    expected = [(name, morsel.value) for name, morsel in SimpleCookie(field).items()]
    assert expected == list(cookies.items())
    assert _cookies(field) == [expected, expected]


@pytest.mark.parametrize(
    ("rule", "field", "ours"),
    [
        ("K2", "a=1, b=2", [("a", "1, b=2")]),
        ("K3", 'a="1 2"', [("a", '"1 2"')]),
        ("K4", 'a="1;2"', [("a", '"1'), ("", '2"')]),
        ("K5", 'a="x\\"y\\073"', [("a", '"x\\"y\\073"')]),
        ("K6", "a=1 2 3", [("a", "1 2 3")]),
        ("K7", "a=1; a=2", [("a", "1"), ("a", "2")]),
        ("K8", "a; b=1", [("", "a"), ("b", "1")]),
        ("K12", "a b=1; c=2", [("a b", "1"), ("c", "2")]),
        ("K13", "$Version=1; a=2", [("$Version", "1"), ("a", "2")]),
    ],
)
def test_http_cookies_differs_where_a_rule_says_so(
    rule: str, field: str, ours: list[tuple[str, str]]
) -> None:
    assert _cookies(field) == [ours, ours], rule
    try:
        theirs = [(name, morsel.value) for name, morsel in SimpleCookie(field).items()]
    except CookieError:
        theirs = []
    assert theirs != ours


# Chunks.

_DECODERS = (DECHUNK["sansio"], partial(dechunk_flask, size=100))


class _Socket:
    """As much of a socket as HTTPResponse asks for."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _http_client_chunks(body: bytes) -> bytes | None:
    """http.client's reading of chunks, which is lenient; None when even it gives up."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = HTTPResponse(_Socket(head + body))  # type: ignore[arg-type]
    try:
        response.begin()
        return response.read()
    except (HTTPException, ValueError):
        return None


_CHUNK_TOKENS = (
    *(
        b"3\r\nabc\r\n",
        b"1\r\nx\r\n",
        b"0a\r\n0123456789\r\n",
        b"2;a=b\r\n\r\n\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b"\r\n",
    ),
    *(
        b"0\r\nX-A: 1\r\n\r\n",
        b"0\r\nHost: h\r\n\r\n",
        b"000\r\n",
        b"\n",
        b"\r",
        b"3\r\nab\r\n",
        b"3\nabc\r\n",
        b"x",
    ),
    *(
        b"+1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b"1 \r\nx\r\n",
        b'1;a="\r\nx\r\n',
        b"1;\r\nx\r\n",
        b"ffffffffffffffff\r\n",
    ),
)


@given(st.lists(st.sampled_from(_CHUNK_TOKENS), max_size=6).map(b"".join), _CUTS)
def test_both_take_chunks_apart_alike_in_any_cut(body: bytes, sizes: list[int]) -> None:
    whole = decode_chunks(DECHUNK["sansio"], [body])
    for dechunk in _DECODERS:
        for pieces in ([body], by_sizes(body, sizes)):
            assert decode_chunks(dechunk, pieces) == whole
    if isinstance(whole, bytes):
        assert _http_client_chunks(body) == whole


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.booleans(), _CUTS)
def test_what_was_put_into_chunks_comes_back(data: list[bytes], upper: bool, sizes: list[int]) -> None:
    form = b"0%X\r\n%b\r\n" if upper else b"%x;a=b\r\n%b\r\n"
    body = b"".join(form % (len(piece), piece) for piece in data) + b"0\r\n\r\n"
    for dechunk in _DECODERS:
        assert decode_chunks(dechunk, by_sizes(body, sizes)) == b"".join(data)
    assert _http_client_chunks(body) == b"".join(data)
