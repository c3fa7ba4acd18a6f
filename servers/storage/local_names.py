"""Who needs a name in `ROOT/files`, and who removes it: adopting uploads, failing uploads and the age limit.

Adopting. An upload whose content is stored already uses the file that is there. It marks it: it moves the
modification time forward, by a second at least. So the file is also as young as if it had been stored now.

Removing. An upload that fails takes back the names that it linked, and old files expire. Both remove a name
only if the file under it still is the one that they know, and if its modification time has not moved: then no
upload has adopted it meanwhile, which may have been acknowledged (X23).

Names that a failed upload left would be whole files. But nothing could tell them from acknowledged ones, so
they would never be removed: a disk on which the third of four links fails for want of space would keep two
files.

Lock. A name is removed under an exclusive lock on `ROOT/files`. A file is marked or replaced under a shared
one. If the mark comes first, the file stays. If the removal comes first, the adopting upload sees that the
name no longer leads to this file, and stores its own. The system releases the lock when the process ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SECOND_NS: Final = 1_000_000_000  # the coarsest time stamp of common file systems


def adopt(files_fd: int, fd: int, name: str) -> bool:
    """Mark the open file as used. False if it no longer has this name in `ROOT/files`. Raises OSError."""
    with kept(files_fd):
        status = os.fstat(fd)
        try:
            if not os.path.samestat(status, _status(files_fd, name)):
                return False
        except FileNotFoundError:
            return False
        moved = max(time.time_ns(), status.st_mtime_ns + _SECOND_NS)
        os.utime(fd, ns=(status.st_atime_ns, moved))
        return True


def remove_unless_adopted(files_fd: int, name: str, known: os.stat_result) -> bool:
    """Remove a name of the file that had the status `known`. False if it was adopted. Raises OSError."""
    with locked(files_fd, fcntl.LOCK_EX):
        status = _status(files_fd, name)
        if not os.path.samestat(status, known) or status.st_mtime_ns != known.st_mtime_ns:
            return False
        os.unlink(name, dir_fd=files_fd)
        return True


@contextmanager
def kept(files_fd: int) -> Iterator[None]:
    """No name is removed within this context. Raises OSError."""
    with locked(files_fd, fcntl.LOCK_SH):
        yield


def _status(files_fd: int, name: str) -> os.stat_result:
    return os.stat(name, dir_fd=files_fd, follow_symlinks=False)


@contextmanager
def locked(folder_fd: int, kind: int) -> Iterator[None]:
    """Hold a lock on a folder, of a kind of flock(2). Raises OSError.

    Each request has a descriptor of its own, so threads lock each other out as processes do.
    """
    fcntl.flock(folder_fd, kind)
    try:
        yield
    finally:
        fcntl.flock(folder_fd, fcntl.LOCK_UN)
