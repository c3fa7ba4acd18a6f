"""SIGTERM with `--shutdown-delay`: /healthz is red, the server serves on, and then stops without a loss."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from clients.launch import HOST, RunningBackend, free_port, import_path, responds_to_healthz, start
from tests.connections import connect, receive_all
from tests.patience import eventually, patient
from tests.socket_server.client import get, request
from tests.socket_server.process_tree import children
from tests.socket_server.worker_thread import serving

_BOTH = ["socket", "gunicorn"]
_UPLOAD = b"PUT /upload/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n"


def _get(backend: RunningBackend, path: str) -> tuple[int, str | None, bytes]:
    """The status, the field Connection in lower case, and the body."""
    connection = HTTPConnection(HOST, backend.port, timeout=patient(10))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("connection", "").lower() or None, response.read()
    finally:
        connection.close()


def _refuses(backend: RunningBackend) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((HOST, backend.port)) != 0


@pytest.mark.soak(seconds=15)
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("name", _BOTH)
def test_health_is_red_and_everything_else_is_served_until_the_delay_is_over(name: str, workers: str) -> None:
    env = {"WIREPROOF_SHUTDOWN_DELAY": "2", "WIREPROOF_WORKERS": workers}
    with start(name, env=env) as backend:
        assert _get(backend, "/healthz")[0] == 200
        assert _get(backend, "/x")[1] != "close"
        begun = connect(backend, _UPLOAD + b"abc")
        announced = time.monotonic()
        backend.process.terminate()
        assert eventually(lambda: _get(backend, "/healthz")[0] == 503, 1)
        assert json.loads(_get(backend, "/healthz")[2])["code"] == "shutting_down"
        status, connection, _ = _get(backend, "/x")
        assert (status, connection) == (200, "close"), "the proxy must not use this connection again"
        assert eventually(lambda: _refuses(backend), 5)
        assert time.monotonic() - announced > 1.9
        assert backend.process.poll() is None, "an upload is under way"
        begun.sendall(b"def")
        assert receive_all(begun).startswith(b"HTTP/1.1 200 ")
        assert backend.process.wait(patient(10)) == 0


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize("name", _BOTH)
def test_a_second_signal_ends_the_delay(name: str) -> None:
    with start(name, env={"WIREPROOF_SHUTDOWN_DELAY": "600", "WIREPROOF_WORKERS": "2"}) as backend:
        backend.process.terminate()
        assert eventually(lambda: _get(backend, "/healthz")[0] == 503)
        backend.process.terminate()
        assert backend.process.wait(patient(10)) == 0


@pytest.mark.soak(seconds=3)
def test_a_worker_that_dies_while_the_stop_is_announced_is_replaced() -> None:
    """The load balancer still sends requests here."""
    with start("gunicorn", env={"WIREPROOF_SHUTDOWN_DELAY": "600", "WIREPROOF_WORKERS": "1"}) as backend:
        backend.process.terminate()
        assert eventually(lambda: _get(backend, "/healthz")[0] == 503)
        (worker,) = children(backend.pid)
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: _status_or_none(backend, "/x") == 200, 10)
        assert _get(backend, "/healthz")[0] == 503


def _status_or_none(backend: RunningBackend, path: str) -> int | None:
    with suppress(OSError):
        return _get(backend, path)[0]
    return None


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize("name", _BOTH)
def test_the_grace_period_ends_what_is_under_way(name: str) -> None:
    env = {"WIREPROOF_GRACE_PERIOD": "1", "WIREPROOF_WORKERS": "2"}
    with start(name, env=env) as backend, connect(backend, _UPLOAD + b"abc"):
        assert _get(backend, "/x")[0] == 200  # the upload has been accepted before this
        backend.process.terminate()
        assert backend.process.wait(patient(10)) == 0


@pytest.mark.parametrize("name", _BOTH)
def test_a_connection_that_waits_to_be_accepted_is_served(name: str) -> None:
    """The worker sleeps while clients connect and send. It stops before it looks at its sockets."""
    with start(name, env={"WIREPROOF_WORKERS": "1"}) as backend:
        (worker,) = children(backend.pid) or [backend.pid]
        os.kill(worker, signal.SIGSTOP)
        waiting = [connect(backend, _UPLOAD + b"abcdef") for _ in range(100)]
        backend.process.terminate()
        time.sleep(0.3)
        os.kill(worker, signal.SIGCONT)
        assert [receive_all(one)[:13] for one in waiting] == [b"HTTP/1.1 200 "] * 100
        assert backend.process.wait(patient(10)) == 0


@pytest.mark.soak(seconds=20)
@pytest.mark.parametrize("name", _BOTH)
def test_whoever_has_connected_gets_an_answer(name: str) -> None:
    """Clients connect as fast as they can while the server stops. They are served, or refused."""
    for _ in range(5):
        with start(name, env={"WIREPROOF_WORKERS": "2"}) as backend:
            failures: list[OSError | bytes] = []
            threads = [
                threading.Thread(target=_ask_until_refused, args=(backend, failures)) for _ in range(16)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            backend.process.terminate()
            for thread in threads:
                thread.join(patient(20))
            assert backend.process.wait(patient(10)) == 0
            assert failures == []


def _ask_until_refused(backend: RunningBackend, failures: list[OSError | bytes]) -> None:
    with suppress(ConnectionRefusedError):
        while not failures:
            connection = connect(backend)
            try:
                connection.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = receive_all(connection)
            except OSError as error:
                failures.append(error)
            else:
                failures += [answer] * (not answer.startswith(b"HTTP/1.1 200 "))


@pytest.mark.soak(seconds=8)
def test_a_gunicorn_that_takes_over_is_not_cut_off_when_the_old_one_stops(tmp_path: Path) -> None:
    """SIGUSR2: both listen on the same sockets."""
    port = free_port()
    command = [f"{sys.prefix}/bin/gunicorn", "-c", "python:servers.gunicorn_conf", "--bind", f"{HOST}:{port}"]
    env = {
        **os.environ,
        **import_path(),
        "WIREPROOF_WORKERS": "1",
        "WIREPROOF_STORE": str(tmp_path / "store"),
    }
    with (tmp_path / "log").open("wb") as log:
        old = subprocess.Popen(command, env=env, stderr=log, start_new_session=True)
    try:
        assert eventually(lambda: responds_to_healthz(HOST, port), 30)
        worker = children(old.pid)
        old.send_signal(signal.SIGUSR2)
        assert eventually(lambda: len(children(old.pid)) == 2, 10)
        (new,) = set(children(old.pid)) - set(worker)
        assert eventually(lambda: len(children(new)) == 1, 30), (tmp_path / "log").read_text()
        old.terminate()
        assert old.wait(patient(20)) == 0
        assert [responds_to_healthz(HOST, port) for _ in range(5)] == [True] * 5
    finally:
        os.killpg(old.pid, signal.SIGKILL)
        old.wait()


def test_a_worker_answers_until_its_delay_is_over() -> None:
    with serving(delay=patient(0.5)) as worker, worker.client() as idle, worker.client() as used:
        used.send(get()).response()
        worker.do(worker.worker.announce_stop)
        assert idle.is_silent(0.1), "an idle connection stays: its next request may be on its way"
        (response,) = used.forget().send(request("POST", "/", body=b"abc")).until_closed()
        assert (response.status, response.header("connection")) == (200, "close")
        used.end()
        assert idle.seconds_to_close() < patient(4)
        assert worker.ended(patient(2))
