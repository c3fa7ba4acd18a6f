"""The file system of the metrics is full: no request fails or ends a process, and no number is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from clients.launch import PROJECT_ROOT, RunningBackend, start
from tests.metrics.reading import ON, comes_to, requests_to
from tests.patience import eventually
from tests.socket_server.process_tree import children
from tests.storage.mounts import can_mount, in_own_mounts

_MEMORY = Path("/dev/shm")
_KIB = 1024
_PATHS = ("/x", "/v1/models", "/upload/", "/files/x", "/v1/none", "/healthz", "/requests/1")


def _get(backend: RunningBackend, path: str) -> int:
    return requests.get(backend.url + path, timeout=60).status_code


def _limit(size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", "none", str(_MEMORY)], check=True)


# These run with a file system of their own at /dev/shm.
def full_at_the_start(name: str) -> None:
    """The workers cannot make their files. When there is room, nothing that they have counted is missing."""
    with start(name, env=ON) as backend:
        assert eventually(lambda: len(children(backend.pid)) == 2)
        workers = children(backend.pid)
        for _ in range(20):
            assert _get(backend, "/counted") == 200
            assert requests.put(backend.url + "/upload/a", data=b"x", timeout=60).status_code == 200
        assert eventually(lambda: backend.log().count("this process cannot show what it counts") == 2)
        _limit("64m")
        expected = {requests_to("echo", "GET", 200): 20, requests_to("put_file", "PUT", 200): 20}
        assert comes_to(backend, expected)
        assert children(backend.pid) == workers
        assert "Traceback" not in backend.log()


def full_later(name: str) -> None:
    """The files are there. New series, and many of them, find room in them."""
    with start(name, env=ON) as backend:
        assert eventually(lambda: len(children(backend.pid)) == 2)
        workers = children(backend.pid)
        assert comes_to(backend, {})
        free = os.statvfs(_MEMORY)
        with (_MEMORY / "blocker").open("wb") as blocker:
            os.posix_fallocate(blocker.fileno(), 0, free.f_bavail * free.f_frsize)
        assert os.statvfs(_MEMORY).f_bavail == 0
        for method in ("GET", "PUT", "BREW", "DELETE") * 4:
            for path in _PATHS:
                requests.request(method, backend.url + path, timeout=60)
        assert comes_to(backend, {requests_to("echo", "GET", 200): 4, requests_to("echo", "DELETE", 200): 4})
        assert children(backend.pid) == workers
        assert "Traceback" not in backend.log()


@pytest.mark.soak(seconds=6)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
@pytest.mark.parametrize(
    ("function", "size"), [("full_at_the_start", 1000 * _KIB), ("full_later", 8000 * _KIB)]
)
def test_a_full_file_system_harms_nothing_but_the_numbers(
    tmp_path: Path, name: str, function: str, size: int
) -> None:
    if not can_mount(tmp_path):
        pytest.skip("A FULL FILE SYSTEM IS NOT TESTED: mounting needs root, or user namespaces")
    code = f"from tests.metrics.test_full_memory import {function}\n{function}({name!r})\n"
    script = f'mount -t tmpfs -o size={size} none {_MEMORY}; exec "$@"'
    done = subprocess.run(
        in_own_mounts(script, sys.executable, "-c", code),
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
