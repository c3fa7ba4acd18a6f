"""A worker that is stopped, in this process: requests in flight are finished, idle connections are closed."""

import time

from tests.patience import patient
from tests.socket_server.client import get, request
from tests.socket_server.worker_thread import serving


def test_idle_connections_are_closed_at_once() -> None:
    with serving() as worker, worker.client() as idle, worker.client() as used:
        used.send(get()).response()
        assert idle.is_silent(0.05)
        worker.stop()
        assert idle.seconds_to_close() < patient(1)
        assert used.seconds_to_close() < patient(1)
        assert idle.received == b""
        assert worker.ended(patient(1))


def test_a_request_in_flight_is_answered_and_the_connection_then_closed() -> None:
    with serving() as worker, worker.client() as head, worker.client() as body:
        head.send(b"GET / HTTP/1.1\r\n")
        body.send(request("POST", "/upload/", "Content-Type: image/png", length=6) + b"abc")
        assert head.is_silent(0.05)
        worker.stop()
        assert body.is_silent(0.1)
        body.send(b"def")
        head.send(b"Host: h\r\n\r\n")
        for client in (head, body):
            (response,) = client.until_closed()
            assert (response.status, response.header("connection")) == (200, "close")
            client.end()
        assert worker.ended(patient(2))
        assert len(list(worker.store.names())) == 1


def test_a_connection_whose_answer_is_under_way_is_closed_behind_it() -> None:
    """Its response says keep-alive, but the server does not wait for the next request."""
    query = request(
        "POST", "/stream_echo", "Content-Type: application/json", body=b'{"query":"abcd","delay":0.1}'
    )
    with serving(keep_alive_timeout=30) as worker, worker.client() as client:
        client.send(query)
        while b"event-stream" not in client.received:
            assert not client.is_silent(5)
        worker.stop()
        (response,) = client.until_closed(methods=(b"POST",))
        assert (response.status, response.body.count(b"data:")) == (200, 4)
        assert worker.ended(patient(1))


def test_the_grace_ends() -> None:
    with serving(grace=0.3) as worker, worker.client() as client:
        client.send(b"GET / HTTP/1.1\r\n")
        assert client.is_silent(0.05)
        begin = time.monotonic()
        worker.stop()
        assert worker.ended(patient(3))
        assert time.monotonic() - begin > 0.25


def test_a_second_stop_changes_nothing() -> None:
    with serving() as worker, worker.client() as client:
        client.send(request("POST", "/", length=3))
        assert client.is_silent(0.05)
        worker.stop()
        worker.stop()
        assert not worker.ended(0.2)
        assert client.send(b"abc").until_closed()[0].status == 200


def test_a_worker_that_drains_waits_for_the_next_request_of_each_connection() -> None:
    """It ends when the last of them is closed. A limit of time does not end it."""
    with serving(grace=0.1) as worker, worker.client() as idle, worker.client() as fresh:
        idle.send(get()).response()
        assert fresh.is_silent(0.05)
        worker.do(worker.worker.drain)
        assert not worker.ended(0.3)
        for client in (idle.forget(), fresh):
            (response,) = client.send(get()).until_closed()
            assert (response.status, response.header("connection")) == (200, "close")
            client.end()
        assert worker.ended(patient(2))


def test_nobody_is_let_in_any_more() -> None:
    with serving() as worker, worker.client() as client:
        client.send(request("POST", "/", length=3))
        assert client.is_silent(0.05)
        worker.stop()
        assert client.is_silent(0.05)
        try:
            late = worker.client()
        except ConnectionRefusedError:
            return
        with late:
            assert late.seconds_to_close() < patient(1)
            assert late.received == b""
