"""What the figures were measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .place import Place


def machine(place: Place) -> dict[str, Any]:
    """The machine and the file system of the stores, as the report names them."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": _first_value("/proc/cpuinfo", "model name"),
        "memory_mib": int(_first_value("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "file_system": place.file_system,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": list(os.getloadavg()),
    }


def _first_value(path: str, name: str) -> str:
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "0"
