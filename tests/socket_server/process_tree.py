"""The processes of a running server, as /proc shows them, and code that they run at their start."""

import os
from pathlib import Path

from clients.launch import PROJECT_ROOT


def arranged(folder: Path, code: str) -> dict[str, str]:
    """An environment in which a server runs `code` first. `folder` takes a file for it."""
    (folder / "sitecustomize.py").write_text(code, "ascii")
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(PROJECT_ROOT)))}


def children(pid: int) -> list[int]:
    """The child processes that are not reaped."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def is_running(pid: int) -> bool:
    """Whether the process runs. A zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def cpu_seconds(pid: int) -> float:
    """The CPU time that the process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
