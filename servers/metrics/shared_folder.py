"""The folder in which the processes of one server keep their numbers, so that each of them can show all.

It is in memory where the system has such a file system: no disk is written, and writing never waits. Each
process holds a slot of its own, by a lock that the system releases when the process ends in any way. The
process that takes the slot next goes on counting in the same files. So there are no more files than processes
at once, and nothing has to notice that one has died.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

PREFIX = "wireproof-metrics-"
IN_MEMORY = Path("/dev/shm")
_LOCK = "lock"
_SLOT = "slot-"
# Between the making of a folder and its lock. A younger one is left alone.
_OLD_SECONDS = 60.0


def place() -> Path:
    """Where such folders are: in memory, or else in the temporary folder."""
    is_usable = os.access(IN_MEMORY, os.W_OK | os.X_OK)
    return IN_MEMORY if is_usable else Path(tempfile.gettempdir())


class SharedFolder:
    """A new folder, which this process and those that it forks share. Call `remove` when this process ends.

    A killed process removes nothing. So whoever makes a folder removes those of servers that are gone. Raises
    OSError if it cannot be made.
    """

    def __init__(self) -> None:
        parent = place()
        _remove_leftovers(parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._owner = os.getpid()
        # It is never closed: all processes of the server hold it, and only they.
        if _locked(self.path / _LOCK) is None:
            raise OSError("a folder that was just made is locked")

    def remove(self) -> None:
        """Remove it, if this is the process that made it. Never raises."""
        if os.getpid() == self._owner:
            shutil.rmtree(self.path, ignore_errors=True)

    def take_slot(self) -> str:
        """The name of a slot that no living process has, for this process until it ends. Raises OSError."""
        for number in count():
            if _locked(self.path / f"{_SLOT}{number}") is not None:
                return str(number)
        raise AssertionError("unreachable: numbers do not end")

    @contextmanager
    def free_slots(self) -> Iterator[list[str]]:
        """The names of the slots whose processes have ended. Nobody takes them inside of this context."""
        held: dict[str, int] = {}
        try:
            for path in self.path.glob(_SLOT + "*"):
                if (fd := _locked(path)) is not None:
                    held[path.name.removeprefix(_SLOT)] = fd
            yield list(held)
        finally:
            for fd in held.values():
                os.close(fd)


def _locked(path: Path) -> int | None:
    """A descriptor of this file, which is made if it is missing, with its lock; None if another one has it.

    The lock lasts until all processes that have inherited the descriptor have ended. Raises OSError.
    """
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders whose processes have all ended."""
    for folder in parent.glob(PREFIX + "*"):
        with suppress(OSError):
            status = folder.lstat()  # anybody may make a link here
            is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
            if not is_ours or time.time() - status.st_mtime < _OLD_SECONDS:
                continue
            if (fd := _locked(folder / _LOCK)) is not None:
                os.close(fd)
                shutil.rmtree(folder, ignore_errors=True)
