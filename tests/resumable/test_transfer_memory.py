"""A file's size does not show in the memory of `upload --resume` and `download`, and its bar is one."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT, RunningBackend
from tests.cli.test_upload_terminal import ESCAPE, on_terminal
from tests.http1.test_upload_memory import MAX_PEAK_KIB, MEASURED
from tests.resumable.scripted_server import Cut, ScriptedServer

_SIZE = 256 << 20


def peak_of(*command: str) -> int:
    """The peak in KiB of a command that must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=PROJECT_ROOT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    peak = re.search(rb"VmHWM:\s*([0-9]+) kB", done.stderr)
    assert peak is not None
    return int(peak[1])


@pytest.mark.soak(seconds=10)
@pytest.mark.parametrize("place", ["/resumable/", "/upload/"])
def test_256_mib_do_not_show_in_memory_in_either_direction(
    backends: Mapping[str, RunningBackend], state: Path, tmp_path: Path, place: str
) -> None:
    sparse = tmp_path / "sparse.bin"
    sparse.touch()
    os.truncate(sparse, _SIZE)
    url = backends["socket"].url
    assert peak_of("clients/upload.py", "--resume", url + place, str(sparse)) <= MAX_PEAK_KIB
    with sparse.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    got = tmp_path / "got.bin"
    assert peak_of("clients/download.py", f"{url}/files/{sha256}", "-o", str(got)) <= MAX_PEAK_KIB
    assert got.stat().st_size == _SIZE


@pytest.mark.soak(seconds=5)
def test_one_bar_shows_all_files(server: ScriptedServer, tmp_path: Path) -> None:
    for name in "abcd":
        path = tmp_path / "folder" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.truncate(path, 1 << 20)
    server.faults["PATCH"] = [Cut(after=1 << 19)]
    server.before_answer = lambda: time.sleep(2 / 4)
    status, shown = on_terminal(
        "socket", "--resume", f"{server.url}/tus", str(tmp_path / "folder"), columns=100
    )
    assert status == 0
    lines = [ESCAPE.sub("", line) for line in re.split("[\r\n]+", shown)]
    assert any(re.search(r"sending 4 files ━+.* [0-9.]+/4\.2 MB", line) for line in lines), lines
    assert [len(data) for data in server.data()] == [1 << 20] * 4
