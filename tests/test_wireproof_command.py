"""The command `wireproof`: its help is quick, and it needs no installation."""

import os
import resource
import subprocess
import sys

from clients.__main__ import SUMMARIES
from clients.launch import PROJECT_ROOT


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clients", *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_help_takes_little_time_of_the_processor() -> None:
    """Processor time, not time by the clock; the least of five, since another process can only add to it."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert _run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.3


def test_help_loads_no_sub_command() -> None:
    program = (
        "import sys\nfrom clients.__main__ import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert loaded & {f"clients.{name}" for name in SUMMARIES} == set()
    assert loaded & {"requests", "rich", "flask", "werkzeug"} == set()


def test_an_unknown_sub_command_is_wrong_usage() -> None:
    done = _run("serv")
    assert done.returncode == 2
    assert "No such command 'serv'" in done.stderr
