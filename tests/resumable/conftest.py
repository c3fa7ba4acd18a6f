"""A server, a file and the command, without waits and with a folder of its own for what is kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clients import upload
from tests.resumable.scripted_server import ScriptedServer, scripted

Run = Callable[..., Result]
PROTOCOLS = ("tus", "draft")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept, for this process and its children."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("WIREPROOF_TOKEN", raising=False)
    return tmp_path / "state" / "wireproof" / "transfers"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the command waited before each further try. It does not really wait."""
    seconds: list[float] = []
    monkeypatch.setattr("clients.resumable.retries.sleep", seconds.append)
    return seconds


@pytest.fixture
def server(state: Path) -> Iterator[ScriptedServer]:
    """The scripted server."""
    with scripted() as running:
        yield running


@pytest.fixture
def run(state: Path, waits: list[float]) -> Run:
    """The command `upload --resume` in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(upload.main, ["--resume", *arguments])

    return invoke


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of two MiB and a byte, in which no two places are alike."""
    path = tmp_path / "large.bin"
    path.write_bytes(random.Random(18).randbytes((2 << 20) + 1))
    return path
