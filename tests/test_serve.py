"""`serve` starts every backend with the settings given, and refuses what has no effect."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from clients.launch import HOST, PROJECT_ROOT, free_port
from tests.conftest import SOCKET_BY_DEFAULT


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "clients", "serve", *arguments]


@pytest.mark.parametrize("backend", SOCKET_BY_DEFAULT)
def test_serve_becomes_the_server_with_the_settings_given(backend: str, tmp_path: Path) -> None:
    port, store = free_port(), tmp_path / "uploads"
    command = _command(
        "--backend", backend, "--port", str(port), "--store", str(store), "--hosts", "a.example"
    )
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        try:
            assert _healthy(port, server), server.stderr.read() if server.stderr else ""
            assert store.is_dir()
        finally:
            server.send_signal(signal.SIGTERM)
        # A gunicorn worker that was forked at this moment misses the signal, and is killed 30 s later.
        assert server.wait(90) in (0, -signal.SIGTERM)


def _healthy(port: int, server: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("arguments", "says", "status"),
    [
        (("--backend", "flask", "--wire"), "--wire", 2),
        (("--backend", "flask", "--workers", "3"), "--workers has no effect on flask", 2),
        (("--port", "65536"), "65536", 2),
        (("--workers", "many"), "Error: --workers is a whole number, not 'many'", 2),
        (("--backend", "gunicorn", "--workers", "0"), "Error: --workers is 1 to 1024, not 0", 2),
        (("--backend", "flask", "--token", ""), "Error: --token is empty", 2),
        (("--store", "{file}"), "cannot be used", 1),
        (("--backend", "flask", "--store", "{file}"), "cannot be used", 1),
        (("--backend", "gunicorn", "--store", "{file}"), "cannot be used", 1),
        (("--", "--no-such-flag"), "--no-such-flag", 2),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    arguments: tuple[str, ...], says: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    given = [part.replace("{file}", str(tmp_path / "file")) for part in arguments]
    environment = {**os.environ, "WIREPROOF_PORT": "0", "WIREPROOF_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        _command(*given),
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told_without_the_usage_of_the_server(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        command = _command("--port", str(port), "--store", str(tmp_path / "store"))
        done = subprocess.run(
            command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert done.stderr == f"Error: cannot listen on {HOST} port {port}: Address already in use\n"
