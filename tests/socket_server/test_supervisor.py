"""The supervisor: children of other programs, workers that hang, and workers that die with a full queue."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import launch
from clients.launch import BackendKind, RunningBackend, start
from servers.socket_server.supervisor import Silence
from tests.patience import eventually
from tests.socket_server.client import Client, get
from tests.socket_server.process_tree import children, is_running

# A child of the shell becomes a child of the server that replaces the shell.
_EXEC = ("sh", "-c", 'sleep 600 & sleep 600 & exec "$@"', "sh")
# Processes whose parent has ended become children of the server, as in a container.
_SUBREAPER = """
import ctypes, os, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
os.system("(sleep 600 & sleep 600 &)")
os.execvp(sys.argv[1], sys.argv[1:])
"""
_FIRST_OF_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
_ORPHANS = ("sh", "-c", '(sleep 600 & sleep 600 &); exec "$@"', "sh")

_STUCK_SECONDS = 5


def _can_unshare() -> bool:
    command = [*_FIRST_OF_A_NAMESPACE, "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, check=False).returncode == 0


@pytest.fixture
def backend() -> Iterator[RunningBackend]:
    with start("socket", flags=["--workers", "2"]) as running:
        yield running


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(_EXEC, id="behind the exec of a shell"),
        pytest.param((sys.executable, "-c", _SUBREAPER), id="orphans"),
        pytest.param((*_FIRST_OF_A_NAMESPACE, *_ORPHANS), id="orphans of a container"),
    ],
)
def test_a_child_of_another_program_is_reaped_and_not_replaced(
    way: tuple[str, ...], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_namespace = way[0] == "unshare"
    if in_namespace and not _can_unshare():
        pytest.skip("this machine allows no namespaces")
    kind = launch.BACKENDS["socket"]
    monkeypatch.setitem(launch.BACKENDS, "socket", BackendKind((*way, *kind.command), prints_url=True))
    with start("socket", flags=["--workers", str(workers)]) as backend:
        (server,) = children(backend.pid) if in_namespace else (backend.pid,)
        foreign = [pid for pid in children(server) if _name(pid) == "sleep"]
        own = set(children(server)) - set(foreign)
        assert len(foreign) == 2, "this test knows the children of another program"
        assert len(own) == (workers if workers > 1 else 0)
        for pid in foreign:
            os.kill(pid, signal.SIGTERM)
        assert eventually(lambda: set(children(server)) <= own, 10)
        time.sleep(0.5)
        assert set(children(server)) == own
        assert "starting another" not in backend.log()
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200


def test_a_worker_is_silent_after_ticks_without_a_new_beat() -> None:
    silence = Silence()
    assert [silence.tick(beat) for beat in (0.0, 0.0, 1.5, 1.5, 1.5, 2.0)] == [1, 2, 0, 1, 2, 0]


def test_a_worker_that_hangs_is_replaced(backend: RunningBackend) -> None:
    """X04: until then the other one serves."""
    stuck, other = children(backend.pid)
    begin = time.monotonic()
    os.kill(stuck, signal.SIGSTOP)
    for _ in range(5):
        with Client(backend.port) as client:
            assert client.send(get()).response().status == 200
    assert eventually(lambda: stuck not in children(backend.pid), 2 * _STUCK_SECONDS)
    assert time.monotonic() - begin > _STUCK_SECONDS - 1.5, "a beat may be half a second old, a tick one"
    assert eventually(lambda: len(children(backend.pid)) == 2, 10)
    assert other in children(backend.pid)
    assert eventually(lambda: f"worker {stuck} has been silent for 5 s: killing it" in backend.log(), 10)
    with Client(backend.port) as client:
        assert client.send(get()).response().status == 200


@pytest.mark.soak(seconds=15)
def test_a_server_that_was_suspended_goes_on_with_its_workers(backend: RunningBackend) -> None:
    """Nobody was there to hear a beat, so nobody was silent."""
    workers = children(backend.pid)
    os.killpg(backend.pid, signal.SIGSTOP)
    time.sleep(_STUCK_SECONDS + 2)
    os.killpg(backend.pid, signal.SIGCONT)
    with Client(backend.port) as client:
        assert client.send(get()).response().status == 200
    time.sleep(2.5)
    assert children(backend.pid) == workers
    assert "silent" not in backend.log()


def test_connections_that_wait_when_workers_die_are_accepted_by_their_successors(
    backend: RunningBackend,
) -> None:
    """The supervisor holds the listening socket, so its queue is not reset."""
    workers = children(backend.pid)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    clients = [Client(backend.port).send(get()) for _ in range(8)]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    for client in clients:
        with client:
            assert client.response().status == 200


def test_a_worker_that_hangs_while_the_server_stops_is_killed(backend: RunningBackend) -> None:
    """Otherwise the server would never end."""
    stuck, _ = children(backend.pid)
    os.kill(stuck, signal.SIGSTOP)
    os.kill(backend.pid, signal.SIGTERM)
    assert backend.process.wait(30) == 0
    assert not is_running(stuck)
