"""Connections are spread over the workers, and a worker that cannot accept keeps none waiting."""

import math
import resource
import socket
import time
from pathlib import Path

import pytest

from clients.launch import start
from servers.socket_server.scoreboard import Row, Scoreboard
from tests.patience import eventually
from tests.socket_server.client import Client, get
from tests.socket_server.process_tree import arranged, children

_BURST = 32
_TRIES = 20
_MOST_FROM_EVEN = 8
# Each worker writes a line when it has accepted a connection, and when one is closed.
_RECORDED = """
import os
from servers.socket_server.worker import Worker

record = os.open({path!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
accept, closed = Worker.accept, Worker.connection_closed

def recorded_accept(worker, sock):
    accept(worker, sock)
    os.write(record, b"accepted %d\\n" % os.getpid())

def recorded_closed(worker, connection):
    closed(worker, connection)
    os.write(record, b"closed %d\\n" % os.getpid())

Worker.accept, Worker.connection_closed = recorded_accept, recorded_closed
"""


def _rows(*numbers: tuple[float, float]) -> list[Row]:
    """Rows of workers with so many connections, which have shown a beat so many seconds ago."""
    scoreboard = Scoreboard(len(numbers))
    for index, (connections, seconds) in enumerate(numbers):
        scoreboard.rows[index].connections = connections
        scoreboard.beats[index] = time.monotonic() - seconds
    return scoreboard.rows


@pytest.mark.parametrize(
    ("numbers", "leaves_it"),
    [
        pytest.param([(5, 0)], False, id="it is alone"),
        pytest.param([(0, 0), (0, 0)], False, id="both are idle"),
        pytest.param([(3, 0), (0, 0)], False, id="a few more"),
        pytest.param([(4, 0), (0, 0)], True, id="more by the head start"),
        pytest.param([(4, 0), (1, 0)], False, id="not more by the head start"),
        pytest.param([(0, 0), (9, 0)], False, id="fewer"),
        pytest.param([(12, 0), (6, 0)], True, id="three quarters of the rest"),
        pytest.param([(12, 0), (7, 0)], False, id="more than three quarters of the rest"),
        pytest.param([(12, 0), (12, 0), (5, 0)], True, id="one of two has fewer"),
        pytest.param([(9, 0), (0, 60)], False, id="the other one is silent"),
        pytest.param([(9, 0), (math.inf, 0)], False, id="the other one accepts none"),
    ],
)
def test_a_connection_is_left_to_a_worker_that_has_clearly_fewer(
    numbers: list[tuple[float, float]], leaves_it: bool
) -> None:
    assert _rows(*numbers)[0].should_leave_it() is leaves_it


def test_no_connection_is_left_to_a_worker_that_is_not_there() -> None:
    first, second = _rows((9, 0), (0, 0))
    second.clear()
    assert not first.should_leave_it()


def _burst(port: int) -> list[socket.socket]:
    """Sockets that begin to connect at once."""
    clients = [socket.socket() for _ in range(_BURST)]
    for client in clients:
        client.setblocking(False)
    for client in clients:
        client.connect_ex(("127.0.0.1", port))
    return clients


def test_a_burst_is_spread_evenly(tmp_path: Path) -> None:
    """No worker takes them all, although each could."""
    record = tmp_path / "record"
    env = arranged(tmp_path, _RECORDED.format(path=str(record)))
    with start("socket", flags=["--workers", "2"], env=env) as backend:
        first, _ = children(backend.pid)
        spread = []
        for _ in range(_TRIES):
            record.write_text("")
            clients = _burst(backend.port)
            assert eventually(lambda: record.read_text().count("accepted") == _BURST)
            spread.append(record.read_text().count(f"accepted {first}\n"))
            for client in clients:
                client.close()
            assert eventually(lambda: record.read_text().count("closed") == _BURST)
    assert all(abs(number - _BURST / 2) <= _MOST_FROM_EVEN for number in spread), spread


def test_a_worker_without_descriptors_keeps_no_connection_waiting() -> None:
    """X09: it has fewer connections than the other one, which yet accepts all."""
    with start("socket", flags=["--workers", "2"]) as backend:
        first, _ = children(backend.pid)
        used = len(list(Path(f"/proc/{first}/fd").iterdir()))
        resource.prlimit(first, resource.RLIMIT_NOFILE, (used + 2, used + 2))
        clients = [Client(backend.port) for _ in range(_BURST)]
        try:
            for client in clients:
                assert client.send(get()).response().status == 200
        finally:
            for client in clients:
                client.socket.close()
