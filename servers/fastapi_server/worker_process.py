"""Whether this process is one that uvicorn started later: for a worker that has ended, or to reload."""

import multiprocessing
import os
from pathlib import Path

# uvicorn starts its first workers at once. On a busy machine this takes some seconds.
_LATE_SECONDS = 60


def is_a_successor() -> bool:
    """Whether the parent of this process, a process of Python, started it long after it began itself."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return False
    try:
        return _started(os.getpid()) - _started(parent.pid) > _LATE_SECONDS
    except OSError:
        return False  # no /proc, or the parent has ended


def _started(pid: int) -> float:
    """When the process started, in seconds since the system did: `starttime` of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
