"""CPU time, memory and descriptors of a server's processes, read from /proc. Linux only."""

import os
from contextlib import suppress
from pathlib import Path

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
_RESET_PEAK = "5"  # proc(5), clear_refs: the peak resident set becomes the current one


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for parent in found:  # grows while it is read
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU, user and system, of all living processes of the tree; in steps of a tick."""
    return sum(map(_cpu_of, tree(pid)))


def _cpu_of(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def descriptors(pid: int) -> int:
    """How many descriptors the processes of the tree have open."""
    count = 0
    for each in tree(pid):
        with suppress(OSError):
            count += sum(1 for _ in Path(f"/proc/{each}/fd").iterdir())
    return count


class Memory:
    """How far the resident set of any process of the tree grew since this object was made, at its peak."""

    def __init__(self, pid: int) -> None:
        self._before = {}
        for each in tree(pid):
            Path(f"/proc/{each}/clear_refs").write_text(_RESET_PEAK)
            self._before[each] = memory(each, "VmRSS")

    def growth(self) -> float:
        """In MiB."""
        return max(memory(pid, "VmHWM") - rss for pid, rss in self._before.items()) / 1024


def memory(pid: int, name: str) -> int:
    """A figure of proc_pid_status(5) that is in KiB: `VmRSS`, `VmHWM`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no {name}")
