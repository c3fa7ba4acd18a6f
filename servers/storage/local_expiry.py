"""Files that are older than the age limit are removed (`--expire DAYS`).

The age counts from the modification time, which is the time of the last upload with this content: a new file
gets it when it is published, an adopted one when it is adopted. `local_names` says why no file is removed
that an upload adopts at the same time. A client that reads a file keeps it open, and reads it to its end.

One process at a time looks for old files: it holds a lock on the marker of the store.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from .local_folders import Folders, close_quietly
from .local_marker import MARKER
from .local_names import remove_unless_adopted

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SECONDS_A_DAY: Final = 24 * 3600


def remove_expired(folders: Folders) -> int:
    """Remove the files that are older than `folders.expire` days. Returns how many.

    Does nothing while another process does it. Raises OSError if the store is missing or another one is in
    its place.
    """
    if not folders.expire:
        return 0
    latest = time.time() - folders.expire * _SECONDS_A_DAY
    files_fd = folders.open_files()
    try:
        with _alone(files_fd) as alone:
            if not alone:
                return 0
            return sum(_removed(files_fd, name, status) for name, status in _older(files_fd, latest))
    finally:
        close_quietly(files_fd)


def _older(files_fd: int, latest: float) -> Iterator[tuple[str, os.stat_result]]:
    """The stored files that were last modified before `latest`."""
    with os.scandir(files_fd) as entries:
        for entry in entries:
            if not _SHA256.fullmatch(entry.name):
                continue
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime < latest:
                    yield entry.name, status


def _removed(files_fd: int, name: str, status: os.stat_result) -> bool:
    try:
        return remove_unless_adopted(files_fd, name, status)
    except FileNotFoundError:
        return False


@contextmanager
def _alone(files_fd: int) -> Iterator[bool]:
    """Whether no other process is at it; none begins until the end of the context."""
    marker_fd = os.open(f"../{MARKER}", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=files_fd)
    try:
        fcntl.flock(marker_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        close_quietly(marker_fd)
