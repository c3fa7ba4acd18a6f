"""Programs that run beside each other until Ctrl-C, for `serve --both` and `two-hosts`.

Each is in a session of its own, so that Ctrl-C reaches only this process, which then stops all of them. Their
logs go to standard error, each line behind the name of its program.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .launch import dies_with_its_parent

_DELAY, _GRACE = 0, 30  # seconds: the defaults of the servers
_MARGIN_SECONDS = 5.0


@dataclass(slots=True)
class Program:
    """One of them."""

    name: str
    process: "subprocess.Popen[bytes]"
    asked_to_end: bool = False

    @property
    def ended(self) -> bool:
        """Whether its process has ended."""
        return self.process.poll() is not None

    @property
    def end(self) -> str:
        """How it ended, in words."""
        status = self.process.returncode
        return f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"

    def ask_to_end(self) -> None:
        """Send SIGTERM, but once: a second one would end the requests that are under way."""
        if not (self.ended or self.asked_to_end):
            self.process.terminate()
        self.asked_to_end = True


def stopped_by_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


@contextlib.contextmanager
def running(
    name: str,
    command: list[str],
    environment: Mapping[str, str],
    *,
    column: int,
    shown: bool = True,
    without: bytes | None = None,
) -> Iterator[Program]:
    """A program, which is stopped at the end. `column` is the width of names in the log.

    What it writes to standard output is dropped, and its log too if it is not `shown`. Lines of the log that
    have `without` are left out.
    """
    process = subprocess.Popen(
        dies_with_its_parent(command),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if shown else subprocess.DEVNULL,
        start_new_session=True,
    )
    log = threading.Thread(target=_show_log, args=(name.ljust(column), process, without), daemon=True)
    log.start()
    program = Program(name, process)
    try:
        yield program
    finally:
        _stop(program, _stop_seconds(environment))
        log.join(1)


def _show_log(name: str, process: "subprocess.Popen[bytes]", without: bytes | None) -> None:
    """Copy each line of the log to standard error. When nobody reads it, the lines are dropped."""
    for line in process.stderr or ():
        if without is not None and without in line:
            continue
        with contextlib.suppress(OSError):
            os.write(2, name.encode("ascii") + b" | " + line)


def _stop_seconds(environment: Mapping[str, str]) -> float:
    """Longer than the servers give the requests that they have begun."""
    delay = environment.get("WIREPROOF_SHUTDOWN_DELAY", str(_DELAY))
    grace = environment.get("WIREPROOF_GRACE_PERIOD", str(_GRACE))
    return int(delay) + int(grace) + _MARGIN_SECONDS if delay.isdigit() and grace.isdigit() else _GRACE


def _stop(program: Program, seconds: float) -> None:
    """End its processes, with SIGKILL when they take too long."""
    program.ask_to_end()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.process.wait(seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS forbids it if all have ended
        os.killpg(program.process.pid, signal.SIGKILL)
    program.process.wait()
