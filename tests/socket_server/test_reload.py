"""SIGHUP: new workers replace the old ones, which finish their requests."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.patience import eventually, patient
from tests.socket_server.client import Client, get, request
from tests.socket_server.process_tree import arranged, children

_UPLOAD = request("POST", "/upload/", "Content-Type: image/png", length=6)
# A worker fails at its start while a certain file is there.
_WORKERS_FAIL = """
import os
from servers.socket_server import worker_process

worker = worker_process.Worker

def fail_or_begin(*arguments, **options):
    if os.path.exists({path!r}):
        raise RuntimeError("it fails at its start")
    return worker(*arguments, **options)

worker_process.Worker = fail_or_begin
"""


@pytest.fixture
def backend() -> Iterator[RunningBackend]:
    with start("socket", flags=["--workers", "2"]) as running:
        yield running


def _replaced(backend: RunningBackend, old: list[int], left: int = 0) -> bool:
    """Whether two new workers run, and `left` old ones."""
    now = set(children(backend.pid))
    return (len(now - set(old)), len(now & set(old))) == (2, left)


@pytest.mark.parametrize("whole_group", [False, True], ids=["the supervisor", "a terminal that closes"])
def test_old_workers_finish_their_requests(backend: RunningBackend, whole_group: bool) -> None:
    old = children(backend.pid)
    with Client(backend.port) as upload:
        assert upload.send(_UPLOAD + b"abc").is_silent(0.1)
        (os.killpg if whole_group else os.kill)(backend.pid, signal.SIGHUP)
        assert eventually(lambda: _replaced(backend, old, left=1), 10)
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200
        upload.send(b"def")
        (response,) = upload.until_closed()
        assert (response.status, response.header("connection")) == (200, "close")
    assert eventually(lambda: _replaced(backend, old), 10)
    assert "ERROR" not in backend.log()


def test_an_idle_connection_may_send_one_more_request(backend: RunningBackend) -> None:
    """A client that sends a request at this very moment would lose it if idle connections were closed."""
    old = children(backend.pid)
    with Client(backend.port) as kept:
        assert kept.send(get()).response().header("connection") != "close"
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: _replaced(backend, old, left=1), 10)
        (response,) = kept.forget().send(get("/late")).until_closed()
        assert (response.json()["path"], response.header("connection")) == ("/late", "close")
    assert eventually(lambda: _replaced(backend, old), 10)


def test_uploads_go_on_during_reloads(backend: RunningBackend) -> None:
    """Each client uses its connection until the server says that it closes it. None loses an upload."""
    done = threading.Event()
    statuses: list[int] = []
    failures: list[BaseException] = []

    def upload() -> None:
        try:
            while not done.is_set():
                with Client(backend.port) as client:
                    while not done.is_set():
                        client.forget().send(request("PUT", "/upload/f", body=os.urandom(1000)))
                        response = client.response()
                        statuses.append(response.status)
                        if response.header("connection") == "close":
                            break
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            old = children(backend.pid)
            os.kill(backend.pid, signal.SIGHUP)
            assert eventually(lambda old=old: _replaced(backend, old), 20)  # type: ignore[misc]
    finally:
        done.set()
        for thread in threads:
            thread.join(patient(10))
    assert failures == []
    assert set(statuses) == {200}
    assert len(list((backend.store / "files").iterdir())) == len(statuses)


def test_two_reloads_at_once_end_with_the_right_number_of_workers(backend: RunningBackend) -> None:
    old = children(backend.pid)
    os.kill(backend.pid, signal.SIGHUP)
    time.sleep(0.05)
    os.kill(backend.pid, signal.SIGHUP)
    assert eventually(lambda: _replaced(backend, old), 20)
    with Client(backend.port) as client:
        assert client.send(get()).response().status == 200


def test_old_workers_serve_while_new_ones_fail_at_their_start(tmp_path: Path) -> None:
    fails = tmp_path / "fails"
    env = arranged(tmp_path, _WORKERS_FAIL.format(path=str(fails)))
    with start("socket", flags=["--workers", "2"], env=env) as backend:
        old = children(backend.pid)
        fails.touch()
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: backend.log().count("ended with status 1: starting another") >= 4, 10)
        assert set(old) <= set(children(backend.pid))
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200
        fails.unlink()
        assert eventually(lambda: _replaced(backend, old), 10)


def test_a_server_that_is_stopped_during_a_reload_lets_old_workers_finish(backend: RunningBackend) -> None:
    old = children(backend.pid)
    with Client(backend.port) as upload:
        assert upload.send(_UPLOAD + b"abc").is_silent(0.1)
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: _replaced(backend, old, left=1), 10)
        os.kill(backend.pid, signal.SIGTERM)
        assert upload.is_silent(0.2)
        upload.send(b"def")
        assert [response.status for response in upload.until_closed()] == [200]
    assert backend.process.wait(10) == 0


@pytest.mark.parametrize("flags", [("--workers", "1"), ("--wire",)])
def test_a_server_of_one_process_goes_on(flags: tuple[str, ...]) -> None:
    with start("socket", flags=flags) as backend:
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: "SIGHUP has no effect with one worker" in backend.log(), 10)
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200
