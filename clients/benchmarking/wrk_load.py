"""Sends a small load with wrk, a program in C."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..launch import HOST
from .small_load import SmallLoad
from .small_requests import MARK

_SCRIPT = Path(__file__).with_name("wrk.lua")
_MICROSECONDS = 1e6
_TIMEOUT_SECONDS = 10
_GRACE_SECONDS = 60


class WrkError(Exception):
    """wrk did not run; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class ToldByWrk:
    """What wrk measured: `latencies` are a thousand quantiles, in seconds."""

    seconds: float
    errors: int
    latencies: tuple[float, ...]
    _template: Path
    _answers: Path

    def answers(self) -> Iterator[tuple[int, bytes]]:
        """The status and the body of each answer."""
        with self._answers.open("rb") as file:
            while line := file.readline():
                status, size = line.split()
                yield int(status), file.read(int(size))

    def remove(self) -> None:
        """Remove the files that were made."""
        self._template.unlink(missing_ok=True)
        self._answers.unlink(missing_ok=True)


def send_with_wrk(load: SmallLoad, folder: Path) -> ToldByWrk:
    """Send the load, for whole seconds. Raises WrkError."""
    template, answers = folder / f"wrk-{load.first}.request", folder / f"wrk-{load.first}.answers"
    template.write_bytes(MARK.join(load.requests.template()))
    command = [
        *("wrk", "--threads", "1", "--connections", str(load.connections)),
        *("--duration", f"{int(load.seconds)}s", "--timeout", f"{_TIMEOUT_SECONDS}s"),
        *("--script", str(_SCRIPT), f"http://{HOST}:{load.port}{load.requests.path}", "--"),
        *(str(template), MARK.decode(), str(load.first), str(answers)),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=load.seconds + _GRACE_SECONDS, check=False
    )
    _, measured, figures = done.stdout.partition("\nMEASURED ")
    if done.returncode != 0 or not measured:
        raise WrkError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    duration, errors, *latencies = map(int, figures.split())
    in_seconds = tuple(latency / _MICROSECONDS for latency in latencies)
    return ToldByWrk(duration / _MICROSECONDS, errors, in_seconds, template, answers)
