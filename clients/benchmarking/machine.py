"""What the figures were measured on."""

import os
import platform
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .place import Place

_FSYNC_SECONDS = 0.3
_FSYNC_BYTES = 4096


def machine(place: Place) -> dict[str, Any]:
    """The machine and the file system of the stores, as the report names them."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": _first_value("/proc/cpuinfo", "model name"),
        "memory_mib": int(_first_value("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "file_system": place.file_system,
        "fsyncs_per_s": _fsyncs(place.stores),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": list(os.getloadavg()),
    }


def _fsyncs(folder: Path) -> float:
    """How many files of 4 KiB a bare loop creates and syncs in a second: what `safe` costs at least."""
    count, began = 0, time.monotonic()
    made = folder / "fsync"
    made.mkdir()
    while (passed := time.monotonic() - began) < _FSYNC_SECONDS:
        with (made / str(count)).open("wb", buffering=0) as file:
            file.write(bytes(_FSYNC_BYTES))
            os.fsync(file.fileno())
        count += 1
    shutil.rmtree(made)
    return count / passed


def _first_value(path: str, name: str) -> str:
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "0"
