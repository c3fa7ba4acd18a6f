"""X02 for uploads in pieces: servers are killed while clients upload. Each offset that was told holds.

What holds is looked at by the client itself (`pieces.Pieces`), and in the end by the bytes.
"""

import http.client
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clients.launch import HOST, RunningBackend, free_port, start
from servers.storage import open_store
from tests.durability.journal import LocalFiles
from tests.durability.pieces import Pieces
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually
from tests.socket_server.process_tree import children
from tests.storage.uploads import content_of, sha256

_CLIENTS = 3
_PIECES = (1, 70_000, 1_000_000, 3_000_000)
_ENV = {"WIREPROOF_WORKERS": "2", "WIREPROOF_QUIET": "1"}


@dataclass
class _Client:
    """Uploads files of `size` bytes in pieces, one after the other, until it is stopped."""

    port: int
    number: int
    size: int
    stopped: threading.Event
    complete: list[bytes] = field(default_factory=list)
    told: int = 0
    broken: int = 0
    failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopped.is_set():
                self._upload(Pieces(b"%d %d " % (self.number, len(self.complete)) + os.urandom(self.size)))
        except BaseException as error:
            self.failure = error

    def _upload(self, pieces: Pieces) -> None:
        draw = random.Random(self.number)
        self._try(pieces, lambda connection: pieces.create(connection) == 201)
        while pieces.location is not None and not pieces.is_complete and not self.stopped.is_set():
            size = draw.choice(_PIECES)
            if self._try(pieces, lambda connection, size=size: pieces.append(connection, size) == 204):  # type: ignore[misc]
                self.told += 1
            else:
                self._try(pieces, lambda connection: pieces.look(connection) == 200)
        if pieces.is_complete:
            self.complete.append(pieces.content)

    def _try(self, pieces: Pieces, ask: Callable[[http.client.HTTPConnection], bool]) -> bool:
        """Whether it succeeded. A server that was killed refuses connections, or says nothing."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            if ask(connection):
                return True
            assert pieces.statuses[-1] in {400, 409, 503}, pieces.statuses[-3:]
        except (OSError, http.client.HTTPException):
            self.broken += 1
            self.stopped.wait(0.05)
        finally:
            connection.close()
        return False


@contextmanager
def _uploading(port: int, size: int) -> Iterator[list[_Client]]:
    stopped = threading.Event()
    clients = [_Client(port, number, size, stopped) for number in range(_CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        stopped.set()
        for thread in threads:
            thread.join(60)


def _kill(backend: RunningBackend, restart: Callable[[], RunningBackend], kill: int) -> RunningBackend:
    """Kill one worker, or in turn all processes, and start them again."""
    if kill % 2 == 0 and (workers := children(backend.pid)):
        os.kill(random.choice(workers), signal.SIGKILL)
        return backend
    os.killpg(backend.pid, signal.SIGKILL)
    backend.process.wait()
    backend.stop()
    return restart()


def _killed_again_and_again(start_it: Callable[[int], RunningBackend], kills: int, size: int) -> list[bytes]:
    """The contents that were told to be complete, after all offsets have held."""
    port = free_port()
    backend = start_it(port)
    try:
        with _uploading(port, size) as clients:
            for kill in range(kills):
                told = sum(client.told for client in clients)
                assert eventually(
                    lambda told=told: sum(client.told for client in clients) > told + random.randrange(4),  # type: ignore[misc]
                    60,
                )
                backend = _kill(backend, lambda: start_it(port), kill)
            enough = {id(client): len(client.complete) + 1 for client in clients}
            assert eventually(
                lambda: all(
                    client.failure or len(client.complete) >= enough[id(client)] for client in clients
                ),
                120,
            )
    finally:
        backend.stop()
    told, broken = (sum(getattr(client, name) for client in clients) for name in ("told", "broken"))
    print(f"{kills} kills, {told} offsets told, {broken} requests broken")
    assert [client.failure for client in clients if client.failure is not None] == []
    assert broken > 0
    return [content for client in clients for content in client.complete]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "kills"),
    [
        pytest.param("socket", 2, marks=pytest.mark.soak(seconds=6)),
        pytest.param("socket", 20, marks=pytest.mark.soak(seconds=40)),
        pytest.param("gunicorn", 20, marks=pytest.mark.soak(seconds=60)),
    ],
)
def test_offsets_that_were_told_hold_when_processes_are_killed(tmp_path: Path, name: str, kills: int) -> None:
    def start_it(port: int) -> RunningBackend:
        return start(name, store=tmp_path / "store", env=_ENV, port=port)

    contents = _killed_again_and_again(start_it, kills, 2_000_000 if kills < 20 else 12_000_000)
    stored = LocalFiles(tmp_path / "store")
    for content in contents:
        assert stored.content(sha256(content)) == content
    assert len(contents) >= _CLIENTS


@pytest.mark.soak(seconds=120)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_offsets_in_a_bucket_hold_when_processes_are_killed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = f"s3://{BUCKET}/pieces-{name}"
    with ObjectStore() as objects:
        env = _ENV | objects.environ | {"WIREPROOF_STORE": spec}
        contents = _killed_again_and_again(lambda port: start(name, env=env, port=port), 20, 8_000_000)
        for variable, value in objects.environ.items():
            monkeypatch.setenv(variable, value)
        store = open_store(spec, durable=True)
        for content in contents:
            assert content_of(store, sha256(content)) == content
    assert len(contents) >= _CLIENTS
