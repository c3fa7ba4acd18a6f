"""The system calls of a running server by strace, as far as they show when an upload is durable."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clients.launch import RunningBackend
from tests.patience import eventually
from tests.socket_server.process_tree import children

CALLS = "write,pwrite64,writev,fsync,fdatasync,link,linkat,rename,renameat,renameat2,sendto,sendmsg"

_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. `begin` and `end` are positions among all events of the trace."""

    name: str
    arguments: str
    begin: int
    end: int
    failed: bool

    @property
    def path(self) -> str:
        """The path of its first argument, a descriptor."""
        shown = re.match(r"\d+<(.*?)>(?:\(deleted\)|[,)])", self.arguments)
        return shown[1].removesuffix(" (deleted)") if shown else ""


def require_strace() -> str | None:
    """Why there is no strace here, or None. It needs the right to trace other processes."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True)
    return None if tried.returncode == 0 else f"strace may not trace: {tried.stderr.decode()}"


@contextmanager
def attached(backend: RunningBackend, log: Path, options: Sequence[str]) -> Iterator[None]:
    """Trace all processes and threads of the server into the file `log`, until the end of the context."""
    pids = (backend.pid, *children(backend.pid))
    each = [option for pid in pids for option in ("-p", str(pid))]
    command = ["strace", "-f", "-y", "-o", str(log), *options, *each]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        try:
            for _ in pids:  # each is told with all of its threads
                assert "attached" in tracer.stderr.readline()
            yield
        finally:
            tracer.terminate()
            tracer.stderr.read()
            tracer.wait(30)


def has_settled(log: Path, seconds: float = 0.1) -> bool:
    """Whether the file did not grow for so long."""
    before = log.stat().st_size
    time.sleep(seconds)
    return log.stat().st_size == before


def calls_in(log: Path) -> list[Call]:
    """All calls of a trace that came to an end, in the order of their beginnings."""
    assert eventually(lambda: has_settled(log), 10)
    begun: dict[str, tuple[int, str]] = {}
    calls = []
    for position, line in enumerate(log.read_text("utf-8", "replace").splitlines()):
        read = _LINE.fullmatch(line)
        if read is None:
            continue  # a signal, or the end of a process
        thread, resumed, name, rest = read.groups()
        begin = position
        if resumed:
            begin, before = begun.pop(thread, (position, ""))
            name, rest = resumed, before + rest
        if rest.endswith("<unfinished ...>"):
            begun[thread] = begin, rest.removesuffix("<unfinished ...>").rstrip()
            continue
        calls.append(Call(name, rest, begin, position, " = -1 " in rest))
    return sorted(calls, key=lambda call: call.begin)
