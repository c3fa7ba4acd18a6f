"""Giving finished files their names: all of an upload or none, and never taking away what another relies on.

Two uploads may bring the same content at the same time. The second *adopts* the file of the first: it
checks its bytes, makes it durable and marks it by moving its modification time. An upload that fails half-way
takes its names back, but not from a marked file: that one is somebody's acknowledged upload (X23). Both
decide under a lock on the file itself, so there is no moment in which a file is adopted and removed.
"""

import fcntl
import hashlib
import os
import stat
from contextlib import suppress
from enum import Enum, auto
from errno import EEXIST
from typing import Final, Protocol

from .base import StoredFile
from .local_folders import Folders, close_quietly

# O_NOFOLLOW refuses a symbolic link (H153), O_NONBLOCK does not wait for the writer of a FIFO.
OPEN_STORED: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

_ATTEMPTS: Final = 8
_SECOND_NS: Final = 1_000_000_000  # the coarsest time stamps of the file systems in use


class Unpublished(Protocol):
    """A closed file without a public name."""

    @property
    def stored(self) -> StoredFile:
        """Its hash and size."""

    def sync(self) -> os.stat_result:
        """Make its bytes durable."""

    def link(self, files_fd: int) -> None:
        """Give it its hash as name. Raises FileExistsError when there is a file of that name."""

    def replace(self, files_fd: int) -> None:
        """Give it its hash as name, in the place of what stands there."""


class _Found(Enum):
    ABSENT = auto()
    ADOPTED = auto()
    DAMAGED = auto()


class Publication:
    """The names given to the files of one upload, until they are kept or taken back."""

    def __init__(self, folders: Folders, files_fd: int) -> None:
        """`files_fd` is an open descriptor of `ROOT/files`; it stays the caller's."""
        self._folders = folders
        self._files_fd = files_fd
        self._linked: list[tuple[str, os.stat_result]] = []

    def publish(self, files: list[Unpublished]) -> None:
        """Make all files safe under their hashes. Raises OSError; call `take_back` then.

        Every file is durable before the first one gets a name, so that little can fail between two names.
        """
        found = [(file, self._find(file.stored)) for file in files]
        fresh = [(file, state, file.sync()) for file, state in found if state is not _Found.ADOPTED]
        for file, state, status in fresh:
            self._give_name(file, state, status)
        self._folders.sync(self._files_fd)

    def take_back(self) -> None:
        """Remove the names that nobody else relies on yet. Never raises."""
        for name, status in self._linked:
            with suppress(OSError):
                self._unlink_unless_adopted(name, status)
        self._linked.clear()

    def _give_name(self, file: Unpublished, found: _Found, status: os.stat_result) -> None:
        for _ in range(_ATTEMPTS):
            if found is _Found.ADOPTED:
                return
            if found is _Found.DAMAGED:
                # Not taken back later: the name was there before, and now at last it tells the truth.
                file.replace(self._files_fd)
                return
            try:
                file.link(self._files_fd)
            except FileExistsError:
                found = self._find(file.stored)
            else:
                self._linked.append((file.stored.sha256, status))
                return
        raise FileExistsError(EEXIST, "a stored file keeps appearing and vanishing", file.stored.sha256)

    def _find(self, stored: StoredFile) -> _Found:
        """Look for a file of that content and adopt it. Raises OSError for what is no regular file."""
        try:
            fd = os.open(stored.sha256, OPEN_STORED, dir_fd=self._files_fd)
        except FileNotFoundError:
            return _Found.ABSENT
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise FileExistsError(EEXIST, "no regular file stands in this place", stored.sha256)
            if not self._is_sound(fd, stored):
                return _Found.DAMAGED
            return self._adopt(fd, stored.sha256)
        finally:
            close_quietly(fd)

    def _is_sound(self, fd: int, stored: StoredFile) -> bool:
        # Others may have written it without fsync (`--durability fast`), and a power loss may have torn it.
        if os.fstat(fd).st_size != stored.size:
            return False
        with open(fd, "rb", buffering=0, closefd=False) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                return False
        try:
            self._folders.sync(fd)
        except OSError:
            return False  # X07: its pages may be gone; ours are at hand and are written in its place
        return True

    def _adopt(self, fd: int, name: str) -> _Found:
        fcntl.flock(fd, fcntl.LOCK_SH)
        status = os.fstat(fd)
        try:
            if not os.path.samestat(status, self._stat(name)):
                return _Found.ABSENT
        except FileNotFoundError:
            return _Found.ABSENT  # taken back, or removed by hand
        os.utime(fd, ns=(status.st_atime_ns, status.st_mtime_ns + _SECOND_NS))
        return _Found.ADOPTED

    def _unlink_unless_adopted(self, name: str, linked: os.stat_result) -> None:
        fd = os.open(name, OPEN_STORED, dir_fd=self._files_fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            status = os.fstat(fd)
            if os.path.samestat(status, linked) and status.st_mtime_ns == linked.st_mtime_ns:
                os.unlink(name, dir_fd=self._files_fd)
        finally:
            close_quietly(fd)

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._files_fd, follow_symlinks=False)
