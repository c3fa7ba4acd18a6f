"""Shrinking: the smallest request that still has the planted bytes, with a correct length."""

import re

import pytest

from clients.fuzzing.mutations import has_length_of
from clients.fuzzing.shrink import shrink

_HEAD = b"POST /a/long/path?q=1 HTTP/1.1\r\nHost: localhost:8000\r\nX-A: one\r\nX-B: two\r\n"


def with_body(body: bytes) -> bytes:
    return b"%sContent-Length: %d\r\n\r\n%s" % (_HEAD, len(body), body)


def test_a_planted_byte_is_all_that_is_left() -> None:
    assert (
        shrink(with_body(b"text\r\n" * 50 + b"\xfe" + b"more" * 90), lambda data: b"\xfe" in data) == b"\xfe"
    )


def test_two_bytes_that_need_each_other_stay() -> None:
    request = with_body(b"a\r\n" * 30 + b"\xfe" + b"b" * 100 + b"\xfd" + b"c\r\n" * 30)
    assert shrink(request, lambda data: re.search(rb"\xfe.*\xfd", data, re.DOTALL) is not None) == b"\xfe\xfd"


def test_a_correct_length_stays_correct() -> None:
    def shows(data: bytes) -> bool:
        """As a server reads it: Content-Length decides where the body ends."""
        head, blank, body = data.partition(b"\r\n\r\n")
        return bool(blank) and b"Content-Length:" in head and has_length_of(data) and b"\xfe" in body

    smaller = shrink(with_body(b"line\r\n" * 40 + b"\xfe\r\n" + b"line\r\n" * 40), shows)
    assert shows(smaller)
    assert smaller.partition(b"\r\n\r\n")[2] == b"\xfe"
    assert len(smaller) < 30


def test_no_line_and_no_byte_can_be_left_out() -> None:
    def shows(data: bytes) -> bool:
        return data.startswith(b"POST ") and b"\r\nX-B:" in data and data.endswith(b"--")

    smaller = shrink(with_body(b"--b\r\n\r\nv\r\n--b--"), shows)
    assert smaller == b"POST \r\nX-B:--"


def test_chunks_become_a_length_if_that_shows_the_same() -> None:
    request = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\n\xfedef\r\n0\r\n\r\n"

    def shows(data: bytes) -> bool:
        return b"\xfe" in data and b"HTTP/1.1" in data and b"\r\n\r\n" in data

    smaller = shrink(request, shows)
    assert b"chunked" not in smaller
    assert shows(smaller)


def test_chunks_stay_if_the_difference_needs_them() -> None:
    request = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    smaller = shrink(request, lambda data: b"chunked" in data and data.endswith(b"0\r\n\r\n"))
    assert smaller == b"chunked0\r\n\r\n"


def test_with_whole_lines_only_lines_of_the_head_are_left_out() -> None:
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    request = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    smaller = shrink(request, lambda data: b"X-B" in data and b"chunked" in data, whole_lines=True)
    line = b"POST /a/long/path?q=1 HTTP/1.1\r\n"
    assert smaller == line + b"X-B: two\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    smaller = shrink(with_body(b"abc\xfe"), lambda data: b"\xfe" in data, whole_lines=True)
    assert smaller == line + b"\r\n\xfe"


def test_attempts_are_bounded() -> None:
    asked = 0

    def shows(data: bytes) -> bool:
        nonlocal asked
        asked += 1
        return False

    request = with_body(b"x\r\n" * 2000)
    assert shrink(request, shows, attempts=50) == request
    assert asked == 50


@pytest.mark.parametrize("request_bytes", [b"", b"x", b"\r\n\r\n"])
def test_what_is_small_already_stays(request_bytes: bytes) -> None:
    assert shrink(request_bytes, lambda data: data == request_bytes) == request_bytes
