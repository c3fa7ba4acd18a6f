"""Decides whether compare alone finds a change: the changed server must respond as every case expects.

A change is found when a case fails, when the server does not start, or when it does not come to an end. A
case that fails must fail a second time, so that a busy machine finds nothing.
"""

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from clients import launch
from clients.comparison.cases import Case
from clients.comparison.known_differences import KNOWN_DIFFERENCES, KnownDifferences, load_known_differences
from clients.comparison.runner import Backend, load_all_cases, run_cases
from clients.launch import BackendKind, LaunchError, RunningBackend

BACKENDS = {"sansio": ("socket",), "flask_reading": ("gunicorn", "flask"), "contract": ("socket", "gunicorn")}
"""The backends that a change in a folder is tried on; the next one when it survives on the last."""

START_SECONDS = 30.0
"""How long a server may take to start."""

# A server that is still compared after so long is ended, and the case at hand fails.
_COMPARE_SECONDS = 900.0
ENVIRONMENT = {"WIREPROOF_DURABILITY": "fast"}
"""The settings of a changed server."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of one change. `found_by` is empty if it survived; `case` is the case that found it."""

    found_by: str
    case: str
    seconds: float


def judge(module: str, source: str, backends: Sequence[str], first: Sequence[str], seed: int) -> Verdict:
    """Compare each backend with `source` in the place of `module`, until one of them fails a case.

    The cases named in `first` are sent before all others, whose order `seed` decides.
    """
    started = time.monotonic()
    found_by = case = ""
    for name in backends:
        try:
            with changed_backend(name, module, source) as backend, _ended_after(_COMPARE_SECONDS, backend):
                failed = _failing_case(backend, _ordered(first, seed))
        except LaunchError as error:
            found_by = str(error).partition(";")[0]
            break
        if failed is not None:
            found_by, case = f"{failed.name} on {name}", failed.name
            break
    return Verdict(found_by, case, time.monotonic() - started)


@contextmanager
def changed_backend(
    name: str, module: str, source: str, env: Mapping[str, str] = ENVIRONMENT
) -> Iterator[RunningBackend]:
    """The backend with another text of one module. Raises LaunchError."""
    kind = launch.BACKENDS[name]
    with tempfile.TemporaryDirectory(prefix="wireproof-change-") as folder:
        path = Path(folder, "changed.py")
        path.write_text(source, "utf-8")
        program = (sys.executable, "-m", "tests.planted_changes.changed_server", module, str(path))
        # Every backend prints its URL. It may refuse /healthz, which the cases then show.
        changed = BackendKind((*program, *kind.command[2:]), prints_url=True)  # after `python -m`
        with patch.dict(launch.BACKENDS, {name: changed}):
            backend = launch.start(name, env=env, seconds=START_SECONDS)
        try:
            yield backend
        finally:
            _kill(backend)  # a server in an endless loop would not end by itself
            backend.stop()


@contextmanager
def _ended_after(seconds: float, backend: RunningBackend) -> Iterator[None]:
    """End the backend if the block takes longer."""
    timer = threading.Timer(seconds, _kill, (backend,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(backend: RunningBackend) -> None:
    """End all processes of a backend, which are a process group."""
    with suppress(ProcessLookupError):
        os.killpg(backend.pid, signal.SIGKILL)


def _failing_case(running: RunningBackend, cases: Sequence[Case]) -> Case | None:
    """The first case that fails twice."""
    backend = Backend(running.name, running.host, running.port)
    known_differences = _cases()[1]
    left = list(cases)
    while left:
        results = run_cases(left, [backend], known_differences=known_differences, fail_fast=True)
        failed = left[len(results) - 1]
        if not results[-1].failed:
            return None
        if run_cases([failed], [backend], known_differences=known_differences)[0].failed:
            return failed
        left = left[len(results) :]
    return None


def _ordered(first: Sequence[str], seed: int) -> list[Case]:
    """All cases. A random order mixes the families, so that a change is found soon."""
    cases = list(_cases()[0])
    random.Random(seed).shuffle(cases)
    rank = {name: number for number, name in enumerate(first)}
    return sorted(cases, key=lambda case: rank.get(case.name, len(rank)))


@cache
def _cases() -> tuple[Sequence[Case], KnownDifferences]:
    cases = load_all_cases()
    return cases, load_known_differences(KNOWN_DIFFERENCES, cases)
