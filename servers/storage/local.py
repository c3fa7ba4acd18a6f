"""The store in a local directory (contract section 7).

`local_upload` explains how files are written, `local_publish` how they get their names, and `local_folders`
the folders and locks.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from errno import ELOOP, ENXIO
from pathlib import Path
from typing import BinaryIO, Final, Self

from .base import ReadableFile
from .local_expiry import remove_expired
from .local_folders import Folders, close_quietly, list_names
from .local_publish import OPEN_STORED
from .local_resumable import LocalResumables
from .local_upload import LocalUpload
from .probe import Probe

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class LocalStore:
    """Files below `root`; see `base.Store`. Any number of threads and processes may share one `root`.

    `durable=False` leaves out the fsyncs (`--durability fast`) and nothing else. Every method raises OSError
    while the store of the start is missing or unreadable, or while another folder is in its place, and works
    again afterwards (X08).
    """

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        existing: bool = False,
        min_free: int = 0,
        expire: int = 0,
    ) -> None:
        """Create `root` and its missing parents with mode 0700, and the marker of the store.

        With `existing`, nothing is created. Uploads leave `min_free` bytes of the file system free. Files
        expire after so many days; with 0 never. Raises OSError if that fails, or if there is no store.
        """
        self._folders = Folders(root, durable=durable, existing=existing, min_free=min_free, expire=expire)
        self._unnamed = Path("/proc/self/fd").is_dir()
        self._probe = Probe(self.try_upload)
        self.resumables = LocalResumables(self._folders)

    def begin(self) -> LocalUpload:
        return LocalUpload(self._folders, unnamed=self._unnamed)

    def open(self, sha256: str) -> "LocalFile | None":
        """The file with this hash, or None if there is none. Raises OSError if the store cannot be read."""
        if not _SHA256.fullmatch(sha256):
            return None
        files_fd = self._folders.open_files()
        try:
            return LocalFile.of(os.open(sha256, OPEN_STORED, dir_fd=files_fd))
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (ELOOP, ENXIO):  # a symbolic link (H153), a socket
                return None
            raise
        finally:
            close_quietly(files_fd)  # an error would lose the descriptor of the file

    def scratch(self) -> BinaryIO:
        """A file without a name (O_TMPFILE) in the folder of the store."""
        os.close(self._folders.open_files())  # raises OSError if another folder is in its place
        return tempfile.TemporaryFile(buffering=0, dir=self._folders.root)  # the caller closes it

    def is_writable(self) -> bool:
        """Whether uploads can be stored. Tries it at most once a second, and waits for the disk then."""
        return self._probe.succeeds()

    def try_upload(self) -> None:
        """Do what an upload does, and leave nothing. Raises OSError."""
        upload = self.begin()
        with upload:
            for _ in range(2):  # the first file has no name, the second one is staged
                writer = upload.new_file()
                writer.write(b"\0")
                writer.close()
            upload.try_publish()

    def clean(self) -> int:
        """Remove the staged files of requests whose process has ended; returns the number of requests."""
        return self._folders.clean()

    @property
    def sweep_seconds(self) -> float:
        return 0.0

    @property
    def waits(self) -> bool:
        return self._folders.durable

    @property
    def keeps_free(self) -> bool:
        return self._folders.room.least > 0

    def require_room(self, size: int) -> None:
        """Raise OSError if an upload of `size` bytes would leave too little free space."""
        self._folders.room.require(size)

    @property
    def expires(self) -> bool:
        return self._folders.expire > 0

    def expire(self) -> int:
        """Remove the files whose age limit has passed; returns how many. See `local_expiry`."""
        return remove_expired(self._folders)

    def names(self) -> Iterator[str]:
        """The hashes of all stored files."""
        files_fd = self._folders.open_files()
        try:
            return filter(_SHA256.fullmatch, list_names(files_fd))
        finally:
            close_quietly(files_fd)


class LocalFile(ReadableFile):
    """A stored file, open for reading; see `base.ReadableFile`. It stays readable if its name is removed."""

    def __init__(self, fd: int, size: int) -> None:
        """Takes over the descriptor `fd`; `size` is in bytes."""
        self.size = size
        self._fd = fd

    @classmethod
    def of(cls, fd: int) -> Self | None:
        """The file of the descriptor `fd`. Closes `fd` and returns None if it is not a regular file."""
        try:
            status = os.fstat(fd)
        except OSError:
            os.close(fd)
            raise
        if stat.S_ISREG(status.st_mode):
            return cls(fd, status.st_size)
        os.close(fd)
        return None

    def read(self, offset: int, length: int, /) -> bytes:
        """`length` bytes from `offset`; fewer only at the end of the file.

        Raises OSError, and ValueError if the file is closed.
        """
        if self._fd < 0:
            raise ValueError("the file is closed")
        data = os.pread(self._fd, length, offset)
        while len(data) < length:
            # One call returns at most 2 GiB, and less if a signal interrupts it.
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def fileno(self) -> int | None:
        return None if self._fd < 0 else self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
