"""Large files are sent by the system (sendfile): all bytes, in their place, and the connection goes on."""

import hashlib
import http.client
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from clients.launch import BACKENDS, RunningBackend, start
from servers.contract.responses import FileSlice
from servers.storage.local import LocalStore
from tests.connections import connect
from tests.patience import eventually

_SIZE = 9 * 1024 * 1024 + 13
_CONTENT = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(_SIZE // 32 + 1))[
    :_SIZE
]
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()


@pytest.fixture(scope="module", params=BACKENDS)
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBackend]:
    store = tmp_path_factory.mktemp("sent") / "store"
    with start(request.param, store=store, env={"WIREPROOF_DURABILITY": "fast"}) as running:
        assert requests.put(running.url + "/upload/a", data=_CONTENT, timeout=60).status_code == 200
        yield running


def test_a_file_and_its_ranges_arrive_on_one_connection(backend: RunningBackend) -> None:
    connection = http.client.HTTPConnection(backend.host, backend.port, timeout=60)
    for begin, end in (
        (0, _SIZE),
        (1, _SIZE),
        (70_000, _SIZE - 1),
        (5, 100_000),
        (_SIZE - 70_000, _SIZE),
        (3, 4),
    ):
        wanted = {} if not begin else {"Range": f"bytes={begin}-{end - 1}"}
        connection.request("GET", f"/files/{_SHA256}", headers=wanted)
        response = connection.getresponse()
        assert response.status == (206 if begin else 200)
        assert response.read() == _CONTENT[begin:end]
        connection.request("HEAD", f"/files/{_SHA256}", headers=wanted)
        response = connection.getresponse()
        assert response.read() == b""
        assert response.getheader("Content-Length") == str(_SIZE)
    connection.close()


def test_a_client_that_reads_slowly_gets_every_byte(backend: RunningBackend) -> None:
    request = f"GET /files/{_SHA256} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with connect(backend, request) as connection:
        received = bytearray()
        while data := connection.recv(200_000):
            received += data
            if len(received) < 3_000_000:
                time.sleep(0.01)
    assert received.partition(b"\r\n\r\n")[2] == _CONTENT


def test_the_log_says_how_much_was_sent(backend: RunningBackend) -> None:
    wanted = {"Range": "bytes=9-7000008"}
    assert requests.get(f"{backend.url}/files/{_SHA256}", headers=wanted, timeout=60).status_code == 206
    assert eventually(lambda: re.search(r"GET /files/\S* 206 .*sent=7000000 ", backend.log()) is not None)


def test_when_a_file_becomes_shorter_the_connection_ends(tmp_path: Path, backend: RunningBackend) -> None:
    """The bytes that are missing are not made up, and the next response is not taken for them."""
    content = os.urandom(40 * 1024 * 1024)
    answer = requests.put(backend.url + "/upload/b", data=content, timeout=60).json()
    sha256 = hashlib.sha256(content).hexdigest()
    assert sha256 in str(answer)
    request = f"GET /files/{sha256} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with connect(backend, request + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
        received = bytearray(connection.recv(1000))
        os.truncate(backend.store / "files" / sha256, len(content) // 2)
        while True:
            try:
                data = connection.recv(1 << 20)
            except ConnectionResetError:
                break
            if not data:
                break
            received += data
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert f"content-length: {len(content)}\r\n".encode() in head.lower() + b"\r\n"
    assert len(body) < len(content)
    assert content.startswith(body)


def test_a_slice_is_sent_from_where_its_blocks_end(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", durable=False)
    with store.begin() as upload:
        writer = upload.new_file()
        writer.write(_CONTENT)
        writer.close()
        upload.publish()
    file = store.open(_SHA256)
    assert file is not None
    part = FileSlice(file, 10, 300_000)
    blocks = part.blocks()
    first = next(blocks)
    read_end, write_end = os.pipe()
    try:
        os.set_blocking(write_end, False)
        sent = part.send(write_end)
        assert first + os.read(read_end, sent) == _CONTENT[10 : 10 + len(first) + sent]
        with pytest.raises(BlockingIOError):
            while True:
                sent += part.send(write_end)
        assert part.position == 10 + len(first) + sent
    finally:
        os.close(read_end)
        os.close(write_end)
        part.close()
    assert part.descriptor is None
