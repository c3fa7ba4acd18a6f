"""Our own servers take resumed uploads and give resumed downloads: cut at 20 random points, byte-exact."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import sleep
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from clients import download, upload
from clients.launch import HOST, PROJECT_ROOT, RunningBackend, start
from tests.conftest import BACKEND_NAMES
from tests.nginx import NGINX, nginx
from tests.resumable.cutting_proxy import cutting, random_cuts

_SIZE = 3 << 20
EACH_BACKEND = pytest.mark.parametrize("backend", BACKEND_NAMES)


@pytest.fixture(autouse=True)
def short_waits(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second for a server that has not read yet what was cut off."""
    monkeypatch.setattr("clients.resumable.retries.sleep", lambda seconds: sleep(min(seconds, 0.1)))


def written(folder: Path, seed: int) -> Path:
    path = folder / "large.bin"
    path.write_bytes(random.Random(seed).randbytes(_SIZE))
    return path


@EACH_BACKEND
@pytest.mark.parametrize("place", ["/resumable/", "/upload/"])
def test_an_upload_that_is_cut_at_twenty_points_is_byte_exact(
    backends: Mapping[str, RunningBackend], backend: str, place: str, tmp_path: Path
) -> None:
    running = backends[backend]
    path = written(tmp_path, len(backend + place))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with cutting((HOST, running.port), random_cuts(_SIZE, 20, 1)) as proxy:
        arguments = ["--resume", proxy.url + place, str(path), "--retry", "100"]
        sent = CliRunner().invoke(upload.main, arguments)
        assert sent.exit_code == 0, sent.stderr
        assert proxy.made == 20
        assert f"SHA-256 verified, {proxy.url}/files/{sha256}" in sent.stdout
    got = CliRunner().invoke(
        download.main, [f"{running.url}/files/{sha256}", "-o", str(tmp_path / "got.bin")]
    )
    assert got.exit_code == 0, got.stderr
    assert "SHA-256 verified" in got.stdout
    assert (tmp_path / "got.bin").read_bytes() == path.read_bytes()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("place", ["/resumable/", "/upload/"])
def test_pieces_pass_a_proxy_that_limits_and_buffers_requests(
    backends: Mapping[str, RunningBackend], place: str, tmp_path: Path
) -> None:
    running = backends["socket"]
    lines = f"""
        client_max_body_size 600k;
        location / {{
            proxy_pass http://127.0.0.1:{running.port};
            proxy_set_header Host $http_host;
        }}
    """
    path = written(tmp_path, 6 + len(place))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with nginx(tmp_path, lines) as port:
        arguments = ["--resume", f"http://{HOST}:{port}{place}", str(path)]
        refused = CliRunner().invoke(upload.main, arguments)
        assert refused.exit_code == 1
        assert "refused: 413" in refused.stderr
        assert "--piece SIZE" in refused.stderr
        sent = CliRunner().invoke(upload.main, [*arguments, "--piece", "500K"])
        assert sent.exit_code == 0, sent.stderr
        assert f"SHA-256 verified, http://{HOST}:{port}/files/{sha256}" in sent.stdout


@pytest.mark.soak(seconds=15)
@pytest.mark.parametrize("backend", ["socket", "gunicorn"])
@pytest.mark.parametrize("place", ["/resumable/", "/upload/"])
def test_an_upload_goes_on_when_the_server_is_killed_and_started_again(
    backend: str, place: str, tmp_path: Path
) -> None:
    path = written(tmp_path, 5)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    store = tmp_path / "store"
    killing = Event()
    with ExitStack() as stack:
        server = stack.enter_context(start(backend, store=store))
        proxy = stack.enter_context(cutting((HOST, server.port), random_cuts(_SIZE, 20, 2)))
        proxy.on_cut = lambda made: killing.set() if made % 5 == 0 else None
        command = [sys.executable, "clients/upload.py", "--resume", proxy.url + place, str(path)]
        client = stack.enter_context(subprocess.Popen(command, cwd=PROJECT_ROOT))
        kills = 0
        while client.poll() is None:
            if killing.wait(0.05):
                killing.clear()
                kills += 1
                os.killpg(server.pid, signal.SIGKILL)
                server.process.wait()
                # The kernel ends a server with the thread that has started it, so it is started here.
                server = stack.enter_context(start(backend, store=store, port=server.port))
        assert (client.returncode, kills) == (0, 4)
        with urlopen(f"{server.url}/files/{sha256}", timeout=10) as response:
            assert response.read() == path.read_bytes()
