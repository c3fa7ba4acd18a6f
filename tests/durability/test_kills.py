"""X02, X03: processes are killed or stopped while clients upload. Nothing acknowledged is lost."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clients.launch import RunningBackend, free_port, start
from tests.connections import connect, receive_all
from tests.durability.journal import Journal, LocalFiles
from tests.durability.load import Load
from tests.patience import eventually, patient
from tests.socket_server.process_tree import children

_BACKENDS = ("socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8)))
_ENV = {"WIREPROOF_WORKERS": "2", "WIREPROOF_QUIET": "1"}
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def _serves(backend: RunningBackend) -> bool:
    try:
        return receive_all(connect(backend, _HEALTH)).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def _lets_in(backend: RunningBackend) -> bool:
    """Whether a new connection is answered within half a second."""
    try:
        with connect(backend, _HEALTH) as connection:
            connection.settimeout(0.5)
            return connection.recv(1) == b"H"
    except OSError:
        return False


@dataclass
class _Victim:
    """A backend that is killed again and again; after a kill of all its processes another takes its port."""

    name: str
    store: Path
    port: int
    backend: RunningBackend | None = None
    seconds: list[float] = field(default_factory=list)
    """How long it took after each kill until a new request was answered."""

    def start(self) -> None:
        """Start it on its port, and wait until it serves."""
        self.backend = start(self.name, store=self.store, env=_ENV, port=self.port)

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.backend is not None:
            self.backend.stop()

    def kill_worker(self) -> None:
        """Kill one worker. The other one serves on, and a third one takes its place."""
        assert self.backend is not None
        assert eventually(lambda: len(self._workers()) == 2, 20)
        before = self._workers()
        os.kill(random.choice(sorted(before)), signal.SIGKILL)
        begin = time.monotonic()
        assert eventually(lambda: self.backend is not None and _serves(self.backend), 20)
        self.seconds.append(time.monotonic() - begin)
        assert eventually(lambda: bool(self._workers() - before), 20)

    def kill_all(self) -> None:
        """Kill all its processes at once, and start it anew on the same port."""
        assert self.backend is not None
        os.killpg(self.backend.pid, signal.SIGKILL)
        self.backend.process.wait()
        begin = time.monotonic()
        self.backend.stop()
        self.start()
        assert _serves(self.backend)
        self.seconds.append(time.monotonic() - begin)

    def _workers(self) -> set[int]:
        assert self.backend is not None
        return set(children(self.backend.pid))


@contextmanager
def _victim(name: str, folder: Path) -> Iterator[_Victim]:
    victim = _Victim(name, folder / "store", free_port())
    try:
        victim.start()
        yield victim
    finally:
        victim.stop()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kills", "uploads"),
    [(4, 40), pytest.param(30, 2_000, marks=pytest.mark.soak(seconds=150))],
    ids=["4 kills", "30 kills"],
)
@pytest.mark.parametrize("name", _BACKENDS)
def test_no_acknowledged_upload_is_lost_when_processes_are_killed(
    tmp_path: Path, name: str, kills: int, uploads: int
) -> None:
    journal = Journal(tmp_path / "journal")
    with _victim(name, tmp_path) as victim:
        ways: list[Callable[[], None]] = [victim.kill_worker, victim.kill_all]
        with Load(victim.port, journal).running() as load:
            for kill in range(kills):
                wanted = uploads * (kill + 1) // kills
                assert eventually(lambda wanted=wanted: journal.uploads >= wanted, 60)  # type: ignore[misc]
                ways[kill % 2]()
        stored = LocalFiles(victim.store)
        assert eventually(lambda: stored.leftovers() == [], 5), "the next start sweeps what a kill has left"
        audit = journal.audit(stored)
    print(
        f"{name}: {kills} kills, {journal.uploads} uploads acknowledged, slowest {max(victim.seconds):.2f} s"
    )
    assert load.unexpected == []
    assert audit.is_clean, audit
    assert journal.uploads >= uploads
    assert max(victim.seconds) < patient(1)


@pytest.mark.parametrize("name", _BACKENDS)
def test_sigterm_lets_twenty_uploads_finish(tmp_path: Path, name: str) -> None:
    """They are acknowledged and stored, no new connection is answered, and the exit status is 0."""
    journal = Journal(tmp_path / "journal")
    contents = [b"%d %b" % (client, os.urandom(200_000)) for client in range(20)]
    with start(name, store=tmp_path / "store", env=_ENV) as backend, ExitStack() as stack:
        journal.intend(*contents)
        connections = [stack.enter_context(_half_sent(backend, content)) for content in contents]
        os.kill(backend.pid, signal.SIGTERM)
        assert eventually(lambda: not _lets_in(backend), 10)
        assert backend.process.poll() is None
        for connection, content in zip(connections, contents, strict=True):
            connection.sendall(content[len(content) // 2 :])
        for connection, content in zip(connections, contents, strict=True):
            assert receive_all(connection).startswith(b"HTTP/1.1 200 ")
            journal.acknowledge(content)
        assert backend.process.wait(20) == 0
        audit = journal.audit(LocalFiles(backend.store))
    assert audit.is_clean, audit
    assert audit.acknowledged == 20


def _half_sent(backend: RunningBackend, content: bytes) -> socket.socket:
    """A connection on which the server has begun to read an upload, and has half of it."""
    head = b"PUT /upload/f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
    connection = connect(backend, head + b"Content-Length: %d\r\n\r\n" % len(content))
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(content[: len(content) // 2])
    return connection
