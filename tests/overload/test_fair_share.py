"""One client with hundreds of uploads does not slow down another one's: both have their turns."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import pytest

from clients.launch import RunningBackend, start
from servers.descriptors import raise_limit
from servers.socket_server.loop import Deadline, Loop
from servers.storage.memory import MemoryStore
from tests.connections import receive_all
from tests.overload.flood import flood
from tests.patience import patient
from tests.routes.slow_store import SlowStore
from tests.socket_server.client import Client, request
from tests.socket_server.worker_thread import serving

GREEDY = "127.0.0.2"
UPLOAD = request("PUT", "/upload/a.bin", body=b"content")
_DISK_SECONDS = 0.02


def small_upload(host: str, port: int, number: int) -> float:
    """How many seconds a small upload on a connection of its own takes."""
    begin = time.monotonic()
    with socket.create_connection((host, port), patient(60)) as connection:
        connection.sendall(request("PUT", "/upload/a", "Connection: close", body=b"%d" % number))
        assert receive_all(connection).startswith(b"HTTP/1.1 200 ")
    return time.monotonic() - begin


def test_an_upload_waits_for_one_of_another_client_not_for_all_of_them() -> None:
    """The store takes 0.02 s for each call, so 400 uploads of the greedy client take seconds."""
    done: list[float] = []
    store = SlowStore(lambda _: time.sleep(_DISK_SECONDS), MemoryStore())
    with serving(store) as served, ExitStack() as stack:
        greedy = []
        for _ in range(400):
            connection = socket.create_connection(("127.0.0.1", served.port), 60, source_address=(GREEDY, 0))
            greedy.append(stack.enter_context(connection))
        for connection in greedy:
            connection.sendall(UPLOAD)
        greedy[0].recv(12)  # the work has begun
        with Client(served.port) as modest:
            begin = time.monotonic()
            assert modest.send(UPLOAD).response(b"PUT").status == 200
            done.append(time.monotonic() - begin)
        for connection in greedy:
            connection.recv(12)
            done.append(time.monotonic() - begin)
    assert done[0] < done[-1] / 4, f"{done[0]:.2f} s of {done[-1]:.2f} s"


class Busy:
    """A watcher whose every turn takes a millisecond. Its socket is always ready."""

    def __init__(self, loop: Loop, client: str, turns: list[str]) -> None:
        self.client = client
        self._turns = turns
        self._sockets = socket.socketpair()
        self._sockets[1].send(b"x")
        loop.watch(self._sockets[0], 1, self)

    def on_ready(self) -> None:
        self._turns.append(self.client)
        time.sleep(0.001)

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()
    loop.run()


def test_a_busy_client_does_not_hold_up_the_loop(loop: Loop) -> None:
    turns: list[str] = []
    watchers = [Busy(loop, "many", turns) for _ in range(200)] + [Busy(loop, "one", turns)]
    for _ in range(20):
        loop._turn()
    for watcher in watchers:
        watcher.close()
    assert turns.index("one") <= 1
    assert turns.count("one") >= 9, "on a busy machine a turn may have time for one watcher only"
    assert turns.count("many") < 200, "a turn ends before all were served"


def test_a_socket_that_is_watched_no_longer_has_no_turn(loop: Loop) -> None:
    turns: list[str] = []
    first, second = (Busy(loop, "many", turns) for _ in range(2))

    def drop() -> None:
        turns.append("dropped")
        loop.watch(second._sockets[0], 0, second)

    first.on_ready = drop  # type: ignore[method-assign]
    loop._turn()
    for watcher in (first, second):
        watcher.close()
    assert turns == ["dropped"]


def test_deadlines_that_come_at_once_do_not_hold_up_the_loop(loop: Loop) -> None:
    """Thousands of slow heads are late in the same moment: a turn ends between two of them."""
    turns: list[str] = []
    late = [Deadline(loop, lambda: time.sleep(0.001)) for _ in range(200)]
    now = time.monotonic()
    for deadline in late:
        deadline.set(now)
    watcher = Busy(loop, "one", turns)
    for _ in range(400):
        loop._turn()
        if all(deadline.at is None for deadline in late):
            break
    watcher.close()
    assert all(deadline.at is None for deadline in late), "all have come"
    assert len(turns) >= 10


@pytest.mark.soak(seconds=60)
@pytest.mark.parametrize("size", [1000, 1_000_000])
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_500_connections_of_one_client_that_upload_leave_another_its_share(name: str, size: int) -> None:
    """Without turns an upload waited for those of all 500 connections, which took seconds."""
    raise_limit(4000)
    env = {"WIREPROOF_QUIET": "1", "WIREPROOF_WORKERS": "1", "WIREPROOF_DURABILITY": "fast"}
    with start(name, env=env) as backend:
        alone = times(backend, 40)
        with flood(backend.port, 500, size) as report:
            small_upload(backend.host, backend.port, 0)  # behind the connections that wait to be accepted
            beside = times(backend, 20)
    figures = f"{1000 * median(alone):.0f} ms alone, {1000 * median(beside):.0f} ms beside"
    print(f"{name}, {size} bytes: {figures}, {report}")
    assert set(report) <= {"200"}, "nobody is refused"
    assert median(beside) < max(40 * median(alone), 0.5)


def times(backend: RunningBackend, count: int) -> list[float]:
    return [small_upload(backend.host, backend.port, number) for number in range(count)]
