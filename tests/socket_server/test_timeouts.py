"""Time-outs of heads, bodies, idle connections and clients that do not read (contract section 5; B3)."""

import contextlib
import time

import pytest

from tests.patience import eventually, patient
from tests.socket_server.client import Client, get, request
from tests.socket_server.worker_thread import serving

_PIECE = 0.15


def _seconds_to_answer(client: Client) -> tuple[int, float]:
    """The status of the only response, and after how many seconds it came."""
    begin = time.monotonic()
    status = client.response().status
    return status, time.monotonic() - begin


def test_a_head_that_does_not_come_to_its_end_is_408() -> None:
    """The time counts from the first byte of the head, and complete lines do not extend it."""
    begun = [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n", b"GET / HTTP/1.1\r\nHo", b"\r\nG"]
    with serving(head_timeout=1, keep_alive_timeout=30) as worker, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(worker.client()).send(sent) for sent in begun]
        begin = time.monotonic()
        for client in clients:
            assert [response.status for response in client.until_closed()] == [408]
            assert 0.8 < time.monotonic() - begin < patient(3)


def test_an_empty_line_begins_no_head() -> None:
    """R16: some clients send an empty line behind a body. It must not cause a 408."""
    with serving(head_timeout=1, keep_alive_timeout=2) as worker, worker.client() as client:
        client.send(get("/1") + b"\r\n").response()
        assert client.forget().is_silent(1.4)
        assert client.seconds_to_close() < patient(3)
        assert client.received == b""


def test_lines_that_trickle_in_do_not_put_the_time_out_off() -> None:
    with serving(head_timeout=1, keep_alive_timeout=30) as worker, worker.client() as client:
        begin = time.monotonic()
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n")
        while time.monotonic() - begin < patient(5) and client.is_silent(_PIECE):
            client.send(b"A: 1\r\n")
        assert client.until_closed()[0].status == 408
        assert time.monotonic() - begin < patient(3)


def test_the_next_head_has_its_own_time_out() -> None:
    with serving(head_timeout=1, keep_alive_timeout=30) as worker, worker.client() as client:
        client.send(get("/1"))
        assert client.response().status == 200
        assert client.is_silent(0.7)
        status, seconds = _seconds_to_answer(client.forget().send(b"GET"))
        assert status == 408
        assert seconds > 0.8


def test_the_end_of_a_head_in_time_is_no_408() -> None:
    """H36: in slow pieces."""
    with serving(head_timeout=1, keep_alive_timeout=30) as worker, worker.client() as client:
        for piece in (b"GET /slow", b" HTTP/1.1\r\nHost", b": h\r\n", b"\r\n"):
            client.send(piece)
            time.sleep(0.1)
        assert client.response().json()["path"] == "/slow"


def test_a_body_that_stays_away_is_408() -> None:
    """B3: whether the body has begun or not. Nothing is stored."""
    head = request("POST", "/upload/", "Content-Type: image/png", length=10)
    with serving(body_idle_timeout=1) as worker, worker.client() as first, worker.client() as second:
        begin = time.monotonic()
        for client in (first.send(head), second.send(head + b"abc")):
            assert [response.status for response in client.until_closed()] == [408]
            assert 0.8 < time.monotonic() - begin < patient(3)
        assert list(worker.store.names()) == []


def test_each_read_of_a_body_puts_its_time_out_off() -> None:
    with serving(body_idle_timeout=1, min_body_rate=0) as worker, worker.client() as client:
        client.send(request("POST", "/", length=10))
        for _ in range(10):
            time.sleep(_PIECE)
            client.send(b"x")
        assert client.response().status == 200


def test_a_body_that_trickles_in_is_408() -> None:
    """The minimum rate holds over a window. It is 100 bytes a second, and about 60 come."""
    with (
        serving(body_rate_window=1, min_body_rate=100, body_idle_timeout=30) as worker,
        worker.client() as client,
    ):
        begin = time.monotonic()
        client.send(request("POST", "/", length=1000))
        while time.monotonic() - begin < patient(5) and client.is_silent(_PIECE):
            client.send(b"x" * 9)
        assert client.until_closed()[0].status == 408
        assert 0.8 < time.monotonic() - begin < patient(3)


def test_a_body_that_is_fast_enough_goes_on_over_several_windows() -> None:
    with (
        serving(body_rate_window=1, min_body_rate=100, body_idle_timeout=30) as worker,
        worker.client() as client,
    ):
        client.send(request("POST", "/", length=1500))
        for _ in range(15):
            assert client.is_silent(_PIECE)
            client.send(b"x" * 100)
        assert client.response().status == 200


def test_an_idle_connection_is_closed_in_silence() -> None:
    with serving(keep_alive_timeout=1) as worker:
        with worker.client() as client:
            assert 0.8 < client.seconds_to_close() < patient(3)
            assert client.received == b""
        with worker.client() as client:
            client.send(get()).response()
            assert client.forget().is_silent(0.5)
            assert 0.2 < client.seconds_to_close() < patient(3)
            assert client.received == b"", "the time counts from the response, and nothing is sent"


def test_a_refusal_begins_the_idle_time_anew() -> None:
    with serving(keep_alive_timeout=1) as worker, worker.client() as client:
        assert client.is_silent(0.7)
        assert client.send(get("/upload/")).response().status == 405
        assert client.is_silent(0.7)
        assert client.forget().send(get("/")).response().status == 200


def test_a_client_that_does_not_read_is_dropped() -> None:
    with serving(send_timeout=1) as worker, worker.client(receive_buffer=4096) as client:
        body = bytes(16 * 1024 * 1024)
        client.send(request("PUT", "/upload/f", body=body))
        href = client.response().json()["files"][0]["href"]
        client.forget().send(get(href))
        assert eventually(lambda: not worker.worker._connections), "the client is not dropped"
        client.seconds_to_close()
        assert 0 < len(client.received) < len(body)
        with worker.client() as other:
            assert other.send(get()).response().status == 200


@pytest.mark.soak(seconds=15)
def test_a_client_that_reads_slowly_gets_everything() -> None:
    with serving(send_timeout=1) as worker, worker.client(receive_buffer=4096) as client:
        body = bytes(4 * 1024 * 1024)
        client.send(request("PUT", "/upload/f", body=body))
        href = client.response().json()["files"][0]["href"]
        client.forget().send(get(href))
        begin = time.monotonic()
        while time.monotonic() - begin < 2:
            assert not client.is_silent(1)
            time.sleep(0.02)
        assert client.response().body == body
