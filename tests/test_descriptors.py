"""Silent connections do not keep others out, as long as the system allows enough descriptors (X09)."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients.launch import HOST, RunningBackend, spawn, start
from servers.descriptors import connections_within, raise_limit
from tests.advisories.measures import cpu, tree
from tests.connections import connect, receive_all
from tests.patience import patient

_INFINITY = resource.RLIM_INFINITY
# More than a soft limit of 1024 allows, and than the 1000 connections of a gunicorn worker by default.
_SILENT = 1100


@pytest.fixture
def _enough_descriptors() -> Iterator[None]:
    """For the sockets of the test itself."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if raise_limit(_SILENT + 500) < _SILENT + 500:
        pytest.skip("the system allows too few descriptors")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _spawned(name: str, soft: int) -> RunningBackend:
    """A server with one worker that is started with this soft limit, as by a shell."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        return spawn(name, env={"WIREPROOF_WORKERS": "1"})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_enough_descriptors")
@pytest.mark.parametrize("name", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8))])
def test_a_request_beside_silent_connections_is_answered_at_once(name: str) -> None:
    """It would wait until idle connections are closed, after `keep_alive_timeout` seconds: 15."""
    with _spawned(name, soft=1024) as backend, ExitStack() as silent:
        backend.wait_until_ready(patient(20))
        for _ in range(_SILENT):
            silent.enter_context(socket.create_connection((HOST, backend.port), patient(10)))
        begin = time.monotonic()
        with socket.create_connection((HOST, backend.port), patient(10)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert time.monotonic() - begin < patient(5)


@pytest.mark.parametrize("name", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8))])
def test_without_descriptors_no_server_spins_and_all_clients_are_served_later(name: str) -> None:
    """X09: clients beyond the limit wait in the kernel's queue. Less than 5 % of a CPU is used."""
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with start(name, env={"WIREPROOF_WORKERS": "1"}) as backend, ExitStack() as stack:
        for pid in tree(backend.pid):
            used = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 8, used + 8))
        clients = [stack.enter_context(connect(backend)) for _ in range(60)]
        time.sleep(1)  # it has noticed
        begin, before = time.monotonic(), cpu(backend.pid)
        time.sleep(2)
        assert (cpu(backend.pid) - before) / (time.monotonic() - begin) < 0.05
        for client in clients:
            client.settimeout(patient(20))
            client.sendall(request)
            assert receive_all(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("hard", "wanted", "uploads", "connections"),
    [
        (20_000, 10_000, 1000, 10_000),
        (5000, 10_000, 500, 5000 - 4 * 500 - 128),
        (1024, 10_000, 1000, 512),
        (1024, 100, 1000, 100),
        (1024, 0, 0, 512),
        (4096, 0, 100, 4096 - 4 * 100 - 128),
    ],
)
def test_there_are_as_many_connections_as_descriptors_allow_beside_uploads(
    monkeypatch: pytest.MonkeyPatch, hard: int, wanted: int, uploads: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    assert connections_within(wanted, uploads) == connections


@pytest.mark.parametrize(
    ("limits", "wanted", "allowed", "expected"),
    [
        ((1024, 4096), 2000, True, 2000),
        ((1024, 4096), 10_000, True, 4096),
        ((1024, _INFINITY), 10_000, True, 10_000),
        ((_INFINITY, _INFINITY), 10_000, True, 10_000),
        ((20_000, 30_000), 10_000, True, 20_000),
        ((256, _INFINITY), 10_000, False, 256),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_the_hard_one_allows(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], wanted: int, allowed: bool, expected: int
) -> None:
    now = [limits]

    def set_limits(_which: int, new: tuple[int, int]) -> None:
        if not allowed:
            raise ValueError("current limit exceeds maximum limit")
        assert new[1] == limits[1], "the hard limit stays"
        now[0] = new

    monkeypatch.setattr(resource, "getrlimit", lambda _: now[0])
    monkeypatch.setattr(resource, "setrlimit", set_limits)
    assert raise_limit(wanted) == expected
    assert now[0][0] in (expected, _INFINITY)
    assert now[0][0] >= limits[0] or now[0][0] == _INFINITY
