"""The raw client sends any bytes in any split, and reads the response even if sending fails."""

import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from clients.http1.exchange import (
    BYTEWISE_BYTES,
    bytewise,
    exchange,
    random_pieces,
    request_methods,
    split_at,
    whole,
)
from tests.http1.recording_server import HOST, Peer, ok, recording, scripted
from tests.patience import patient

REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("length", [0, 1, 2, 3, 299, 300, 301, 5000])
def test_every_split_keeps_the_bytes(length: int) -> None:
    request = random.Random(length).randbytes(length)
    for seed in range(20):
        rng = random.Random(seed)
        for pieces in (whole(request), random_pieces(request, rng), bytewise(request, rng)):
            assert b"".join(pieces) == request
            assert all(pieces) or not request


def test_bytewise_sends_300_bytes_one_a_piece() -> None:
    pieces = bytewise(bytes(5000), random.Random(0))
    assert sum(len(piece) == 1 for piece in pieces) >= BYTEWISE_BYTES
    assert len(bytewise(bytes(20), random.Random(0))) == 20


def test_a_request_is_split_at_the_given_offsets() -> None:
    assert split_at(b"abcdef", [1, 4]) == [b"a", b"bcd", b"ef"]
    assert split_at(b"abcdef", []) == [b"abcdef"]


def test_a_pause_ends_when_the_server_responds() -> None:
    """The second piece is sent although the pause is longer than the whole exchange may take."""

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.read_request()
        peer.send(ok())

    with recording(script) as server:
        came = exchange(HOST, server.port, split_at(REQUEST, [len(REQUEST) - 5]), pause=1000.0)
        assert server.requests == [REQUEST]
    assert (came.continues, came.no_response, len(came.responses)) == (1, "", 1)


def test_the_same_seed_splits_alike() -> None:
    assert random_pieces(REQUEST, random.Random(3)) == random_pieces(REQUEST, random.Random(3))
    assert random_pieces(REQUEST, random.Random(3)) != random_pieces(REQUEST, random.Random(4))


def test_the_request_arrives_unchanged_and_its_end_is_seen() -> None:
    with scripted(ok(b"1\n")) as server:
        came = exchange(HOST, server.port, [REQUEST])
        assert came.responses[0].body == b"1\n"
        assert (came.closed, came.no_response) == (False, "")
        assert server.requests == [REQUEST]


def test_pieces_are_segments_of_their_own() -> None:
    reads = 0
    for _ in range(20):  # on a busy machine one read may take all segments
        with scripted(ok()) as server:
            exchange(HOST, server.port, bytewise(REQUEST, random.Random(0)))
            assert server.requests == [REQUEST]
            reads = max(reads, server.peers[0].reads)
        if reads > 1:
            break
    assert reads > 1


def test_no_piece_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP_NODELAY holds before the first byte: Nagle's algorithm would join the pieces of a test."""
    connect = socket.create_connection
    kept: list[socket.socket] = []
    delays: list[bool] = []

    def connected(*args: Any, **kwargs: Any) -> socket.socket:
        connection = connect(*args, **kwargs)
        kept.append(connection.dup())  # the same connection, to be looked at from here
        return connection

    def pieces() -> Iterator[bytes]:
        for piece in (REQUEST[:9], REQUEST[9:]):
            delays.append(not kept[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            yield piece

    monkeypatch.setattr(socket, "create_connection", connected)
    with scripted(ok()) as server:
        exchange(HOST, server.port, pieces())
    assert delays == [False, False]
    assert len(kept) == 1
    kept[0].close()


def test_an_interim_response_is_skipped() -> None:
    with scripted(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"2\n")) as server:
        came = exchange(HOST, server.port, [REQUEST])
    assert came.continues == 1
    assert [response.body for response in came.responses] == [b"2\n"]


def test_a_chunked_response_is_decoded() -> None:
    with scripted(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n") as server:
        assert exchange(HOST, server.port, [REQUEST]).responses[0].body == b"ab"


def test_a_second_response_is_seen() -> None:
    with scripted(ok() + ok(b"3\n")) as server:
        assert len(exchange(HOST, server.port, [REQUEST]).responses) == 2


@pytest.mark.parametrize("reset", [False, True])
def test_an_end_without_a_response_is_closed(reset: bool) -> None:
    with scripted(b"", reset=reset) as server:
        came = exchange(HOST, server.port, [REQUEST])
    assert came.closed
    assert came.no_response == ""


@pytest.mark.parametrize("end", [1, 20, len(ok()) - 1])
def test_a_truncated_response_is_not_a_response(end: int) -> None:
    with scripted(ok()[:end]) as server:
        came = exchange(HOST, server.port, [REQUEST])
    assert "the connection ended" in came.bad_response
    assert not came.closed
    assert not came.no_response


def test_what_is_not_http_is_not_a_response() -> None:
    with scripted(b"<html>") as server:
        assert "not a response" in exchange(HOST, server.port, [REQUEST]).bad_response


def test_a_silent_server_is_left_after_the_time() -> None:
    with socket.create_server((HOST, 0)) as silent:
        began = time.monotonic()
        came = exchange(HOST, silent.getsockname()[1], [REQUEST], seconds=0.2)
    assert came.no_response == "no response came in time"
    assert time.monotonic() - began < patient(3)


def test_nobody_listening_is_no_response() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    assert "no connection" in exchange(HOST, port, [REQUEST]).no_response


def test_the_response_is_read_although_the_sending_failed() -> None:
    # The server responds at once and closes with megabytes unread: its kernel resets the connection.
    with scripted(ok(b"4\n", status="413 Content Too Large"), early=True) as server:
        came = exchange(HOST, server.port, [REQUEST, bytes(20_000_000)])
    assert came.responses[0].status == 413
    assert came.responses[0].body == b"4\n"


@pytest.mark.parametrize(
    ("request_bytes", "responses", "methods"),
    [
        (b"HEAD / HTTP/1.1\r\n\r\n", 1, (b"HEAD",)),
        (b"\r\nHEAD / HTTP/1.1\r\n\r\n", 1, (b"HEAD",)),
        (b"GET / HTTP/1.1\r\n\r\nHEAD /a HTTP/1.1\r\n\r\n", 2, (b"GET", b"HEAD")),
        (b"\x16\x03\x01", 1, (b"\x16\x03\x01",)),
    ],
)
def test_the_methods_of_a_request_are_known(
    request_bytes: bytes, responses: int, methods: tuple[bytes, ...]
) -> None:
    assert request_methods(request_bytes, responses) == methods
