"""What an upload leaves when its process dies is gone with the next start, of whatever backend."""

import fcntl
import os
from pathlib import Path

import pytest

from clients.launch import start
from tests.conftest import EACH_BACKEND


@pytest.mark.parametrize("name", EACH_BACKEND)
def test_a_start_removes_what_a_dead_request_left_and_nothing_else(tmp_path: Path, name: str) -> None:
    staging = tmp_path / "store" / "staging"
    dead, alive = staging / f"1-{'0' * 32}", staging / f"2-{'0' * 32}"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "0").write_bytes(b"half a file")
    held = os.open(alive, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with start(name, store=tmp_path / "store", env={"WIREPROOF_WORKERS": "1"}):
            assert list(staging.iterdir()) == [alive]
    finally:
        os.close(held)
    assert (alive / "0").read_bytes() == b"half a file"
