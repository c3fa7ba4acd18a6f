"""Time limits of tests, which grow with the load of the machine.

A limit says how long something takes at most on a machine with a free core. On a busy machine every process
gets only its share of the cores, so a fixed limit would fail without a fault.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_LOAD = Path("/proc/loadavg")
_CORES = os.cpu_count() or 1
# A process that shares a core also waits for its turn.
_WAITING = 2.0
_POLL_SECONDS = 0.02


def patient(seconds: float) -> float:
    """`seconds`, times twice the number of processes that now share a core."""
    return seconds * max(1.0, _WAITING * _processes() / _CORES)


def _processes() -> float:
    """How many processes run or wait for a core: now, or on average of the last minute."""
    average, _, _, running_of_all, _ = _LOAD.read_text().split()
    return max(float(average), float(running_of_all.partition("/")[0]))


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it holds, now or within `patient(seconds)`."""
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > patient(seconds):
            return False
        time.sleep(_POLL_SECONDS)
    return True
