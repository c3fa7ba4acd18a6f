"""Our own servers take resumed uploads and give resumed downloads: cut at 20 random points, byte-exact."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path
from time import sleep

import pytest
from click.testing import CliRunner

from clients import download, upload
from clients.launch import HOST, RunningBackend
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
