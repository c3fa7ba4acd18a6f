"""A refusal reaches a client that is still sending, and then the connection ends (S9, B40)."""

import socket
import threading
import time

import pytest

from tests.patience import patient
from tests.socket_server.client import Client, get, request
from tests.socket_server.worker_thread import Served

_MIB = 1024 * 1024
_EARLY = [
    pytest.param(request("POST", "/", length=10**12), 413, id="B41"),
    pytest.param(request("POST", "/", "Content-Type: text", length=10 * _MIB), 400, id="a malformed type"),
    pytest.param(request("DELETE", "/upload/", length=10 * _MIB), 405, id="a wrong method"),
    pytest.param(request("POST", "/", "Expect: tea", length=10 * _MIB), 417, id="H35"),
    pytest.param(request("POST", "/", "Transfer-Encoding: chunked") + b"zz\r\n", 400, id="a malformed chunk"),
]


@pytest.mark.parametrize(("head", "status"), _EARLY)
def test_a_client_that_sends_on_without_looking_reads_the_refusal(
    served: Served, head: bytes, status: int
) -> None:
    """S9: the client sends up to eight MiB before it reads a byte."""
    with served.client() as client:
        client.send(head)
        _send_all_it_takes(client, 8 * _MIB)
        (response,) = client.until_closed()
        assert (response.status, response.header("connection")) == (status, "close")


def _send_all_it_takes(client: Client, size: int) -> None:
    try:
        for _ in range(size // 65536):
            client.socket.sendall(bytes(65536))
    except (BrokenPipeError, ConnectionResetError):
        return


@pytest.mark.parametrize(("head", "status"), _EARLY)
def test_a_client_that_waits_sees_the_end_at_once(served: Served, head: bytes, status: int) -> None:
    with served.client() as client:
        begin = time.monotonic()
        (response,) = client.send(head).until_closed()
        assert response.status == status
        assert time.monotonic() - begin < patient(1)


def test_a_client_that_never_closes_is_dropped_after_two_seconds(served: Served) -> None:
    with served.client() as client:
        client.send(b"BAD\r\n").until_closed()
        begin = time.monotonic()
        while time.monotonic() - begin < patient(8) and not _is_reset(client.socket):
            time.sleep(0.05)
        assert 1.5 < time.monotonic() - begin < patient(4)


def _is_reset(connection: socket.socket) -> bool:
    """Whether the peer has closed both sides: it sends a reset when it receives a byte."""
    try:
        connection.send(b"x")
    except OSError:
        return True
    return False


def test_a_client_that_never_stops_sending_is_dropped_after_a_mebibyte(served: Served) -> None:
    with served.client() as client:
        client.send(request("POST", "/", length=10**12))
        sent = 0
        begin = time.monotonic()
        try:
            while sent < 64 * _MIB:
                sent += client.socket.send(bytes(65536))
        except OSError:
            pass
        assert sent < 32 * _MIB, "only socket buffers come on top of it"
        assert time.monotonic() - begin < patient(1.5)


def test_a_slow_refused_client_holds_nobody_else_up(served: Served) -> None:
    with served.client() as refused, served.client() as other:
        refused.send(b"BAD\r\n").until_closed()
        assert other.send(get("/other")).response().status == 200


def test_many_clients_are_refused_at_the_same_time(served: Served) -> None:
    statuses: list[int] = []

    def refuse() -> None:
        with served.client() as client:
            client.send(request("POST", "/", length=10**12))
            _send_all_it_takes(client, 4 * _MIB)
            statuses.extend(response.status for response in client.until_closed())

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == [413] * 8
