"""After many requests of every kind, a tenth of them cut off, a server has what it had before."""

import contextlib
import random
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import launch
from clients.launch import BackendKind, RunningBackend
from tests.advisories.measures import memory, tree
from tests.conftest import BACKEND_NAMES
from tests.overload.given_back import give_back
from tests.patience import eventually, patient

_RESET = struct.pack("ii", 1, 0)  # struct linger: on, zero seconds
_CLIENTS = 8


def requests(order: random.Random) -> bytes:
    """One of every kind: what is answered, stored, refused, streamed."""
    content = order.randbytes(order.choice((10, 1000, 70_000)))
    form = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n%s\r\n--b--\r\n' % content
    kinds = [
        ("GET", "/healthz", "", b""),
        ("GET", "/files/" + "0" * 64, "", b""),
        ("GET", "/\x00", "", b""),
        ("POST", "/", "Content-Type: application/json\r\n", b'{"a": [1, 2, 3]}'),
        ("POST", "/", "Content-Type: application/json\r\n", b'{"a": '),
        ("PUT", "/upload/a.bin", "", content),
        ("POST", "/upload/", "Content-Type: multipart/form-data; boundary=b\r\n", form),
        ("POST", "/upload/", "Content-Type: multipart/form-data; boundary=b\r\n", form[:-8]),
        ("POST", "/stream_echo", "Content-Type: application/json\r\n", b'{"query": "abc", "delay": 0}'),
    ]
    method, path, fields, body = order.choice(kinds)
    close = "Connection: close\r\n" if order.random() < 0.5 else ""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{close}{fields}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def send_many(backend: RunningBackend, count: int, seed: int) -> None:
    """Send so many requests, each on a connection of its own. A tenth ends at a random byte."""
    order = random.Random(seed)
    for number in range(count):
        sent = requests(order)
        cut = number % 10 == 0
        with (
            socket.create_connection((backend.host, backend.port), patient(30)) as connection,
            contextlib.suppress(ConnectionError),
        ):
            if cut:
                connection.sendall(sent[: order.randrange(len(sent))])
                if order.random() < 0.5:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                continue
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


def send_from_all(backend: RunningBackend, count: int, seed: int) -> None:
    """The same from several clients at once."""
    threads = [
        threading.Thread(target=send_many, args=(backend, count // _CLIENTS, seed + number))
        for number in range(_CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def held(backend: RunningBackend) -> dict[int, tuple[int, int]]:
    """The descriptors and the threads of each process."""
    return {
        pid: (len(list(Path(f"/proc/{pid}/fd").iterdir())), len(list(Path(f"/proc/{pid}/task").iterdir())))
        for pid in tree(backend.pid)
    }


def no_more(held_now: dict[int, tuple[int, int]], before: dict[int, tuple[int, int]]) -> bool:
    """Whether the same processes hold at most what they held. A pool may have started its last threads."""
    return held_now.keys() == before.keys() and all(
        held_now[pid][0] <= before[pid][0] and held_now[pid][1] <= before[pid][1] + _CLIENTS for pid in before
    )


def temporaries(backend: RunningBackend) -> list[str]:
    """What lies in the store beside complete files."""
    return [
        path.name
        for path in backend.store.rglob("*")
        if path.is_file() and len(path.name) != 64 and path.name != "wireproof-store"
    ] + [path.name for path in (backend.store / "staging").glob("*") if path.is_dir()]


@pytest.fixture
def backend(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[RunningBackend]:
    kind = launch.BACKENDS[request.param]
    own = kind.command[2:]  # after `python -m`
    command = (sys.executable, "-m", "tests.overload.given_back", str(tmp_path), *own)
    monkeypatch.setitem(launch.BACKENDS, request.param, BackendKind(command, kind.prints_url))
    env = {"WIREPROOF_WORKERS": "1", "WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast"}
    flags = ["--threads", "8"] if request.param == "gunicorn" else []  # all have soon started
    with launch.start(request.param, env=env, flags=flags) as started:
        yield started


def resident(backend: RunningBackend, folder: Path) -> dict[int, int]:
    """The KiB of memory of each process, without what it has freed."""
    for pid in tree(backend.pid):
        give_back(pid, folder)
    return {pid: memory(pid, "VmRSS") for pid in tree(backend.pid)}


def check(backend: RunningBackend, folder: Path, warm: int, count: int, growth: int) -> None:
    """Send `warm` requests and then `count` more, in which a process may grow by `growth` KiB."""
    send_from_all(backend, warm, seed=1000)
    assert eventually(lambda: temporaries(backend) == [], 10)
    before, small = held(backend), resident(backend, folder)
    send_from_all(backend, count, seed=2000)
    assert eventually(lambda: no_more(held(backend), before), 20), f"{before} became {held(backend)}"
    assert temporaries(backend) == []
    grown = {pid: kib - small[pid] for pid, kib in resident(backend, folder).items()}
    print(f"{backend.name}, {warm + count} requests: {grown} KiB more in the last {count},")
    print(f"    descriptors and threads: {before}, then {held(backend)}")
    assert max(grown.values()) <= growth


@pytest.mark.soak(seconds=20)
@pytest.mark.parametrize("backend", BACKEND_NAMES, indirect=True)
def test_8000_requests_leave_nothing(backend: RunningBackend, tmp_path: Path) -> None:
    """FastAPI has its final size after 6,000: 56.7, 58.8, 60.7, 62.9, 62.9, 62.9, 63.1 MiB every 1,500."""
    check(backend, tmp_path, 6500, 1500, growth=3072)


@pytest.mark.soak(seconds=250)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend", ["socket", "gunicorn"], indirect=True)
def test_100_000_requests_leave_nothing(backend: RunningBackend, tmp_path: Path) -> None:
    """A leak of 84 bytes a request is found.

    Measured every 50,000, with freed memory given back: socket 37.3, 37.5, 37.7, 38.0 MiB, gunicorn 37.1,
    38.0, 38.3, 38.6. Without, the socket server has 43.3, 47.3, 49.5, 52.3, 53.1, 53.5.
    What the history has yet to write is up to 3 MiB of it.
    """
    check(backend, tmp_path, 50_000, 50_000, growth=4096)
