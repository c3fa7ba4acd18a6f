"""X05, X06, X08: a disk that is full, limited or slow, as clients of a running server see it.

Read-only, unmounted and replaced stores are in `tests/storage/test_store_of_a_backend.py`.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from clients.launch import PROJECT_ROOT, RunningBackend, start
from tests.conftest import SOCKET_BY_DEFAULT
from tests.connections import connect
from tests.durability.journal import LocalFiles
from tests.patience import eventually, patient
from tests.socket_server.process_tree import children
from tests.storage.mounts import can_mount, in_own_mounts
from tests.storage.test_store_of_a_backend import answers, health
from tests.storage.uploads import sha256

MIB = 1024 * 1024
NO_ROOM = (507, "insufficient_storage")
_BACKENDS = ("socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8)))


def _put(backend: RunningBackend, content: bytes) -> tuple[int, str | None]:
    return answers(backend, "PUT", "/upload/f", data=content)


def _post(backend: RunningBackend, *contents: bytes) -> tuple[int, str | None]:
    files = [("f", (str(number), content)) for number, content in enumerate(contents)]
    response = requests.post(backend.url + "/upload/", files=files, timeout=60)
    return response.status_code, response.json().get("code")


# Runs with its own mounts, on a file system of 8 MiB and few inodes.
def full_disk(name: str, root: str, say: Callable[[str], None]) -> None:
    """Fill the disk in every way, and see what clients get."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=64", "none", root], check=True)
    store = Path(root, "store")
    with start(name, store=store, env={"WIREPROOF_WORKERS": "2"}) as backend:
        stored = LocalFiles(store)
        slowest = 0.0
        refused: list[Callable[[], tuple[int, str | None]]] = [
            lambda: _put(backend, bytes(9 * MIB)),
            lambda: _post(backend, b"small", bytes(9 * MIB)),
            lambda: _post(backend, *(b"%d" % number for number in range(80))),
        ]
        for turn in range(10):
            for upload in refused:
                begin = time.monotonic()
                assert upload() == NO_ROOM
                slowest = max(slowest, time.monotonic() - begin)
                assert _put(backend, b"fits %d" % turn)[0] == 200
        assert stored.leftovers() == []
        assert len(stored.names()) == 10, "a refused upload is stored"
        blocker = Path(root, "blocker")
        with blocker.open("wb") as file:
            free = os.statvfs(root)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
        assert _put(backend, bytes(10_000)) == NO_ROOM
        assert eventually(lambda: health(backend) == 503)
        assert answers(backend, "GET", f"/files/{sha256(b'fits 0')}") == (200, None)
        blocker.unlink()
        assert _put(backend, bytes(10_000))[0] == 200
        assert eventually(lambda: health(backend) == 200)
        say(f"{name}: 30 uploads refused, the slowest after {slowest:.2f} s, the next one stored 30 times")
        assert slowest < patient(1.5)


@pytest.mark.parametrize("name", _BACKENDS)
def test_a_full_disk_is_507_and_the_next_upload_that_fits_is_stored(tmp_path: Path, name: str) -> None:
    if not can_mount(tmp_path):
        pytest.skip("A FULL DISK IS NOT TESTED: mounting needs root, or user namespaces")
    code = "import sys\nfrom tests.durability import test_disk_trouble\n"
    code += "test_disk_trouble.full_disk(*sys.argv[1:], print)"
    command = in_own_mounts('exec "$@"', sys.executable, "-c", code, name, str(tmp_path))
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, timeout=200)


@pytest.mark.parametrize("name", _BACKENDS)
def test_a_limit_on_file_sizes_is_507(tmp_path: Path, name: str) -> None:
    with start(name, store=tmp_path / "store", env={"WIREPROOF_WORKERS": "1"}) as backend:
        assert eventually(lambda: name == "socket" or bool(children(backend.pid)))
        for pid in (backend.pid, *children(backend.pid)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (MIB, resource.RLIM_INFINITY))
        for _ in range(3):
            assert _put(backend, bytes(MIB + 1)) == NO_ROOM
            assert _post(backend, b"first", bytes(2 * MIB)) == NO_ROOM
        stored = LocalFiles(backend.store)
        assert (stored.names(), stored.leftovers()) == ([], [])
        assert health(backend) == 200
        assert _put(backend, bytes(MIB - 1))[0] == 200


_SLOW = """
import os, time
from pathlib import Path

real = os.fsync

def fsync(fd):
    if Path({flag!r}).exists():
        time.sleep(3)
    real(fd)

os.fsync = fsync
"""


@pytest.mark.parametrize("name", _BACKENDS)
def test_a_slow_disk_delays_uploads_and_nothing_else(tmp_path: Path, name: str) -> None:
    flag = tmp_path / "slow"
    (tmp_path / "sitecustomize.py").write_text(_SLOW.format(flag=str(flag)), "ascii")
    env = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(PROJECT_ROOT))), "WIREPROOF_WORKERS": "1"}
    with start(name, store=tmp_path / "store", env=env) as backend:
        flag.touch()
        head = b"PUT /upload/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
        begin = time.monotonic()
        with connect(backend, head + b"a") as upload:
            assert answers(backend, "GET", "/anything")[0] == 200
            others = time.monotonic() - begin
            assert upload.recv(100).startswith(b"HTTP/1.1 200 ")
            assert time.monotonic() - begin >= 6, "the file and its folder are synced"
        assert others < patient(1)


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_what_must_stay_free_stays_free(tmp_path: Path, name: str) -> None:
    """A body of known length is refused before it is sent; a chunked one when it has become too large."""
    status = os.statvfs(tmp_path)
    least = status.f_bavail * status.f_frsize - 256 * MIB  # others write and remove far less meanwhile
    if least < MIB:
        pytest.skip("A LEAST FREE SPACE IS NOT TESTED: this disk is full")
    env = {"WIREPROOF_MIN_FREE": str(least), "WIREPROOF_WORKERS": "1"}
    with start(name, store=tmp_path / "store", env=env) as backend:
        assert _put(backend, b"fits")[0] == 200
        assert _post(backend, b"fits", b"too")[0] == 200
        assert _answer_to_head(backend, b"PUT /upload/f") == b"507"
        assert _answer_to_head(backend, b"POST /upload/") == b"507"
        assert _chunked_until_refused(backend, 1024) == 507
        assert sorted(LocalFiles(backend.store).names()) == sorted([sha256(b"fits"), sha256(b"too")])
        assert _put(backend, b"the next one")[0] == 200
        assert answers(backend, "POST", "/upload/", data=b"1")[0] == 200
        assert health(backend) == 200


def _answer_to_head(backend: RunningBackend, line: bytes) -> bytes:
    """The status of an upload of 8 GiB, of which only the head is sent."""
    head = b"%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % (line, 1 << 33)
    head += b"Content-Type: application/octet-stream\r\n"
    if backend.name != "flask":  # Werkzeug's server sends 100 Continue before it asks the application
        head += b"Expect: 100-continue\r\n"
    with connect(backend, head + b"\r\n") as connection:
        return connection.recv(100).removeprefix(b"HTTP/1.1 ")[:3]


def _chunked_until_refused(backend: RunningBackend, most: int) -> int:
    """Send up to `most` MiB without saying how many. The status that comes."""
    head = b"PUT /upload/f HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(backend, head) as connection:
        connection.settimeout(60)
        try:
            for _ in range(most):
                connection.sendall(b"100000\r\n" + bytes(MIB) + b"\r\n")
        except OSError:  # it was refused, and no longer read
            pass
        return int(connection.recv(100).removeprefix(b"HTTP/1.1 ")[:3])


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_old_files_are_removed_while_a_server_runs(tmp_path: Path, name: str) -> None:
    with start(name, store=tmp_path / "store") as backend:
        for content in (b"old", b"new"):
            assert _put(backend, content)[0] == 200
    then = time.time() - 8 * 24 * 3600
    os.utime(tmp_path / "store" / "files" / sha256(b"old"), (then, then))
    with start(name, store=tmp_path / "store", env={"WIREPROOF_EXPIRE": "7"}) as backend:
        assert eventually(lambda: answers(backend, "GET", f"/files/{sha256(b'old')}")[0] == 404)
        assert answers(backend, "GET", f"/files/{sha256(b'new')}")[0] == 200
