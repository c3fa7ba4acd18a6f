"""Searches a target for some time, in a process of its own, because atheris ends the process."""

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from clients.launch import PROJECT_ROOT

from .corpus import LONGEST
from .targets import Target

_LONGEST_RUN = 20  # seconds for one input; most take a thousandth
_TO_START = 120  # seconds, on a busy machine
_COUNTS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_EXECUTED = re.compile(r"stat::number_of_executed_units: +(\d+)\s+stat::average_exec_per_sec: +(\d+)")


class EngineError(Exception):
    """The process ended without a result. The text is the end of what it printed."""


@dataclass(frozen=True)
class Search:
    """What one search did. `found` are the inputs that reach something new, `failed` is a finding.

    `edges` are the places in the code that the inputs reach, `features` also count how often. `failed_as` is
    `crash` if the results differ, `timeout` if the input takes too long, else `oom` or `leak`.
    """

    executions: int
    per_second: int
    edges: int
    features: int
    found: Sequence[bytes]
    failed: bytes | None = None
    failed_as: str = ""


def search(
    target: Target, inputs: Iterable[bytes], *, seconds: int, seed: int, planted_bug: str = ""
) -> Search:
    """Search from these inputs, up to the first finding. Raises EngineError."""
    with TemporaryDirectory(prefix="guided-") as name:
        folder = Path(name)
        for part in ("found", "given", "failed"):
            (folder / part).mkdir()
        for number, data in enumerate(inputs):
            (folder / "given" / str(number)).write_bytes(data)
        words = ("".join(f"\\x{octet:02x}" for octet in word) for word in target.words)
        (folder / "words").write_text("".join(f'"{word}"\n' for word in words), "ascii")
        arguments = [f"{folder}/found", f"{folder}/given", f"-dict={folder}/words"]
        arguments += [f"-artifact_prefix={folder}/failed/", f"-timeout={_LONGEST_RUN}", "-rss_limit_mb=2048"]
        arguments += [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST}"]
        # Without the last one, inputs would only slowly become longer than the longest one given.
        arguments += ["-print_final_stats=1", "-len_control=0"]
        status, printed = _run(target.name, planted_bug, arguments, seconds)
        return _result(folder, status, printed)


def _run(target: str, planted_bug: str, arguments: Sequence[str], seconds: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.guided_fuzzing.searching", target, planted_bug, *arguments]
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + _LONGEST_RUN + _TO_START,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _result(folder: Path, status: int, printed: str) -> Search:
    failed = next(iter(sorted((folder / "failed").iterdir())), None)
    executed, counts = _EXECUTED.search(printed), _COUNTS.findall(printed)
    if failed is None and (status != 0 or executed is None):
        raise EngineError(f"exit status {status}: {printed[-3000:]}")
    edges, features, _ = counts[-1] if counts else (0, 0, 0)
    return Search(
        executions=int(executed[1]) if executed else 0,
        per_second=int(executed[2]) if executed else 0,
        edges=int(edges),
        features=int(features),
        found=[path.read_bytes() for path in sorted((folder / "found").iterdir())],
        failed=None if failed is None else failed.read_bytes(),
        failed_as="" if failed is None else failed.name.partition("-")[0],
    )
