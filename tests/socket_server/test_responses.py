"""Responses as bytes (RFC 9112 4; rules S1, S6, S7, S8)."""

import re
import time
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import pytest

from servers.contract.problems import PROBLEMS
from servers.contract.responses import Event, EventStream, FileSlice, Response
from servers.socket_server.responses import encode_head, is_chunked, pieces_of
from servers.storage.memory import MemoryFile


def _lines(response: Response, *, keep_alive: bool = True, minor_version: int = 1) -> list[str]:
    head = encode_head(response, keep_alive=keep_alive, minor_version=minor_version).decode("ascii")
    assert head.endswith("\r\n\r\n")
    return head[:-4].split("\r\n")


def _stream(closed: list[bool] | None = None) -> Response:
    def events() -> Generator[Event, None, None]:
        try:
            yield Event(b"data: 1\n\n", 0.5)
            yield Event(b"0123456789abcdefg")
        finally:
            if closed is not None:
                closed.append(True)

    return Response(200, (), EventStream(events()))


@pytest.mark.parametrize("status", sorted({200, 206, 304} | {kind.status for kind in PROBLEMS.values()}))
def test_each_status_has_its_phrase(status: int) -> None:
    first = _lines(Response(status, ()))[0]
    assert first.startswith(f"HTTP/1.1 {status} ")
    # RFC 9110 has renamed some. Python 3.11 still uses the older names.
    renamed = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"}
    of_tus = {460: "Checksum Mismatch"}
    wanted = (renamed | of_tus).get(status) or HTTPStatus(status).phrase
    assert first.partition(f"{status} ")[2] == wanted


def test_the_fields_stand_in_order_and_the_length_behind_them() -> None:
    lines = _lines(Response(200, (("B", "1"), ("A", "2")), b"abc"))
    assert lines[2:] == ["Server: wireproof-socket", "B: 1", "A: 2", "Content-Length: 3"]
    date = re.fullmatch(r"Date: (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)", lines[1])
    assert date is not None
    assert abs(parsedate_to_datetime(date[1]).timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("keep_alive", "minor_version", "line"),
    [
        (True, 1, None),
        (True, 0, "Connection: keep-alive"),
        (False, 1, "Connection: close"),
        (False, 0, "Connection: close"),
    ],
)
def test_connection_is_stated_where_it_is_not_the_default(
    keep_alive: bool, minor_version: int, line: str | None
) -> None:
    """RFC 9112 9.3. The version of a response is always 1.1."""
    lines = _lines(Response(200, ()), keep_alive=keep_alive, minor_version=minor_version)
    assert [each for each in lines if each.startswith("Connection")] == ([line] if line else [])
    assert lines[0].startswith("HTTP/1.1 ")


def test_a_304_has_no_length() -> None:
    """S6."""
    assert not any(line.startswith("Content-Length") for line in _lines(Response(304, ())))


def test_a_field_that_is_not_ascii_is_never_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_head(Response(200, (("A", "\u00e9"),)), keep_alive=True, minor_version=1)


@pytest.mark.parametrize(("minor_version", "line"), [(1, "Transfer-Encoding: chunked"), (0, None)])
def test_a_stream_is_chunked_but_not_for_http_1_0(minor_version: int, line: str | None) -> None:
    """S7."""
    response = _stream()
    assert is_chunked(response, minor_version) == (line is not None)
    lines = _lines(response, minor_version=minor_version)
    assert [each for each in lines if each.startswith(("Transfer-", "Content-"))] == ([line] if line else [])
    response.close()


def test_each_event_is_a_piece_of_its_own() -> None:
    chunked = list(pieces_of(_stream(), b"head", chunked=True))
    assert chunked == [
        Event(b"head"),
        Event(b"9\r\ndata: 1\n\n\r\n", 0.5),
        Event(b"11\r\n0123456789abcdefg\r\n"),
        Event(b"0\r\n\r\n"),
    ]
    assert [piece.data for piece in pieces_of(_stream(), b"head", chunked=False)][1:] == [
        b"data: 1\n\n",
        b"0123456789abcdefg",
    ]


def test_a_small_body_goes_with_its_head_and_head_goes_alone() -> None:
    """S1."""
    assert list(pieces_of(Response(200, (), b"body"), b"head", chunked=False)) == [Event(b"headbody")]
    assert list(pieces_of(Response(200, (), b"body", head_only=True), b"head", chunked=False)) == [
        Event(b"head")
    ]


@pytest.mark.parametrize("head_only", [False, True])
def test_a_file_is_given_back_sent_or_not(head_only: bool) -> None:
    file = MemoryFile(b"content")
    pieces = pieces_of(Response(200, (), FileSlice(file, 1, 3), head_only), b"head", chunked=False)
    assert b"".join(piece.data for piece in pieces) == (b"head" if head_only else b"headont")
    with pytest.raises(ValueError, match="closed"):
        file.read(0, 1)


def test_a_stream_that_is_left_stops_being_made() -> None:
    closed: list[bool] = []
    pieces = pieces_of(_stream(closed), b"head", chunked=True)
    assert isinstance(pieces, Generator)
    next(pieces)
    next(pieces)
    assert closed == []
    pieces.close()
    assert closed == [True]
