"""Answers are read strictly: framing that a lenient client would repair is an error here."""

from __future__ import annotations

import pytest

from clients.http1.response_parser import Response, ResponseError, read_responses

GET = (b"GET",)


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
    "cut", [b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"0\r\nX: 1\r\n", b"0\r\n\r", b"5"]
)
def test_a_chunked_body_without_its_end_is_unfinished(cut: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    responses = read_responses(head + cut, GET, ended=True)
    assert responses.complete == []
    assert "last chunk" in responses.unfinished


def test_a_body_without_framing_ends_with_the_connection() -> None:
    received = b"HTTP/1.1 200 OK\r\n\r\nabc"
    assert read_responses(received, GET, ended=False).unfinished
    assert one(received).body == b"abc"


def test_interim_answers_are_counted_and_skipped() -> None:
    received = b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 204 No Content\r\n\r\n"
    responses = read_responses(received, GET, ended=True)
    assert responses.continues == 2
    assert [response.status for response in responses.complete] == [204]


def test_head_has_no_body_though_it_has_a_length() -> None:
    assert one(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", method=b"HEAD").body == b""


def test_a_malformed_head_is_refused_with_a_body_even_for_head() -> None:
    received = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nabc"
    assert one(received, method=b"HEAD").body == b"abc"


def test_pipelined_answers_are_read_in_order() -> None:
    received = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx"
    )
    responses = read_responses(received, (b"HEAD", b"GET"), ended=True)
    assert [(response.status, response.body) for response in responses.complete] == [(200, b""), (404, b"x")]


@pytest.mark.parametrize("end", range(1, 41))
def test_a_prefix_of_an_answer_is_unfinished(end: int) -> None:
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
def test_what_is_no_answer_is_never_repaired(received: bytes) -> None:
    with pytest.raises(ResponseError):
        read_responses(received, GET, ended=True)


def test_not_a_number_is_no_json() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Response(200, (), b"NaN").json()


@pytest.mark.parametrize("body", [b"[" * 200_000, b"NaN", b"{", b"\xff"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        Response(200, (), body).json()
