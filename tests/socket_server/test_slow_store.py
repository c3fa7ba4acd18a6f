"""A disk that is slow, or that hangs: whatever does not need it is answered all the same."""

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from servers.socket_server.connection import _LARGE_BODY, Connection
from servers.socket_server.loop import _DISK_THREADS
from servers.storage.memory import MemoryStore
from tests.patience import eventually, patient
from tests.routes.slow_store import HangingDisk, SlowStore
from tests.socket_server.client import Client, get, request
from tests.socket_server.worker_thread import Served, serving

_FORM = "Content-Type: multipart/form-data; boundary=b"
_FILE = b'--b\r\nContent-Disposition: form-data; name=a; filename="f"\r\n\r\ncontent\r\n'
_FIELD = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue\r\n"
_JSON = "Content-Type: application/json"
_CONTENT = bytes(range(256)) * 12_000  # 3 MB
_SMALL = b"a small file"
_HREF = f"/files/{hashlib.sha256(_CONTENT).hexdigest()}"
_SMALL_HREF = f"/files/{hashlib.sha256(_SMALL).hexdigest()}"
_ETAG = _HREF.removeprefix("/files/")

# Requests that need no disk.
_UNRELATED = {
    "GET": get(),
    "JSON": request("POST", "/upload/", _JSON, body=b'{"a":1}'),
    "large JSON": request("POST", "/upload/", _JSON, body=json.dumps("x" * 400_000).encode()),
    "urlencoded": request(
        "POST", "/upload/", "Content-Type: application/x-www-form-urlencoded", body=b"a=1&b=2"
    ),
    "text": request("POST", "/upload/", "Content-Type: text/plain", body=b"text"),
    "large text": request("POST", "/upload/", "Content-Type: text/plain", body=b"text" * 100_000),
    "a form without files": request("POST", "/upload/", _FORM, body=_FIELD + b"--b--"),
    "a large echo": request("POST", "/", "Content-Type: image/png", body=bytes(2 * _LARGE_BODY)),
}
_REFUSED = {
    "a malformed first part": request("POST", "/upload/", _FORM, body=b"--b\r\n\r\nx"),
    "a malformed second part": request("POST", "/upload/", _FORM, body=_FILE + b"--b\r\n\r\nx"),
    "a truncated form": request("POST", "/upload/", _FORM, body=_FILE),
}
# Requests that wait for the disk, with the status of their responses.
_WAITING = {
    "a file": (get(_HREF), 200),
    "HEAD": (request("HEAD", _HREF), 200),
    "a file that the client has": (get(_HREF, f'If-None-Match: "{_ETAG}"'), 304),
    "a range": (get(_HREF, "Range: bytes=5-"), 206),
    "a file that is not there": (get("/files/" + "0" * 64), 404),
    "healthz": (get("/healthz"), 200),
    "a small upload": (request("POST", "/upload/", _FORM, body=_FILE + b"--b--"), 200),
    "an empty file": (request("PUT", "/upload/f", length=0), 200),
    "bytes": (request("POST", "/upload/", "Content-Type: image/png", body=b"x"), 200),
    "text that is none": (request("POST", "/upload/", body=b"text\xff"), 200),
    "a large upload": (request("PUT", "/upload/f", body=_CONTENT), 200),
    "a large upload that is refused": (
        request("POST", "/upload/", _FORM, body=_FILE + bytes(_LARGE_BODY) + _FILE + b"--b\r\n\r\n"),
        400,
    ),
}


@contextmanager
def _hanging() -> Iterator[tuple[Served, HangingDisk]]:
    """A worker whose disk hangs until it is released, at the latest at the end."""
    disk = HangingDisk()
    with ExitStack() as stack:
        served = stack.enter_context(serving(SlowStore(disk.wait, _stored())))
        stack.callback(disk.released.set)
        yield served, disk


def _stored() -> MemoryStore:
    store = MemoryStore()
    store.add({hashlib.sha256(content).hexdigest(): content for content in (_CONTENT, _SMALL)})
    return store


def _method(sent: bytes) -> bytes:
    return sent.partition(b" ")[0]


@pytest.mark.parametrize("name", _WAITING)
def test_a_request_that_waits_for_the_disk_holds_up_no_other(name: str) -> None:
    sent, status = _WAITING[name]
    with _hanging() as (served, disk), served.client() as waiting:
        waiting.send(sent)
        assert eventually(lambda: disk.calls != [])
        for unrelated in (*_UNRELATED.values(), *_REFUSED.values()):
            with served.client() as other:
                other.send(unrelated).response()
        disk.released.set()
        assert waiting.response(_method(sent)).status == status
    assert {thread.partition("_")[0] for thread, _ in disk.calls} == {"disk"}


@pytest.mark.parametrize("name", [*_UNRELATED, *_REFUSED])
def test_what_stores_nothing_needs_no_disk(name: str) -> None:
    """Not even if all threads wait for a disk that hangs."""
    status = 200 if name in _UNRELATED else 400
    with _hanging() as (served, disk), ExitStack() as stack:
        for _ in range(_DISK_THREADS + 1):
            stack.enter_context(served.client()).send(get("/healthz"))
        assert eventually(lambda: len(disk.calls) == _DISK_THREADS)
        with served.client() as client:
            client.send((_UNRELATED | _REFUSED)[name])
            assert client.response().status == status
        assert {call for _, call in disk.calls} == {"is_writable"}


@pytest.mark.parametrize(
    ("sent", "calls"),
    [
        pytest.param(_WAITING["a small upload"][0], ["begin", "new_file", "write", "close"], id="upload"),
        pytest.param(get(_SMALL_HREF), ["open", "read", "close"], id="download"),
        pytest.param(request("HEAD", _HREF), ["open", "close"], id="HEAD"),
        pytest.param(get(_HREF, f'If-None-Match: "{_ETAG}"'), ["open", "close"], id="304"),
    ],
)
def test_a_small_file_needs_a_thread_once(
    sent: bytes, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[bool] = []
    with _hanging() as (served, disk), served.client() as client:
        disk.released.set()
        in_thread = served.worker.loop.in_thread

        def counted(
            work: Callable[[], object],
            done: Callable[..., None],
            *,
            uses_disk: bool = True,
            client: str | None = None,
        ) -> None:
            trips.append(uses_disk)
            in_thread(work, done, uses_disk=uses_disk, client=client)

        monkeypatch.setattr(served.worker.loop, "in_thread", counted)
        client.send(sent).response(_method(sent))
        assert trips == [True]
        assert [call for _, call in disk.calls][: len(calls)] == calls


def test_pipelined_requests_are_answered_in_order_whatever_waits() -> None:
    with _hanging() as (served, disk), served.client() as client:
        client.send(get("/1") + _WAITING["a small upload"][0] + get("/2") + get(_SMALL_HREF) + get("/3"))
        assert client.response().json()["path"] == "/1"
        assert client.is_silent(0.1), "the second request waits for the disk"
        disk.released.set()
        methods = (b"GET", b"POST", b"GET", b"GET", b"GET")
        _, upload, second, small, third = client.responses(5, methods=methods)
    assert upload.json()["files"][0]["size"] == len(b"content")
    assert (second.json()["path"], small.body, third.json()["path"]) == ("/2", _SMALL, "/3")


def _reset(client: Client) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


@pytest.mark.parametrize("name", _WAITING)
def test_a_client_that_leaves_while_a_thread_works_leaves_nothing_open(name: str) -> None:
    with _hanging() as (served, disk):
        with served.client() as client:
            client.send(_WAITING[name][0])
            assert eventually(lambda: disk.calls != [])
            _reset(client)
        with served.client() as other:
            other.send(get()).response()
        disk.released.set()
        assert eventually(lambda: not served.worker._connections)
    opened, closed = (sum(call == name for _, call in disk.calls) for name in ("open", "close"))
    assert opened <= closed or name == "a file that is not there"


@pytest.mark.parametrize("name", ["a file", "bytes"])
def test_a_fault_of_ours_while_a_thread_works_leaves_nothing_open(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is closed at once, and the file or the upload when the thread has finished."""

    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Connection, "_receive_ahead", fail)
    with _hanging() as (served, disk), served.client() as client:
        client.send(_WAITING[name][0])
        assert eventually(lambda: disk.calls != [])
        client.send(b"x").seconds_to_close()
        assert client.received == b""
        last = disk.calls[-1]
        disk.released.set()
        assert eventually(lambda: disk.calls[-1][1] == ("close" if name == "a file" else "abort"))
        assert disk.calls[-1] != last
    assert "a fault of ours" in caplog.text


def test_work_of_clients_that_have_left_does_not_pile_up() -> None:
    """At most one piece of work waits for each connection, and it stays open until then."""
    with _hanging() as (served, disk):
        for _ in range(4 * _DISK_THREADS):
            with served.client() as client:
                client.send(_WAITING["bytes"][0])
                assert client.is_silent(0.01)
                _reset(client)
        assert served.worker.loop._disk.pool._work_queue.qsize() <= len(served.worker._connections)
        disk.released.set()
        assert eventually(lambda: not served.worker._connections)


def test_at_most_one_block_of_a_file_is_in_memory_for_a_client_that_does_not_read() -> None:
    disk = HangingDisk()
    disk.released.set()
    store = MemoryStore()
    content = bytes(32 * 1024 * 1024)
    sha256 = hashlib.sha256(content).hexdigest()
    store.add({sha256: content})
    with serving(SlowStore(disk.wait, store)) as served, served.client(receive_buffer=4096) as client:
        client.send(get(f"/files/{sha256}"))
        assert not client.is_silent(5)
        time.sleep(0.3)
        (connection,) = served.worker._connections
        held = len(connection._sender._outbox._outgoing)
        reads = sum(call == "read" for _, call in disk.calls)
        assert held <= 257 * 1024
        assert reads * 256 * 1024 < len(content), "it reads no further than the client takes"


# A disk that takes a second for each call.

_SCENARIOS: dict[str, Callable[[Client], None]] = {
    "reads of a large file": lambda client: _ask(client, get(_HREF)),
    "healthz": lambda client: _ask(client, get("/healthz")),
    "small uploads": lambda client: _ask(client, _WAITING["a small upload"][0]),
    "aborted uploads": lambda client: _abort(client),
    "refused uploads": lambda client: _ask(client, _WAITING["a large upload that is refused"][0]),
    "HEAD": lambda client: _ask(client, request("HEAD", _HREF)),
    "conditional requests": lambda client: _ask(client, _WAITING["a file that the client has"][0]),
}


def _ask(client: Client, sent: bytes) -> None:
    client.send(sent)
    while b"\r\n\r\n" not in client.received:
        assert not client.is_silent(patient(30))
        assert not client._ended


def _abort(client: Client) -> None:
    client.send(request("PUT", "/upload/f", length=10**9) + bytes(2 * _LARGE_BODY))
    assert client.is_silent(1)
    _reset(client)


@contextmanager
def _busy(served: Served, scenario: Callable[[Client], None], connections: int) -> Iterator[None]:
    """Clients that do this again and again."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.is_set():
            with served.client() as client:
                scenario(client)

    threads = [threading.Thread(target=repeat) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("name", _SCENARIOS)
def test_beside_a_disk_that_takes_a_second_unrelated_requests_are_fast(name: str) -> None:
    """The p99 of 200 requests is at most 50 ms, so at most two take longer."""
    limit = patient(0.05)
    delay = max(1.0, 2 * limit)  # a disk that is waited for is always noticed
    released = threading.Event()

    def wait(_call: str) -> None:
        released.wait(delay)

    store = SlowStore(wait, _stored())
    unrelated = [_UNRELATED[kind] for kind in ("GET", "JSON", "urlencoded", "a form without files")]
    slow: list[float] = []
    with serving(store) as served, _busy(served, _SCENARIOS[name], 4), served.client() as client:
        time.sleep(0.1)
        for number in range(200):
            begin = time.monotonic()
            client.forget().send(unrelated[number % len(unrelated)]).response()
            if (took := time.monotonic() - begin) > limit:
                slow.append(took)
            if len(slow) > 2:
                break
        released.set()
    assert len(slow) <= 2, slow


def test_a_file_that_cannot_be_read_is_refused_before_its_response_begins() -> None:
    def fail(call: str) -> None:
        if call == "read":
            raise OSError(5, "the disk is broken")

    with serving(SlowStore(fail, _stored())) as served, served.client() as client:
        client.send(get(_HREF), get("/next"))
        refused, after = client.responses(2)
    assert (refused.status, refused.json()["code"], after.status) == (503, "store_unavailable", 200)


def test_a_file_that_breaks_off_ends_the_connection() -> None:
    reads: list[str] = []

    def fail(call: str) -> None:
        reads.extend([call] if call == "read" else [])
        if len(reads) == 3:
            raise OSError(5, "the disk is broken")

    with serving(SlowStore(fail, _stored())) as served:
        with served.client() as client:
            client.send(get(_HREF)).seconds_to_close()
            assert len(client.received) < len(_CONTENT)
        assert eventually(lambda: not served.worker._connections)
