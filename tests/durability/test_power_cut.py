"""X01: after a power cut, every upload that was acknowledged is there and whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clients.launch import PROJECT_ROOT
from tests.storage.mounts import in_own_mounts

_BACKENDS = ("socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8)))


_NEEDS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="POWER CUTS ARE NOT TESTED: a loop-mounted ext4 needs root"
)


def _cut_power(
    folder: Path, name: str, *, trials: int, uploads: int, durability: str = "safe"
) -> dict[str, Any]:
    """The figures of `tests.durability.power_cut`."""
    missing = [tool for tool in ("unshare", "mkfs.ext4", "mount", "umount") if shutil.which(tool) is None]
    assert missing == [], "root is here, and the tools of a power cut are not"
    arguments = (name, str(folder), str(trials), str(uploads), durability)
    command = (sys.executable, "-m", "tests.durability.power_cut", *arguments)
    ended = subprocess.run(
        in_own_mounts('exec "$@"', *command), cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=1100
    )
    assert ended.returncode in (0, 1), ended.stderr
    figures: dict[str, Any] = json.loads(ended.stdout)
    print(f"{name}, {durability}: {figures}")
    assert figures["cuts"] == trials
    assert figures["uploads"] >= trials * uploads
    return figures


@_NEEDS_ROOT
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "trials", [2, pytest.param(20, marks=pytest.mark.soak(seconds=120))], ids=["2 cuts", "20 cuts"]
)
@pytest.mark.parametrize("name", _BACKENDS)
def test_no_acknowledged_upload_is_lost_or_torn_by_a_power_cut(
    tmp_path: Path, name: str, trials: int
) -> None:
    assert _cut_power(tmp_path, name, trials=trials, uploads=30)["wrong"] == []


@_NEEDS_ROOT
def test_a_power_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    """So the test above would notice a missing fsync."""
    (audit,) = _cut_power(tmp_path, "socket", trials=1, uploads=30, durability="fast")["wrong"]
    assert audit["lost"]
