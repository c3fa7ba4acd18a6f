"""Master and workers as real processes: stopped by signals, killed, replaced (contract section 7; X09)."""

import os
import resource
import signal
import socket
from collections.abc import Iterator

import pytest

from clients.launch import RunningBackend, spawn, start
from tests.socket_server.client import Client, get, request
from tests.socket_server.process_tree import children, cpu_seconds, eventually, is_running

_UPLOAD = request("POST", "/upload/", "Content-Type: image/png", length=6)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[RunningBackend]:
    """A server of its own for the test, which may end it; by default with two workers."""
    with start("socket", flags=["--workers", str(getattr(request, "param", 2))]) as running:
        yield running


@pytest.fixture(scope="module")
def two_workers() -> Iterator[RunningBackend]:
    """A server for tests that leave it as they found it: with two workers."""
    with start("socket", flags=["--workers", "2"]) as running:
        yield running


def _begin_upload(backend: RunningBackend) -> Client:
    client = Client(backend.port).send(_UPLOAD + b"abc")
    assert client.is_silent(0.1)
    return client


def _finish_upload(client: Client) -> None:
    client.send(b"def")
    (answer,) = client.until_closed()
    assert (answer.status, answer.header("connection")) == (200, "close")
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
        assert idle.seconds_to_close() < 2
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


def test_a_killed_worker_is_replaced(two_workers: RunningBackend) -> None:
    master = two_workers.pid
    first, second = children(master)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: len(children(master)) == 2 and first not in children(master))
    assert second in children(master)
    assert f"worker {first} ended with status -9" in two_workers.log()
    for _ in range(8):
        with Client(two_workers.port) as client:
            assert client.send(get()).answer().status == 200


def test_a_worker_that_is_told_to_stop_finishes_and_is_replaced(two_workers: RunningBackend) -> None:
    workers = children(two_workers.pid)
    with _begin_upload(two_workers) as upload:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        assert eventually(lambda: len(set(children(two_workers.pid)) - set(workers)) == 1)
        _finish_upload(upload)
    assert eventually(lambda: len(set(children(two_workers.pid)) - set(workers)) == 2)


def test_workers_end_with_their_master_but_finish_first(backend: RunningBackend) -> None:
    """However it went; and they do not spin while they wait."""
    workers = children(backend.pid)
    with _begin_upload(backend) as upload:
        os.kill(backend.pid, signal.SIGKILL)
        backend.process.wait(5)
        assert eventually(lambda: sum(is_running(worker) for worker in workers) == 1)
        (busy,) = filter(is_running, workers)
        before = cpu_seconds(busy)
        assert upload.is_silent(0.5)
        assert cpu_seconds(busy) - before < 0.2
        _finish_upload(upload)
    assert eventually(lambda: not any(map(is_running, workers)))
    assert _stored(backend) == 1


def test_both_workers_serve_the_same_port(two_workers: RunningBackend) -> None:
    """With one of them stopped by force, connections are still served by the other."""
    first, _ = children(two_workers.pid)
    os.kill(first, signal.SIGSTOP)
    try:
        for _ in range(5):
            with Client(two_workers.port) as client:
                assert client.send(get()).answer().status == 200
    finally:
        os.kill(first, signal.SIGCONT)


def test_without_descriptors_it_pauses_and_then_goes_on() -> None:
    """X09: the clients wait in the kernel's queue, the loop sleeps, and all are served in the end."""
    with start("socket", flags=["--workers", "1"]) as backend:
        used = len(os.listdir(f"/proc/{backend.pid}/fd"))  # noqa: PTH208
        resource.prlimit(backend.pid, resource.RLIMIT_NOFILE, (used + 5, used + 5))
        clients = [Client(backend.port) for _ in range(20)]
        try:
            assert clients[0].send(get()).answer().status == 200
            before = cpu_seconds(backend.pid)
            assert clients[-1].send(get()).is_silent(0.5), "it is beyond the limit"
            assert cpu_seconds(backend.pid) - before < 0.2
            for client in clients[:-1]:
                client.send(get()).answer()
                client.socket.close()
            assert clients[-1].answer().status == 200
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
        assert eventually(lambda: " on http://[::1]:" in backend.log())
        port = int(backend.log().partition("[::1]:")[2].partition(" ")[0])
        with Client(port, host="::1") as client:
            assert (
                client.send(b"GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n").answer().json()["host"] == "[::1]:1"
            )
        with pytest.raises(ConnectionRefusedError):
            Client(port)
