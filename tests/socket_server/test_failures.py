"""Internal failures and clients that leave: nothing is stored, nothing hangs, the next request is served."""

import errno
import logging
import socket
import struct
from pathlib import Path

import pytest

from servers.socket_server.connection import Connection
from servers.storage.local import LocalStore
from tests.patience import eventually
from tests.routes.faulty_store import FaultyStore
from tests.socket_server.client import get, request
from tests.socket_server.worker_thread import serving

_TYPE = "Content-Type: multipart/form-data; boundary=b"
_PART = b'--b\r\nContent-Disposition: form-data; name=a; filename="f"\r\n\r\n'
_LARGE = bytes(3 * 1024 * 1024)


def _left_in(folder: Path) -> list[str]:
    """The files below `files` and `staging`: all uploads, stored or not."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(_PART + b"first\r\n" + _PART + b"sec", id="in the second file"),
        pytest.param(_PART + _LARGE, id="in a large file"),
        pytest.param(_PART + _LARGE + b"\r\n" + _PART + _LARGE, id="in a second large file"),
    ],
)
def test_a_client_that_leaves_in_the_middle_leaves_nothing(tmp_path: Path, sent: bytes, reset: bool) -> None:
    store = LocalStore(tmp_path / "store", durable=False)
    with serving(store) as worker:
        with worker.client() as client:
            client.send(request("POST", "/upload/", _TYPE, length=len(sent) + 100) + sent)
            assert client.is_silent(0.1)
            if reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert eventually(lambda: not _left_in(tmp_path / "store")), _left_in(tmp_path / "store")
        assert list(store.names()) == []
        with worker.client() as other:
            assert other.send(get("/healthz")).response().status == 200


def test_a_client_that_ends_in_the_middle_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """B2."""
    store = LocalStore(tmp_path / "store", durable=False)
    with serving(store) as worker, worker.client() as client:
        client.send(request("POST", "/upload/", _TYPE, length=10**6) + _PART + b"x").end()
        (response,) = client.until_closed()
        assert (response.status, response.json()["code"]) == (400, "body_truncated")
        assert list(store.names()) == []


@pytest.mark.parametrize("size", [100, 3 * 1024 * 1024])
def test_a_full_store_is_507_and_a_broken_one_503(size: int) -> None:
    """For a small body, and for one that a thread writes."""
    for number, status in ((errno.ENOSPC, 507), (errno.EIO, 503)):
        for step in range(1, 5):
            store = FaultyStore(step, OSError(number, "it fails"))
            with serving(store) as worker, worker.client() as client:
                client.send(request("POST", "/upload/", "Content-Type: image/png", body=bytes(size)))
                assert client.response().status == status, store.steps
                assert eventually(lambda store=store: store.aborts > 0)  # type: ignore[misc]
                assert list(store.names()) == []


def test_a_fault_of_ours_is_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its text is only in the log."""
    store = FaultyStore(0, RuntimeError("a secret of the server"))
    with caplog.at_level(logging.ERROR), serving(store) as worker, worker.client() as client:
        client.send(request("POST", "/upload/", "Content-Type: image/png", body=b"x")).end()
        (response,) = client.until_closed()
        assert (response.status, response.json()["code"]) == (500, "internal")
        assert b"secret" not in client.received
        with worker.client() as other:
            assert other.send(get()).response().status == 200
    assert "a secret of the server" in caplog.text


def test_a_fault_of_ours_without_a_body_lets_the_connection_go_on(caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(0, RuntimeError("a fault"))
    with serving(store) as worker, worker.client() as client:
        client.send(get("/files/" + "0" * 64), get("/next"))
        assert [response.status for response in client.responses(2)] == [500, 200]
    assert "a fault" in caplog.text


def test_a_fault_in_a_refusal_ends_that_connection_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault in a refusal")

    with serving() as worker, worker.client() as other, worker.client() as refused:
        other.send(get()).response()
        monkeypatch.setattr(Connection, "_refuse", fail)
        assert refused.send(get("/upload/")).until_closed() == []
        assert other.forget().send(get("/1")).response().json()["path"] == "/1"
        with worker.client() as fresh:
            assert fresh.send(get("/2")).response().json()["path"] == "/2"
    assert "a fault in a refusal" in caplog.text


def test_a_client_that_leaves_during_its_answer_gives_the_file_back(tmp_path: Path) -> None:
    with serving(LocalStore(tmp_path / "store", durable=False)) as worker:
        with worker.client(receive_buffer=4096) as client:
            client.send(request("PUT", "/upload/f", body=bytes(8 * 1024 * 1024)))
            href = client.response().json()["files"][0]["href"]
            before = _descriptors()
            client.send(get(href))
            assert eventually(lambda: _descriptors() == before + 1), "the file is open"
        assert eventually(lambda: _descriptors() == before - 2), "neither the file nor the connection is"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_small_and_large_uploads_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", durable=False)
    bodies = [bytes([number]) * (700_000 if number % 2 else 70) for number in range(8)]
    with serving(store) as worker:
        clients = [worker.client() for _ in bodies]
        for begin in range(0, 700_000, 70_000):
            for client, body in zip(clients, bodies, strict=True):
                head = request("PUT", "/upload/f", length=len(body)) if begin == 0 else b""
                client.send(head + body[begin : begin + 70_000])
        for client, body in zip(clients, bodies, strict=True):
            with client:
                href = client.response().json()["files"][0]["href"]
                assert client.forget().send(get(href)).response().body == body
