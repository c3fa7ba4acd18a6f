"""gunicorn's head and body of a response go out together, and no head is lost or held back for long."""

import socket
from collections.abc import Iterator

import pytest

from servers.flask_server.gunicorn_worker import PatientSocket

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[PatientSocket, socket.socket]]:
    ours, client = socket.socketpair()
    with PatientSocket(fileno=ours.detach()) as patient, client:
        client.setblocking(False)
        yield patient, client


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(65536)
    except BlockingIOError:
        return b""


def test_a_head_with_a_length_waits_for_its_body(pair: tuple[PatientSocket, socket.socket]) -> None:
    ours, client = pair
    for _ in range(2):
        ours.sendall(_HEAD)
        assert _received(client) == b""
        ours.sendall(b"body")
        assert _received(client) == _HEAD + b"body"
        ours.flush()
        assert _received(client) == b""


def test_a_head_without_a_body_goes_out_at_the_end_of_the_response(
    pair: tuple[PatientSocket, socket.socket],
) -> None:
    ours, client = pair
    ours.sendall(_HEAD)
    ours.flush()
    assert _received(client) == _HEAD


@pytest.mark.parametrize("data", [_CHUNKED, _CONTINUE, _HEAD + b"body", b"body\r\n\r\n"])
def test_everything_else_goes_out_at_once(pair: tuple[PatientSocket, socket.socket], data: bytes) -> None:
    ours, client = pair
    ours.sendall(data)
    assert _received(client) == data


def test_a_body_that_looks_like_a_head_loses_no_byte(pair: tuple[PatientSocket, socket.socket]) -> None:
    ours, client = pair
    for data in (_HEAD, _HEAD, _HEAD):
        ours.sendall(data)
    ours.flush()
    assert _received(client) + _received(client) == _HEAD * 3
