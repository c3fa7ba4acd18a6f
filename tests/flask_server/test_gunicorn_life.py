"""Connections under gunicorn with our worker: slow clients, refusals, keep-alive, shutdown."""

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from clients.launch import RunningBackend, start
from servers.flask_server.gunicorn_worker import PatientSocket
from tests.connections import connect, receive_all
from tests.patience import eventually

GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n\r\n"
QUICK = {
    "WIREPROOF_HEAD_TIMEOUT": "1",
    "WIREPROOF_BODY_IDLE_TIMEOUT": "1",
    "WIREPROOF_BODY_RATE_WINDOW": "1",
    "WIREPROOF_WORKERS": "1",
}


@pytest.fixture(scope="module")
def gunicorn() -> Iterator[RunningBackend]:
    with start("gunicorn", env=QUICK) as backend:
        yield backend


def answer_to_a_flood(connection: socket.socket, block: bytes, *, pause: float = 0) -> bytes:
    """The response while `block` is sent again and again, or `b""` if none comes within 15 seconds."""
    # A small buffer: the server reads a bounded amount before it closes, and the rest would cause a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    deadline = time.monotonic() + 15
    response = b""
    with connection, suppress(ConnectionError):
        connection.setblocking(False)
        while not select.select([connection], [], [], pause)[0]:
            if time.monotonic() > deadline:
                return b""
            if select.select([], [connection], [], 0.1)[1]:
                with suppress(BlockingIOError):
                    connection.send(block)
        connection.settimeout(1)
        with suppress(TimeoutError):
            while data := connection.recv(65536):
                response += data
    return response


def test_slow_heads_and_idle_connections_hold_no_thread(gunicorn: RunningBackend) -> None:
    waiting = [connect(gunicorn, GET) for _ in range(50)] + [connect(gunicorn) for _ in range(50)]
    try:
        begin = time.monotonic()
        response = receive_all(connect(gunicorn, GET + b"Connection: close\r\n\r\n"))
        assert response.startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - begin < 0.9
    finally:
        for connection in waiting:
            connection.close()


def test_head_that_is_never_complete_is_408(gunicorn: RunningBackend) -> None:
    response = receive_all(connect(gunicorn, GET))
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in response


@pytest.mark.parametrize(
    ("begin", "block", "pause"),
    [
        pytest.param(b"GET /", b"x", 0.1, id="drips"),
        # A name with an underscore is dropped, so the number of such lines has no limit.
        pytest.param(GET, b"a_b: x\r\n" * 8192, 0, id="never pauses"),
    ],
)
def test_head_that_goes_on_has_no_more_time_than_one_that_stops(
    gunicorn: RunningBackend, begin: bytes, block: bytes, pause: float
) -> None:
    start_time = time.monotonic()
    response = answer_to_a_flood(connect(gunicorn, begin), block, pause=pause)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in response
    assert time.monotonic() - start_time > 0.9


def test_log_tells_why_a_head_was_refused_and_quotes_nothing(gunicorn: RunningBackend) -> None:
    response = receive_all(connect(gunicorn, GET + b"Authorization Bearer s3cr3t\r\n\r\n"))
    assert b'"code":"bad_header"' in response
    assert eventually(lambda: " 400 bad_header " in gunicorn.log())
    assert "s3cr3t" not in gunicorn.log()


def test_head_that_the_peer_ends_early_gets_no_response(gunicorn: RunningBackend) -> None:
    connection = connect(gunicorn, GET)
    connection.shutdown(socket.SHUT_WR)
    assert receive_all(connection) == b""


def test_body_that_stops_is_408(gunicorn: RunningBackend) -> None:
    response = receive_all(connect(gunicorn, POST + b"Content-Length: 3\r\n\r\na"))
    assert response.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("begin", "dripped"),
    [(b"3;a=", b"x"), (b"3\r\nabc\r\n0\r\n", b"a: b\r\n")],
    ids=["extension", "trailers"],
)
def test_body_that_drips_beside_its_data_is_408(
    gunicorn: RunningBackend, begin: bytes, dripped: bytes
) -> None:
    response = answer_to_a_flood(connect(gunicorn, CHUNKED + begin), dripped, pause=0.1)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in response


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"bc"]], ids=["a body", "a body in two reads"])
def test_continue_is_sent_once_when_the_body_is_wanted(gunicorn: RunningBackend, pieces: list[bytes]) -> None:
    head = POST + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    connection = connect(gunicorn, head)
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(0.3)  # so that the server reads this piece alone
    response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert b" 100 Continue" not in response


def test_no_continue_is_sent_to_a_client_of_http_1_0(gunicorn: RunningBackend) -> None:
    """B38."""
    head = b"POST /x HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    response = receive_all(connect(gunicorn, head + b"abc"))
    assert response.startswith(b"HTTP/1.0 200 ")
    assert b" 100 Continue" not in response


def test_no_continue_is_sent_before_a_refusal(gunicorn: RunningBackend) -> None:
    head = b"POST /v1/no HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    assert receive_all(connect(gunicorn, head)).startswith(b"HTTP/1.1 404 ")


def test_refusal_of_a_large_body_can_be_read(gunicorn: RunningBackend) -> None:
    connection = connect(
        gunicorn, b"POST /v1/no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
    )
    connection.sendall(b"x" * 900000)
    response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 404 ")
    assert b"Connection: close\r\n" in response


def test_malformed_head_is_refused_with_a_body_whatever_the_method(gunicorn: RunningBackend) -> None:
    response = receive_all(connect(gunicorn, b"HEAD /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    assert b'"code":"bad_percent"' in response


def test_pipelined_requests_are_answered_in_order(gunicorn: RunningBackend) -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(20))
    requests += (
        b"POST /20 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    )
    response = receive_all(connect(gunicorn, requests + GET + b"Connection: foo, close\r\n\r\n"))
    positions = [response.index(b'"path":"/%d"' % number) for number in range(21)]
    assert positions == sorted(positions)
    assert response.count(b"HTTP/1.1 200 ") == 22


def test_upload_under_way_ends_well_when_the_server_is_stopped() -> None:
    with start("gunicorn", env={"WIREPROOF_WORKERS": "1"}) as backend:
        connection = connect(backend, POST + b"Content-Length: 3\r\n\r\na")
        time.sleep(0.3)
        os.kill(backend.pid, signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(b"bc")
        assert receive_all(connection).startswith(b"HTTP/1.1 200 ")
        assert backend.process.wait(10) == 0


def test_stop_waits_for_a_head_that_has_begun_and_for_no_idle_connection() -> None:
    with start("gunicorn", env={"WIREPROOF_WORKERS": "1", "WIREPROOF_KEEP_ALIVE_TIMEOUT": "60"}) as backend:
        idle, begun = connect(backend), connect(backend, GET)
        # Connections are accepted in order: when this one has its response, the others are accepted too.
        assert receive_all(connect(backend, GET + CLOSE)).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.3)
        os.kill(backend.pid, signal.SIGTERM)
        assert receive_all(idle) == b""
        begun.sendall(b"\r\n")
        assert receive_all(begun).startswith(b"HTTP/1.1 200 ")
        assert backend.process.wait(10) == 0


def test_head_that_has_begun_is_not_taken_for_an_idle_connection() -> None:
    with start("gunicorn", env={"WIREPROOF_WORKERS": "1", "WIREPROOF_KEEP_ALIVE_TIMEOUT": "1"}) as backend:
        idle, begun = connect(backend), connect(backend, GET)
        assert receive_all(idle) == b""
        # The worker checks all of them at the same time.
        time.sleep(0.2)
        begun.sendall(CLOSE)
        assert receive_all(begun).startswith(b"HTTP/1.1 200 ")


def test_slow_reader_is_served_while_it_reads_at_all() -> None:
    ours, theirs = socket.socketpair()
    received = 0

    def read() -> None:
        nonlocal received
        while data := theirs.recv(65536):
            received += len(data)
            time.sleep(0.02)

    with theirs:
        patient = PatientSocket(fileno=ours.detach())
        reader = threading.Thread(target=read)
        reader.start()
        with patient:
            patient.settimeout(0.5)
            begin = time.monotonic()
            patient.sendall(bytes(4_000_000))
        reader.join()
    assert received == 4_000_000
    assert time.monotonic() - begin > 0.5


def test_client_that_reads_nothing_is_dropped() -> None:
    ours, theirs = socket.socketpair()
    with theirs, PatientSocket(fileno=ours.detach()) as patient:
        patient.settimeout(0.1)
        with pytest.raises(TimeoutError):
            patient.sendall(bytes(4_000_000))
