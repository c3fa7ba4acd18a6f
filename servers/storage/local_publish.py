"""How the files of an upload get their public names: all of them or none.

`Publication.publish` finishes each step for all files before it begins the next:

    step                     what happens                                          after a failure
    1. find (`safe` only)    look for a stored file with the same hash, adopt it   nothing is named yet
    2. sync files            fsync every file that was not found                   nothing is named yet
    3. name files            link each to ROOT/files/SHA256, never overwriting     take the names back
    4. sync the folder       fsync ROOT/files                                      take the names back
    5. return                the 2xx may be sent

A file is durable before it has a name. So after a power loss at any time, each name has all of its bytes.

Step 1 saves an fsync of what is stored already. With `fast` there is none to save: step 3 links at once, and
finds what has the name if there is one.

What is found under the name SHA256, and what step 3 does then:

    ABSENT     no file has this name               link our file; if the name exists by now, find again
    ADOPTED    a file with exactly our bytes       nothing: our own file is not needed
    DAMAGED    a file with other bytes, or one     replace it by our file in one step (rename)
               that cannot be synced
    OSError    a folder, a link, a socket          the upload fails

Adopting. Another upload may have stored the same content, and may still fail and remove it again, or the file
may be about to expire. Therefore this upload checks the bytes, unless they are noted to be whole (see
`local_whole`), marks the file (see `local_names`), and fsyncs it.

Taking back. An upload that fails removes the names that it linked, unless another one has adopted them. A
file that was replaced because it was damaged keeps its name, since the name existed before.
"""

import hashlib
import os
import stat
from contextlib import suppress
from enum import Enum, auto
from errno import EEXIST
from typing import Final, Protocol

from . import local_whole
from .base import StoredFile
from .local_folders import Folders, close_quietly
from .local_names import adopt, kept, remove_unless_adopted

# O_NOFOLLOW refuses a symbolic link (H153); O_NONBLOCK does not wait for the writer of a FIFO.
OPEN_STORED: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

_ATTEMPTS: Final = 8


class Unpublished(Protocol):
    """A closed file that has no public name yet."""

    @property
    def stored(self) -> StoredFile:
        """Its hash and size."""

    def sync(self) -> os.stat_result:
        """Make its bytes durable and return its status."""

    def link(self, files_fd: int) -> None:
        """Name it by its hash. Raises FileExistsError if the name exists."""

    def replace(self, files_fd: int) -> None:
        """Name it by its hash and replace the file that has the name."""


class _Found(Enum):
    ABSENT = auto()
    ADOPTED = auto()
    DAMAGED = auto()


class Publication:
    """The names that one upload gives to its files."""

    def __init__(self, folders: Folders, files_fd: int) -> None:
        """`files_fd` is an open descriptor of `ROOT/files`. The caller closes it."""
        self._folders = folders
        self._files_fd = files_fd
        self._linked: list[tuple[str, os.stat_result]] = []

    def publish(self, files: list[Unpublished]) -> None:
        """Make all files durable under their hashes. If it raises OSError, call `take_back`."""
        durable = self._folders.durable
        found = [(file, self._find(file.stored) if durable else _Found.ABSENT) for file in files]
        fresh = [(file, state, file.sync()) for file, state in found if state is not _Found.ADOPTED]
        for file, state, status in fresh:
            self._give_name(file, state, status)
        self._folders.sync(self._files_fd)

    def take_back(self) -> None:
        """Remove the names that were linked and that no other upload has adopted. Never raises."""
        for name, status in self._linked:
            with suppress(OSError):
                remove_unless_adopted(self._files_fd, name, status)
        self._linked.clear()

    def _give_name(self, file: Unpublished, found: _Found, status: os.stat_result) -> None:
        for _ in range(_ATTEMPTS):
            if found is _Found.ADOPTED:
                return
            if found is _Found.DAMAGED:
                with kept(self._files_fd):
                    file.replace(self._files_fd)
                return
            try:
                file.link(self._files_fd)
            except FileExistsError:
                found = self._find(file.stored)
            else:
                self._linked.append((file.stored.sha256, status))
                return
        raise FileExistsError(EEXIST, "a stored file appears and vanishes repeatedly", file.stored.sha256)

    def _find(self, stored: StoredFile) -> _Found:
        """Find a stored file with this content and adopt it. Raises OSError if it is not a regular file."""
        try:
            fd = os.open(stored.sha256, OPEN_STORED, dir_fd=self._files_fd)
        except FileNotFoundError:
            return _Found.ABSENT
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FileExistsError(EEXIST, "not a regular file", stored.sha256)
            durable = self._folders.durable
            is_noted = local_whole.trust_in(fd, status, durable=durable)
            is_safe = durable or local_whole.trust_in(fd, status, durable=True)
            if status.st_size != stored.size or not (is_noted or _has_content(fd, stored)):
                return _Found.DAMAGED
            if not adopt(self._files_fd, fd, stored.sha256):
                return _Found.ABSENT  # taken back by its upload, expired, or removed by hand
            try:
                self._folders.sync(fd)  # with its new time: a power loss does not make it old again
            except OSError:
                return _Found.DAMAGED  # X07: its bytes may be lost, so replace it by our file
            if stored.size >= local_whole.LEAST:
                local_whole.note(fd, durable=is_safe)
            return _Found.ADOPTED
        finally:
            close_quietly(fd)


def _has_content(fd: int, stored: StoredFile) -> bool:
    # It may have been written without fsync (`--durability fast`) and damaged by a power loss.
    with open(fd, "rb", buffering=0, closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == stored.sha256
