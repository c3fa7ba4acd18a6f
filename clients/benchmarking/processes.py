"""CPU time and memory of all processes of a server. A server is a session of processes; Linux only."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_RESET_PEAK = "5"  # proc(5), /proc/PID/clear_refs
# clock_getcpuclockid(3): the clock of a process is its inverted id, shifted, and the kind of clock.
_CPU_CLOCK_OF_PROCESS = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes have used since they began: seconds of CPU, and resident bytes now."""

    cpu_seconds: float
    resident_bytes: int


class Session:
    """All processes of the session whose leader has this process id."""

    def __init__(self, leader: int) -> None:
        self._leader = leader

    def pids(self) -> list[int]:
        """The processes that live now."""
        return [int(entry.name) for entry in _PROC.iterdir() if self._has(entry)]

    def usage(self) -> Usage:
        """CPU time and resident memory. A process that has ended does not count any more."""
        pids = self.pids()
        return Usage(sum(map(_cpu_seconds, pids)), sum(_status_bytes(pid, "VmRSS") for pid in pids))

    def reset_peak(self) -> None:
        """Let the peak of each process begin at what it has now."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                (_PROC / str(pid) / "clear_refs").write_text(_RESET_PEAK)

    def peak_bytes(self) -> int:
        """The sum of the peaks of resident memory. The processes need not have had them at the same time."""
        return sum(_status_bytes(pid, "VmHWM") for pid in self.pids())

    def _has(self, entry: Path) -> bool:
        if not entry.name.isdigit():
            return False
        try:
            stat = (entry / "stat").read_text("utf-8", "replace")
        except OSError:
            return False
        # The name of the program, in parentheses, may hold anything; the session is the fourth field after.
        state, _, _, session = stat.rpartition(")")[2].split()[:4]
        return int(session) == self._leader and state != "Z"


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK_OF_PROCESS)
    except OSError:
        return 0.0


def _status_bytes(pid: int, name: str) -> int:
    for line in _status_lines(pid):
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _status_lines(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield from (_PROC / str(pid) / "status").read_text("utf-8", "replace").splitlines()
