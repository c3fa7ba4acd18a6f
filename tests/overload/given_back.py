"""Runs a server that gives the memory it does not use back to the system when it is asked to.

`python -m tests.overload.given_back FOLDER MODULE [ARGUMENT ...]`. glibc keeps freed blocks between those in
use, more of them the longer a process runs, so its resident memory alone does not tell what it holds.
"""

import ctypes
import os
import runpy
import signal
import sys
from pathlib import Path

from tests.patience import eventually

_ASK = signal.SIGRTMIN


def give_back(pid: int, folder: Path) -> None:
    """Returns when the process, which runs with this folder, has given its free memory back."""
    asked = folder / str(pid)
    asked.touch()
    os.kill(pid, _ASK)
    assert eventually(lambda: not asked.exists(), 20), f"{pid} does not answer"


def main(folder: str, module: str, *arguments: str) -> None:
    """Run the module. The processes that it forks can be asked, too."""

    def give(*_: object) -> None:
        ctypes.CDLL(None).malloc_trim(0)
        Path(folder, str(os.getpid())).unlink()

    signal.signal(_ASK, give)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
