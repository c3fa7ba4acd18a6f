"""The store under each running backend: it goes away, comes back, or cannot take uploads at the start."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from clients.comparison.cases import PROJECT_ROOT
from clients.launch import BACKENDS, HOST, RunningBackend, start
from tests.conftest import SOCKET_BY_DEFAULT
from tests.connections import connect
from tests.patience import eventually
from tests.socket_server.process_tree import children
from tests.storage.mounts import can_mount, in_own_mounts
from tests.storage.uploads import staged

# The backends whose worker processes are replaced when they die.
REPLACING = ("socket", "gunicorn")
TWO_WORKERS = {"WIREPROOF_WORKERS": "2"}
KEPT = hashlib.sha256(b"kept").hexdigest()


def answers(backend: RunningBackend, method: str, path: str, **more: bytes) -> tuple[int, str | None]:
    """The status and the code of the problem, of a request on a new connection."""
    response = requests.request(method, backend.url + path, timeout=60, **more)  # type: ignore[arg-type]
    with response:
        kind = response.headers.get("Content-Type")
        return response.status_code, response.json()["code"] if kind == "application/problem+json" else None


def uploads(backend: RunningBackend) -> tuple[int, str | None]:
    """What an upload is answered with."""
    return answers(backend, "PUT", "/upload/kept", data=b"kept")


def health(backend: RunningBackend) -> int:
    """The status of /healthz, which may be a second old."""
    return answers(backend, "GET", "/healthz")[0]


def refuses(backend: RunningBackend) -> bool:
    """Whether each of several requests, which reach all workers, is refused."""
    gone = (503, "store_unavailable")
    return all(uploads(backend) == gone == answers(backend, "GET", f"/files/{KEPT}") for _ in range(8))


def replace_workers(backend: RunningBackend) -> None:
    """Kill the worker processes, and wait for others."""
    assert eventually(
        lambda: len(set(children(backend.pid))) == 2, 20
    )  # the first is ready before the second
    killed = set(children(backend.pid))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: len(set(children(backend.pid)) - killed) == 2, 20)


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_without_its_volume_a_server_refuses_and_makes_no_store(tmp_path: Path, name: str) -> None:
    root, volume = tmp_path / "store", tmp_path / "volume"
    with start(name, store=root, env=TWO_WORKERS) as backend:
        assert uploads(backend)[0] == 200
        root.rename(volume)
        for bare in (False, True):
            if bare:
                root.mkdir()
            assert refuses(backend)
            assert eventually(lambda: health(backend) == 503)
            if name in REPLACING:
                replace_workers(backend)
                # A worker that begins must not have a store of its own, nor end the server.
                assert eventually(lambda: refuses(backend), 20)
                assert eventually(lambda: health(backend) == 503)
        assert list(root.iterdir()) == []
        root.rmdir()
        volume.rename(root)
        assert uploads(backend)[0] == 200
        assert answers(backend, "GET", f"/files/{KEPT}") == (200, None)
        assert eventually(lambda: health(backend) == 200)


@pytest.mark.parametrize("name", REPLACING)
def test_what_a_killed_worker_has_staged_is_removed_by_its_successor(tmp_path: Path, name: str) -> None:
    data = bytes(200_000)  # small files are kept in memory until the end of the request
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%b\r\n' % data
    head = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
    with start(name, store=tmp_path / "store", env=TWO_WORKERS) as backend:
        with connect(backend, head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part * 4):
            assert eventually(lambda: len(staged(tmp_path)) > 2, 20)
            replace_workers(backend)
        assert eventually(lambda: staged(tmp_path) == [], 20)


def refused_at_the_start(name: str, env: dict[str, str], wrap: Callable[[list[str]], list[str]]) -> str:
    """The sentence with which the command of a backend ends, on one line."""
    command = wrap(BACKENDS[name].command_for(HOST, 0))
    path = os.pathsep.join(filter(None, [env.pop("PYTHONPATH", ""), str(PROJECT_ROOT)]))
    ended = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=os.environ | env | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr + ended.stdout
    (line,) = [line for line in ended.stderr.splitlines() if "cannot be used" in line]
    return line


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_an_existing_store_is_not_made(tmp_path: Path, name: str) -> None:
    env = {"WIREPROOF_STORE": str(tmp_path), "WIREPROOF_EXISTING_STORE": "1"}
    said = refused_at_the_start(name, env, lambda command: command)
    assert f"the store '{tmp_path}' cannot be used: its file wireproof-store is missing" in said
    assert list(tmp_path.iterdir()) == []
    with start(name, store=tmp_path):
        pass
    with start(name, store=tmp_path, env={"WIREPROOF_EXISTING_STORE": "1"}) as backend:
        assert uploads(backend)[0] == 200


# Python runs it before the server: as on exFAT, link(2) fails.
WITHOUT_LINKS = """
import os

def link(*_, **__):
    raise OSError(1, "Operation not permitted")

os.link = link
"""


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_store_without_hard_links_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_LINKS)
    env = {"WIREPROOF_STORE": str(tmp_path / "store"), "PYTHONPATH": str(tmp_path)}
    said = refused_at_the_start(name, env, lambda command: command)
    assert said.endswith(f"the store '{tmp_path}/store' cannot be used: its file system has no hard links")


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_store_that_is_read_only_or_full_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    if not can_mount(tmp_path):
        pytest.skip("mounting needs root, or user namespaces: tests/storage/test_probe.py injects the errors")
    mounts = {
        "Read-only file system": 'mount -t tmpfs -o ro none "$1"; shift; exec "$@"',
        "No space left on device": 'mount -t tmpfs -o nr_inodes=3 none "$1"; shift; exec "$@"',
    }
    for says, script in mounts.items():
        said = refused_at_the_start(
            name,
            {"WIREPROOF_STORE": str(tmp_path)},
            lambda command, script=script: in_own_mounts(script, str(tmp_path), *command),  # type: ignore[misc]
        )
        assert said.endswith(f"the store '{tmp_path}' cannot be used: {says}")


# Runs with its own mounts. The volume of the store becomes read-only, then full if it is an image. Then
# it is unmounted, the workers are replaced, and it is mounted again.
VOLUME = """
import shutil, subprocess, sys
from pathlib import Path
from clients.launch import start
from tests.patience import eventually
from tests.storage.test_store_of_a_backend import (
    KEPT, TWO_WORKERS, answers, health, refuses, replace_workers, uploads
)

def mount(options, *arguments):
    subprocess.run(["mount", "-o", options, *arguments], check=True)

def is_well():
    assert uploads(backend)[0] == 200
    assert answers(backend, "GET", "/files/" + KEPT) == (200, None)
    assert eventually(lambda: health(backend) == 200)

name, image, root = sys.argv[1:]
is_image = Path(image).is_file()
volume = ("loop" if is_image else "bind", image, root)
mount(*volume)
with start(name, store=Path(root), env=TWO_WORKERS) as backend:
    is_well()
    mount("remount,ro" if is_image else "remount,bind,ro", root)
    assert uploads(backend) == (503, "store_unavailable")
    assert answers(backend, "GET", "/files/" + KEPT) == (200, None)
    assert eventually(lambda: health(backend) == 503)
    mount("remount,rw" if is_image else "remount,bind,rw", root)
    is_well()
    if is_image:
        blocker = Path(root, "blocker")
        blocker.mkdir()
        try:
            for number in range(10_000):
                (blocker / str(number)).touch()
        except OSError:
            pass
        assert answers(backend, "PUT", "/upload/x", data=b"new") == (507, "insufficient_storage")
        assert eventually(lambda: health(backend) == 503)
        shutil.rmtree(blocker)
        is_well()
    assert eventually(lambda: subprocess.run(["umount", root], stderr=subprocess.DEVNULL).returncode == 0, 20)
    assert refuses(backend)
    replace_workers(backend)
    assert eventually(lambda: refuses(backend), 20)
    assert eventually(lambda: health(backend) == 503)
    assert list(Path(root).iterdir()) == []
    mount(*volume)
    is_well()
    assert "Traceback" not in backend.log()
"""


@pytest.mark.parametrize("name", REPLACING)
def test_a_volume_can_be_read_only_or_full_or_unmounted_for_a_while(tmp_path: Path, name: str) -> None:
    if not can_mount(tmp_path):
        pytest.skip("mounting needs root, or user namespaces: the other tests here rename folders")
    image, root = tmp_path / "volume", tmp_path / "store"
    root.mkdir()
    if os.geteuid() == 0 and shutil.which("mkfs.ext4") is not None and Path("/dev/loop-control").exists():
        image.write_bytes(b"")
        os.truncate(image, 16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-N", "128", str(image)], check=True)
    else:
        image.mkdir()
    arguments = (sys.executable, "-c", VOLUME, name, str(image), str(root))
    env = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    subprocess.run(in_own_mounts('exec "$@"', *arguments), cwd=PROJECT_ROOT, env=env, check=True, timeout=110)
