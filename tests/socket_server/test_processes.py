"""Supervisor and workers as real processes: stopped, killed, replaced (contract section 7; X09)."""

import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.launch import RunningBackend, spawn, start
from tests.patience import eventually, patient
from tests.socket_server.client import Client, get, request
from tests.socket_server.process_tree import arranged, children, cpu_seconds, is_running

# Code that a server runs before its own. It makes something happen at a certain moment.
_FORK_FAILS = """
import errno, os
from servers.socket_server import supervisor

supervisor._START_AGAIN_SECONDS = 0
fork, forks = os.fork, 0

def fork_or_fail():
    global forks
    forks += 1
    if forks == {number}:
        raise BlockingIOError(errno.EAGAIN, "no room")
    return fork()

os.fork = fork_or_fail
"""
_SIGNAL_BEFORE_THE_FORK = """
import os, signal
fork = os.fork

def told():
    os.kill(os.getpid(), signal.SIGTERM)
    return fork()

os.fork = told
"""
_SIGNAL_TO_ALL_WHILE_A_WORKER_BEGINS = """
import os, signal
from servers.socket_server import worker_process

fork, forks, worker = os.fork, 0, worker_process.Worker

def counted():
    global forks
    forks += 1
    return fork()

def told(*arguments, **options):
    if forks == 1:
        os.killpg(os.getpgrp(), signal.SIGTERM)
    return worker(*arguments, **options)

os.fork, worker_process.Worker = counted, told
"""
_SIGNAL_BEFORE_IT_IS_BLOCKED = """
import signal
mask = signal.pthread_sigmask

def told(how, signals):
    if how == signal.SIG_BLOCK:
        signal.raise_signal(signal.SIGTERM)
    return mask(how, signals)

signal.pthread_sigmask = told
"""

_UPLOAD = request("POST", "/upload/", "Content-Type: image/png", length=6)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[RunningBackend]:
    """A server for one test, which may end it. It has two workers by default."""
    with start("socket", flags=["--workers", str(getattr(request, "param", 2))]) as running:
        yield running


@pytest.fixture(scope="module")
def two_workers() -> Iterator[RunningBackend]:
    """A server with two workers, for tests that do not change it."""
    with start("socket", flags=["--workers", "2"]) as running:
        yield running


def _begin_upload(backend: RunningBackend) -> Client:
    client = Client(backend.port).send(_UPLOAD + b"abc")
    assert client.is_silent(0.1)
    return client


def _finish_upload(client: Client) -> None:
    client.send(b"def")
    (response,) = client.until_closed()
    assert (response.status, response.header("connection")) == (200, "close")
    client.socket.close()


def _stored(backend: RunningBackend) -> int:
    return len(list((backend.store / "files").iterdir()))


@pytest.mark.parametrize(
    ("backend", "number", "whole_group"),
    [
        pytest.param(1, signal.SIGTERM, False, id="one process"),
        pytest.param(2, signal.SIGTERM, False, id="the master"),
        pytest.param(2, signal.SIGTERM, True, id="the whole group"),
        pytest.param(2, signal.SIGINT, True, id="Ctrl-C"),
    ],
    indirect=["backend"],
)
def test_a_signal_lets_an_upload_finish_and_closes_what_is_idle(
    backend: RunningBackend, number: signal.Signals, whole_group: bool
) -> None:
    """Ctrl-C in a terminal and most service managers signal every process of the group."""
    with _begin_upload(backend) as upload, Client(backend.port) as idle:
        assert idle.is_silent(0.05)
        if whole_group:
            os.killpg(backend.pid, number)
        else:
            os.kill(backend.pid, number)
        assert idle.seconds_to_close() < patient(2)
        assert idle.received == b""
        assert upload.is_silent(0.2)
        assert backend.process.poll() is None
        _finish_upload(upload)
    assert backend.process.wait(5) == 0
    assert _stored(backend) == 1


@pytest.mark.parametrize("backend", [1, 2], ids=["one process", "two workers"], indirect=True)
def test_a_second_signal_ends_it_at_once(backend: RunningBackend) -> None:
    with _begin_upload(backend) as upload:
        os.kill(backend.pid, signal.SIGTERM)
        assert upload.is_silent(0.2)
        os.kill(backend.pid, signal.SIGTERM)
        assert backend.process.wait(3) == 0
        assert upload.until_closed() == []
    assert _stored(backend) == 0
    assert "Traceback" not in backend.log()


def _ends_quietly(backend: RunningBackend) -> None:
    assert backend.process.wait(20) == 0
    assert "Traceback" not in backend.log()
    assert "ERROR" not in backend.log()


@pytest.mark.parametrize("workers", [2, 5, 20])
def test_a_signal_while_workers_are_started_ends_it_quietly(workers: int) -> None:
    with spawn("socket", flags=["--workers", str(workers)]) as backend:
        deadline = time.monotonic() + 20
        while not children(backend.pid) and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(backend.pid, signal.SIGTERM)
        _ends_quietly(backend)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(_SIGNAL_BEFORE_THE_FORK, id="just before the fork"),
        pytest.param(_SIGNAL_BEFORE_IT_IS_BLOCKED, id="before it is blocked"),
    ],
)
def test_a_signal_round_a_fork_ends_it_without_a_word(tmp_path: Path, code: str) -> None:
    """It does not print that it serves either, because it does not."""
    with spawn("socket", flags=["--workers", "2"], env=arranged(tmp_path, code)) as backend:
        _ends_quietly(backend)
        assert backend.log() == ""


def test_a_signal_to_all_while_a_worker_begins_ends_it_quietly(tmp_path: Path) -> None:
    """The worker does not run the supervisor's handler."""
    env = arranged(tmp_path, _SIGNAL_TO_ALL_WHILE_A_WORKER_BEGINS)
    with spawn("socket", flags=["--workers", "2"], env=env) as backend:
        _ends_quietly(backend)


@pytest.mark.parametrize("number", [1, 2, 3], ids=["the first", "the second", "the one in place of another"])
def test_a_worker_for_which_there_was_no_room_is_started_again(tmp_path: Path, number: int) -> None:
    env = arranged(tmp_path, _FORK_FAILS.format(number=number))
    with start("socket", flags=["--workers", "2"], env=env) as backend:
        first, _ = children(backend.pid)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: len(set(children(backend.pid)) - {first}) == 2, 10)
        assert eventually(lambda: backend.log().count("no worker can be started: no room") == 1)
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200
        os.kill(backend.pid, signal.SIGTERM)
        assert backend.process.wait(5) == 0


def _is_stopped(pid: int) -> bool:
    return "State:\tT" in Path(f"/proc/{pid}/status").read_text("ascii")


@pytest.mark.parametrize(
    ("backend", "whole_group"),
    [
        pytest.param(1, False, id="one process"),
        pytest.param(2, False, id="the master"),
        pytest.param(2, True, id="the whole group"),
    ],
    indirect=["backend"],
)
def test_what_had_arrived_when_the_signal_came_is_answered(
    backend: RunningBackend, whole_group: bool
) -> None:
    """On a connection that is kept alive, and on one that waits to be accepted."""
    processes = [backend.pid, *children(backend.pid)]
    with Client(backend.port) as kept:
        kept.send(get()).response()
        os.killpg(backend.pid, signal.SIGSTOP)
        assert eventually(lambda: all(map(_is_stopped, processes)), 10)
        with Client(backend.port) as fresh:
            for client in (kept.forget(), fresh):
                client.send(get("/late"))
            assert fresh.is_silent(0.1), "it is on its way to the kernel of the other side"
            (os.killpg if whole_group else os.kill)(backend.pid, signal.SIGTERM)
            os.killpg(backend.pid, signal.SIGCONT)
            for client in (kept, fresh):
                assert [response.json()["path"] for response in client.until_closed()] == ["/late"]
    assert backend.process.wait(10) == 0


def test_a_store_in_memory_has_one_process() -> None:
    """Two processes would not share it: one would not find what the other has stored."""
    with start("socket", flags=["--workers", "2", "--store", "MEMORY:"]) as backend:
        assert children(backend.pid) == []
        with Client(backend.port) as client:
            client.send(request("PUT", "/upload/f", body=b"abc"))
            href = client.response().json()["files"][0]["href"]
        with Client(backend.port) as client:
            assert client.send(get(href)).response().body == b"abc"


def test_a_killed_worker_is_replaced(two_workers: RunningBackend) -> None:
    master = two_workers.pid
    first, second = children(master)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: len(children(master)) == 2 and first not in children(master), 10)
    assert second in children(master)
    assert eventually(lambda: f"worker {first} ended with status -9" in two_workers.log())
    for _ in range(8):
        with Client(two_workers.port) as client:
            assert client.send(get()).response().status == 200


def test_a_worker_that_is_stopped_finishes_and_is_replaced(two_workers: RunningBackend) -> None:
    workers = children(two_workers.pid)
    with _begin_upload(two_workers) as upload:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        assert eventually(lambda: len(set(children(two_workers.pid)) - set(workers)) == 1, 10)
        _finish_upload(upload)
    assert eventually(lambda: len(set(children(two_workers.pid)) - set(workers)) == 2, 10)


def test_workers_end_with_their_supervisor_but_finish_first(backend: RunningBackend) -> None:
    """However the supervisor ended. They do not spin while they wait."""
    workers = children(backend.pid)
    with _begin_upload(backend) as upload:
        os.kill(backend.pid, signal.SIGKILL)
        backend.process.wait(5)
        assert eventually(lambda: sum(is_running(worker) for worker in workers) == 1, 10)
        (busy,) = filter(is_running, workers)
        before = cpu_seconds(busy)
        assert upload.is_silent(0.5)
        assert cpu_seconds(busy) - before < 0.2
        _finish_upload(upload)
    assert eventually(lambda: not any(map(is_running, workers)), 10)
    assert _stored(backend) == 1


def test_both_workers_serve_the_same_port(two_workers: RunningBackend) -> None:
    """While one of them is suspended, the other one serves connections."""
    first, _ = children(two_workers.pid)
    os.kill(first, signal.SIGSTOP)
    try:
        for _ in range(5):
            with Client(two_workers.port) as client:
                assert client.send(get()).response().status == 200
    finally:
        with contextlib.suppress(ProcessLookupError):  # on a slow machine it is replaced meanwhile (X04)
            os.kill(first, signal.SIGCONT)


def test_without_descriptors_it_pauses_and_then_goes_on() -> None:
    """X09: the clients wait in the kernel's queue while the loop sleeps. In the end all are served."""
    with start("socket", flags=["--workers", "1"]) as backend:
        used = len(os.listdir(f"/proc/{backend.pid}/fd"))  # noqa: PTH208
        resource.prlimit(backend.pid, resource.RLIMIT_NOFILE, (used + 5, used + 5))
        clients = [Client(backend.port) for _ in range(20)]
        try:
            assert clients[0].send(get()).response().status == 200
            before = cpu_seconds(backend.pid)
            assert clients[-1].send(get()).is_silent(0.5), "it is beyond the limit"
            assert cpu_seconds(backend.pid) - before < 0.2
            for client in clients[:-1]:
                client.send(get()).response()
                client.socket.close()
            assert clients[-1].response().status == 200
        finally:
            for client in clients:
                client.socket.close()


def test_an_ipv6_address_can_be_listened_on() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with spawn("socket", flags=["--workers", "1", "--host", "::1"]) as backend:
        assert eventually(lambda: " on http://[::1]:" in backend.log(), 10)
        port = int(backend.log().partition("[::1]:")[2].partition(" ")[0])
        with Client(port, host="::1") as client:
            assert (
                client.send(b"GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n").response().json()["host"] == "[::1]:1"
            )
        with pytest.raises(ConnectionRefusedError):
            Client(port)
