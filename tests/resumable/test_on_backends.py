"""Our own servers take resumed uploads and give resumed downloads: cut at 20 random points, byte-exact."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path
from time import sleep
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from clients import download, upload
from clients.launch import HOST, RunningBackend, start
from tests.conftest import BACKEND_NAMES
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


@pytest.mark.soak(seconds=15)
@pytest.mark.parametrize("backend", ["socket", "gunicorn"])
@pytest.mark.parametrize("place", ["/resumable/", "/upload/"])
def test_an_upload_goes_on_when_the_server_is_killed_and_started_again(
    backend: str, place: str, tmp_path: Path
) -> None:
    path = written(tmp_path, 5)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    store = tmp_path / "store"
    servers = [start(backend, store=store)]

    def kill_sometimes(cuts: int) -> None:
        if cuts % 5 == 0:
            port = servers[-1].port
            os.killpg(servers[-1].pid, signal.SIGKILL)
            servers[-1].process.wait()
            servers.append(start(backend, store=store, port=port))

    try:
        with cutting((HOST, servers[0].port), random_cuts(_SIZE, 20, 2)) as proxy:
            proxy.on_cut = kill_sometimes
            arguments = ["--resume", proxy.url + place, str(path), "--retry", "1000"]
            sent = CliRunner().invoke(upload.main, arguments)
        assert sent.exit_code == 0, sent.stderr
        assert len(servers) == 5
        with urlopen(f"{servers[-1].url}/files/{sha256}", timeout=10) as response:
            assert response.read() == path.read_bytes()
    finally:
        for server in servers:
            server.stop()
