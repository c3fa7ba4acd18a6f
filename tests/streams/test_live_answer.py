"""An answer is read as it arrives: the same body in every cut, and no byte of it later than need be."""

from __future__ import annotations

import pytest

from clients.http1.response_parser import ResponseError
from clients.http1.streaming_parser import StreamingParser

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = {
    "chunked": CHUNKED + b"3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
    "chunked-with-trailers": CHUNKED + b"D\r\nabc0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "sized": HEAD + b"Content-Length: 13\r\n\r\nabc0123456789",
    "after-continue": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 13\r\n\r\nabc0123456789",
    "until-close": HEAD.replace(b"1.1", b"1.0") + b"\r\nabc0123456789",
}


def read(pieces: list[bytes]) -> tuple[StreamingParser, bytes]:
    reader = StreamingParser()
    return reader, b"".join([reader.feed(piece) for piece in pieces])


@pytest.mark.parametrize("response", WHOLE.values(), ids=WHOLE)
def test_the_body_is_the_same_in_every_cut(response: bytes) -> None:
    cuts = [[response[:cut], response[cut:]] for cut in range(1, len(response))]
    for pieces in ([response], [response[at : at + 1] for at in range(len(response))], *cuts):
        reader, body = read([*pieces, b""])
        assert body == b"abc0123456789"
        assert reader.complete
        assert reader.head is not None
        assert (reader.head.status, reader.head.header("content-type")) == (200, "text/event-stream")


def test_a_piece_of_a_chunk_is_passed_on_before_the_rest_of_it() -> None:
    reader, body = read([CHUNKED + b"5\r\nab"])
    assert body == b"ab"
    assert reader.feed(b"c") == b"c"
    assert not reader.complete


@pytest.mark.parametrize("name", ["chunked", "chunked-with-trailers", "sized"])
def test_a_framed_answer_is_complete_before_the_close(name: str) -> None:
    reader, _ = read([WHOLE[name]])
    assert reader.complete


def test_an_answer_without_framing_ends_with_the_connection() -> None:
    reader, _ = read([WHOLE["until-close"]])
    assert not reader.complete
    reader.feed(b"")
    assert reader.complete


def test_an_empty_body_is_complete_with_the_head() -> None:
    reader, body = read([HEAD + b"Content-Length: 0\r\n\r\n"])
    assert (reader.complete, body) == (True, b"")


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"", "before its answer's head"),
        (b"HTTP/1.1 200 OK\r\n", "before its answer's head"),
        (CHUNKED, "before its answer's last chunk"),
        (CHUNKED + b"3\r\nabc\r\n", "before its answer's last chunk"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", "before its answer's last chunk"),
        (CHUNKED + b"3\r\na", "2 bytes before the end"),
        (HEAD + b"Content-Length: 3\r\n\r\n", "3 bytes before the end"),
    ],
)
def test_an_answer_that_is_cut_off_is_an_error(response: bytes, why: str) -> None:
    with pytest.raises(ResponseError, match=why):
        read([response, b""] if response else [b""])


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"ICY 200 OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "no field line"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 70000, "no end"),
        (CHUNKED + b"x\r\n", "chunk size"),
        (CHUNKED + b"-1\r\n", "chunk size"),
        (CHUNKED + b"3\r\nabcd\r\n", "end with CRLF"),
        (CHUNKED + b"3;" + b"b" * 9000, "no end"),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "unknown coding"),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "ambiguous"),
        (HEAD + b"Content-Length: +3\r\n\r\n", "Content-Length"),
    ],
)
def test_what_is_no_answer_is_an_error(response: bytes, why: str) -> None:
    with pytest.raises(ResponseError, match=why):
        read([response])
