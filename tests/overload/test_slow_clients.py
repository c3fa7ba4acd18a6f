"""Thousands of slow and silent clients at once, while fresh requests are answered (G9, G10)."""

import json
import os
import socket
import time

import pytest

from clients.launch import RunningBackend, start
from servers.descriptors import raise_limit
from tests.advisories.measures import cpu, memory, tree
from tests.connections import receive_all
from tests.overload.crowd import crowd
from tests.patience import patient

CLOSE = "Host: localhost\r\nConnection: close\r\n"
GET = f"GET / HTTP/1.1\r\n{CLOSE}\r\n".encode("ascii")
WHOLE = {"idle": 5000, "heads": 1000, "bodies": 200, "deaf": 200}
ENV = {
    "WIREPROOF_KEEP_ALIVE_TIMEOUT": "300",
    "WIREPROOF_SEND_TIMEOUT": "300",
    "WIREPROOF_HEAD_TIMEOUT": "5",
    "WIREPROOF_QUIET": "1",
}
# For each connection. gunicorn has fewer of them for what Python keeps for later use.
MOST_BYTES = {"socket": 8 * 1024, "gunicorn": 64 * 1024}


@pytest.mark.parametrize(
    ("name", "share", "seconds"),
    [
        pytest.param("socket", 20, 6.0, id="socket, a twentieth"),
        pytest.param("gunicorn", 50, 6.0, id="gunicorn, a fiftieth", marks=pytest.mark.soak(seconds=12)),
        pytest.param("socket", 1, 20.0, id="socket, all", marks=pytest.mark.soak(seconds=60)),
        pytest.param("gunicorn", 10, 20.0, id="gunicorn, a tenth", marks=pytest.mark.soak(seconds=60)),
    ],
)
def test_fresh_requests_are_answered_beside_slow_and_silent_clients(
    name: str, share: int, seconds: float
) -> None:
    raise_limit(10_000)
    counts = {kind: number // share for kind, number in WHOLE.items()}
    with start(name, env=ENV) as backend:
        target = a_large_file(backend)
        alone = [*fresh(backend, 2.0), *fresh(backend, 2.0)]
        before = resident(backend)
        with crowd(backend.port, target=target, **counts) as report:
            a_connection = (resident(backend) - before) / sum(counts.values())
            begin, used = time.monotonic(), cpu(backend.pid)
            beside = fresh(backend, seconds)
            load = (cpu(backend.pid) - used) / (time.monotonic() - begin)
    print(
        f"{name}: p50 and p99 {shown(alone)} alone, {shown(beside)} beside; CPU {load:.0%};"
        f" {a_connection / 1024:.1f} KiB a connection; {len(report['late_heads'])} late heads,"
        f" the oldest after {max(report['late_heads'], default=0):.1f} s; {report['lost']} lost"
    )
    assert quantile(beside, 0.99) < max(patient(0.05), 4 * quantile(alone, 0.99))
    assert report["late_heads"], "slow heads are ended"
    assert max(report["late_heads"]) < 5 + patient(2)
    assert report["lost"] == 0, "no other client loses its connection"
    if share <= 10:  # with fewer connections it is lost in what the process takes anyway
        assert a_connection < MOST_BYTES[name]


def fresh(backend: RunningBackend, seconds: float) -> list[float]:
    """The times of GETs and small uploads on connections of their own, for so many seconds."""
    times: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for sent in (GET, put(os.urandom(16))):
            begin = time.monotonic()
            with socket.create_connection((backend.host, backend.port), patient(60)) as connection:
                connection.sendall(sent)
                assert receive_all(connection).startswith(b"HTTP/1.1 200 ")
            times.append(time.monotonic() - begin)
        time.sleep(0.01)
    return times


def put(body: bytes) -> bytes:
    head = f"PUT /upload/a.bin HTTP/1.1\r\n{CLOSE}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


def a_large_file(backend: RunningBackend) -> str:
    """Upload a file of 16 MiB; its path."""
    with socket.create_connection((backend.host, backend.port), patient(60)) as connection:
        connection.sendall(put(bytes(16 << 20)))
        href: str = json.loads(receive_all(connection).partition(b"\r\n\r\n")[2])["files"][0]["href"]
    return href


def resident(backend: RunningBackend) -> int:
    """The resident sets of all its processes, in bytes."""
    return 1024 * sum(memory(pid, "VmRSS") for pid in tree(backend.pid))


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)]


def shown(times: list[float]) -> str:
    return " and ".join(f"{1000 * quantile(times, share):.1f} ms" for share in (0.5, 0.99))
