"""Responses are read strictly, in any split: framing that a lenient client would repair is an error here."""

import pytest

from clients.http1.response_parser import Response, ResponseError, ResponseParser, read_responses

GET = (b"GET",)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def one(received: bytes, *, method: bytes = b"GET", ended: bool = True) -> Response:
    responses = read_responses(received, (method,), ended=ended)
    assert not responses.unfinished
    assert len(responses.complete) == 1
    return responses.complete[0]


def test_content_length_ends_the_body() -> None:
    response = one(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: \t b \r\n\r\nabc", ended=False)
    assert response == Response(200, (("content-length", "3"), ("x-a", "b")), b"abc")


def test_chunks_are_joined_and_trailers_dropped() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert one(head + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").body == b"abc0123456789"
    assert one(head + b"0\r\nX-T: 1\r\n\r\n").body == b""


@pytest.mark.parametrize(
    "part", [b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"0\r\nX: 1\r\n", b"0\r\n\r", b"5"]
)
def test_a_chunked_body_without_its_end_is_unfinished(part: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    responses = read_responses(head + part, GET, ended=True)
    assert responses.complete == []
    assert "last chunk" in responses.unfinished


def test_a_body_without_framing_ends_with_the_connection() -> None:
    received = b"HTTP/1.1 200 OK\r\n\r\nabc"
    assert read_responses(received, GET, ended=False).unfinished
    assert one(received).body == b"abc"


def test_interim_responses_are_counted_and_skipped() -> None:
    received = b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 204 No Content\r\n\r\n"
    responses = read_responses(received, GET, ended=True)
    assert responses.continues == 2
    assert [response.status for response in responses.complete] == [204]


def test_head_has_no_body_though_it_has_a_length() -> None:
    assert one(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", method=b"HEAD").body == b""


def test_a_malformed_head_is_refused_with_a_body_even_for_head() -> None:
    received = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nabc"
    assert one(received, method=b"HEAD").body == b"abc"


def test_pipelined_responses_are_read_in_order() -> None:
    received = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx"
    )
    responses = read_responses(received, (b"HEAD", b"GET"), ended=True)
    assert [(response.status, response.body) for response in responses.complete] == [(200, b""), (404, b"x")]


@pytest.mark.parametrize("end", range(1, 41))
def test_a_prefix_of_a_response_is_unfinished(end: int) -> None:
    received = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    responses = read_responses(received[:end], GET, ended=True)
    assert (len(responses.complete), bool(responses.unfinished)) == ((1, False) if end == 41 else (0, True))


@pytest.mark.parametrize(
    "received",
    [
        b"<html>HTTP/0.9 has no status line</html>",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
    ],
)
def test_what_is_not_a_response_is_never_repaired(received: bytes) -> None:
    with pytest.raises(ResponseError):
        read_responses(received, GET, ended=True)


WHOLE = {
    "chunked": CHUNKED + b"3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
    "chunked-with-trailers": CHUNKED + b"D\r\nabc0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "sized": HEAD + b"Content-Length: 13\r\n\r\nabc0123456789",
    "after-continue": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 13\r\n\r\nabc0123456789",
    "until-close": HEAD.replace(b"1.1", b"1.0") + b"\r\nabc0123456789",
}


def streamed(pieces: list[bytes]) -> tuple[ResponseParser, bytes]:
    """The parser after `pieces`, and the body as it could be taken after each of them."""
    parser, body = ResponseParser(max_head=1 << 16), b""
    for piece in pieces:
        parser.feed(piece)
        body += parser.take_body()
    return parser, body


def splits(data: bytes) -> list[list[bytes]]:
    """All of it, byte by byte, and in two pieces at every place."""
    halves = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [[data], [data[at : at + 1] for at in range(len(data))], *halves]


@pytest.mark.parametrize("received", WHOLE.values(), ids=WHOLE)
def test_the_body_is_the_same_in_every_split(received: bytes) -> None:
    for pieces in splits(received):
        parser, body = streamed([*pieces, b""])
        assert body == b"abc0123456789"
        assert len(parser.responses.complete) == 1
        assert parser.head is not None
        assert (parser.head.status, parser.head.header("content-type")) == (200, "text/event-stream")


PIPELINED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n"
    b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}"
    b"HTTP/1.1 200 OK\r\n\r\nrest"
)


def test_a_pipeline_is_read_alike_in_every_split() -> None:
    methods = (b"HEAD", b"GET", b"GET", b"HEAD", b"GET")
    whole = read_responses(PIPELINED, methods, ended=True)
    assert [(one.status, one.body) for one in whole.complete] == [
        (200, b""), (404, b"x"), (204, b""), (400, b"{}"), (200, b"rest"),
    ]  # fmt: skip
    for pieces in splits(PIPELINED):
        parser = ResponseParser(methods)
        for piece in (*pieces, b""):
            parser.feed(piece)
        assert parser.responses == whole


def test_a_response_to_head_is_complete_until_a_body_follows() -> None:
    parser = ResponseParser((b"HEAD",))
    parser.feed(b"HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n")
    assert len(parser.responses.complete) == 1
    parser.feed(b"{")
    assert (parser.responses.complete, parser.responses.unfinished) == (
        [], "the response's body has 1 of 2 bytes",
    )  # fmt: skip
    parser.feed(b"}")
    assert [response.body for response in parser.responses.complete] == [b"{}"]


def test_a_piece_of_a_chunk_is_passed_on_before_the_rest_of_it() -> None:
    parser, body = streamed([CHUNKED + b"5\r\nab"])
    assert body == b"ab"
    parser.feed(b"c")
    assert parser.take_body() == b"c"
    assert not parser.responses.complete


@pytest.mark.parametrize("name", ["chunked", "chunked-with-trailers", "sized"])
def test_a_framed_response_is_complete_before_the_close(name: str) -> None:
    assert streamed([WHOLE[name]])[0].responses.complete


def test_a_response_without_framing_ends_with_the_connection() -> None:
    parser, _ = streamed([WHOLE["until-close"]])
    assert not parser.responses.complete
    parser.feed(b"")
    assert parser.responses.complete


def test_an_empty_body_is_complete_with_the_head() -> None:
    parser, body = streamed([HEAD + b"Content-Length: 0\r\n\r\n"])
    assert (len(parser.responses.complete), body) == (1, b"")


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n", "the response's head is not complete"),
        (CHUNKED, "the response's last chunk has not come"),
        (CHUNKED + b"3\r\nabc\r\n", "the response's last chunk has not come"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", "the response's last chunk has not come"),
        (CHUNKED + b"3\r\na", "the response's last chunk has not come: 2 bytes of a chunk are missing"),
        (HEAD + b"Content-Length: 3\r\n\r\n", "the response's body has 0 of 3 bytes"),
    ],
)
def test_what_is_missing_is_said(received: bytes, why: str) -> None:
    for pieces in splits(received):
        parser, _ = streamed([*pieces, b""])
        assert (parser.responses.complete, parser.responses.unfinished) == ([], why)


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (b"ICY 200 OK\r\n\r\n", "not a status line"),
        (b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "not a field line"),
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
def test_what_is_not_a_response_stays_an_error(received: bytes, why: str) -> None:
    parser = ResponseParser(max_head=1 << 16)
    for data in (received, b"x", b""):
        with pytest.raises(ResponseError, match=why):
            parser.feed(data)


def test_every_byte_is_read_once() -> None:
    """4 MiB in pieces of 16 bytes: to parse from the start again after each would take hours."""
    parser = ResponseParser()
    parser.feed(HEAD + b"Content-Length: %d\r\n\r\n" % (4 << 20))
    for _ in range(4 << 16):
        parser.feed(b"0123456789abcdef")
    assert len(parser.responses.complete[0].body) == 4 << 20


def test_not_a_number_is_not_json() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Response(200, (), b"NaN").json()


@pytest.mark.parametrize("body", [b"[" * 200_000, b"NaN", b"{", b"\xff"])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        Response(200, (), body).json()
