"""Uploads stream, too: while the client makes the body, the server parses and stores what came before."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clients import requests_upload, socket_upload
from clients.http1.response_parser import Response
from clients.launch import RunningBackend, start
from tests.conftest import BACKEND_NAMES
from tests.patience import eventually
from tests.streams.processes import processes_of

MIB = 1 << 20
PIECE = bytes(range(256)) * 256
PIECES = 8 * MIB // len(PIECE)
# What may be on its way: in socket buffers, in the client's and the server's own, not yet in a file.
ON_THE_WAY = 5 * MIB
PATIENCE = 10.0

Upload = Callable[..., Response]
CLIENTS: dict[str, Upload] = {"socket": socket_upload.post, "requests": requests_upload.post}


@pytest.fixture(params=BACKEND_NAMES)
def backend(request: pytest.FixtureRequest, backends: Mapping[str, RunningBackend]) -> RunningBackend:
    return backends[str(request.param)]


@pytest.fixture(params=CLIENTS)
def upload(request: pytest.FixtureRequest) -> Upload:
    return CLIENTS[str(request.param)]


class Body:
    """A generator of unknown length that looks into the server before it gives its last piece."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self.seen = False
        self.sha256 = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(PIECES):
            yield self._kept(PIECE)
        self.seen = eventually(self._look, PATIENCE)
        yield self._kept(b"the end")

    def _kept(self, piece: bytes) -> bytes:
        self.sha256.update(piece)
        return piece


def bytes_in_open_files(backend: RunningBackend) -> int:
    """The size of all files of the store that the backend has open: an upload that is not finished is one."""
    links = (link for pid in processes_of(backend.pid) for link in Path(f"/proc/{pid}/fd").iterdir())
    return sum(size_of(link, lambda target: target.startswith(str(backend.store))) for link in links)


def bytes_staged(backend: RunningBackend) -> int:
    """The size of all uploaded files in the store that have a name, published or not."""
    return sum(size_of(path) for path in backend.store.glob("*/**/*") if not path.is_dir())


def size_of(path: Path, counts: Callable[[str], bool] = lambda target: True) -> int:
    """The size in bytes; 0 for a link whose target does not count, and for what has gone meanwhile."""
    try:
        if path.is_symlink() and not counts(str(path.readlink())):
            return 0
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def stored(response: Response) -> list[Mapping[str, Any]]:
    assert response.status == 200, response.body
    files = response.json()["files"]
    assert isinstance(files, list)
    return files


def test_the_server_has_stored_most_of_a_body_whose_last_byte_the_client_still_holds(
    backend: RunningBackend, upload: Upload
) -> None:
    wanted = len(PIECE) * PIECES - ON_THE_WAY
    body = Body(lambda: bytes_in_open_files(backend) >= wanted)
    (file,) = stored(upload(f"{backend.url}/upload/", data=iter(body)))
    assert body.seen, "the store did not grow while the client was sending"
    assert (file["size"], file["sha256"]) == (8 * MIB + 7, body.sha256.hexdigest())


def test_a_multipart_body_is_parsed_while_it_arrives(backend: RunningBackend, upload: Upload) -> None:
    """The first file is complete, under its staged name, before the second has come."""
    before = bytes_staged(backend)
    first = os.urandom(2 * MIB)
    body = Body(lambda: bytes_staged(backend) - before >= len(first))
    files = [("one", ("one.bin", iter([first]))), ("two", ("two.bin", iter(body)))]
    one, two = stored(upload(f"{backend.url}/upload/", data={"note": "first"}, files=files))
    assert body.seen, "the first file was not there while the second was sent"
    assert (one["size"], one["sha256"]) == (len(first), hashlib.sha256(first).hexdigest())
    assert (two["size"], two["sha256"]) == (8 * MIB + 7, body.sha256.hexdigest())


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_a_body_that_grows_too_large_is_refused_before_its_end(name: str, tmp_path: Path) -> None:
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while made < 64 * MIB:
            made += len(PIECE)
            yield PIECE

    with start(name, store=tmp_path / "store", env={"WIREPROOF_MAX_BODY": str(MIB)}) as backend:
        response = socket_upload.post(f"{backend.url}/upload/", data=endless())
        assert (response.status, response.json()["code"]) == (413, "body_too_large")
        assert made < 32 * MIB
        assert eventually(lambda: bytes_in_open_files(backend) + bytes_staged(backend) == 0, PATIENCE)
