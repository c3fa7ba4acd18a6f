"""The store that is a local directory: content-addressed, all or none, durable before the answer.

What a 2xx promises, and in which order it comes about, is contract section 7; how folders and locks work is
told in `local_folders`, how names are given in `local_publish`.
"""

import os
import re
import stat
from collections.abc import Iterator
from errno import ELOOP, ENXIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .local_folders import Folders, list_names
from .local_publish import OPEN_STORED
from .local_upload import LocalUpload

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class LocalStore:
    """Files below `root`; see `base.Store`. Keeps no descriptor and no state: any thread, any process.

    `durable` False drops the fsyncs (`--durability fast`), nothing else. Every method raises OSError while
    `root` is missing, unreadable or no folder, and works again when that has been mended (X08).
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        """Make `root` with its missing parents, mode 0700. Raises OSError when it cannot be a store."""
        self._folders = Folders(root, durable=durable)
        self._unnamed = Path("/proc/self/fd").is_dir()

    def begin(self) -> LocalUpload:
        """Begin an upload. Costs nothing until `new_file` is called."""
        return LocalUpload(self._folders, unnamed=self._unnamed)

    def open(self, sha256: str) -> "LocalFile | None":
        """The file of that hash, or None when there is none. Raises OSError when the store cannot tell."""
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
            os.close(files_fd)

    def is_writable(self) -> bool:
        """Whether a byte can be written in the store: tried, and undone."""
        try:
            with self.begin() as upload:
                upload.new_file().write(b"\0")
        except OSError:
            return False
        return True

    def clean(self) -> int:
        """Remove the staged files of requests whose process has died; how many requests. Raises OSError."""
        return self._folders.clean()

    def names(self) -> Iterator[str]:
        """The hashes of all stored files. Raises OSError."""
        files_fd = self._folders.open_files()
        try:
            return filter(_SHA256.fullmatch, list_names(files_fd))
        finally:
            os.close(files_fd)


class LocalFile:
    """A stored file, open for reading; see `base.ReadableFile`. Removing its name does not disturb it."""

    def __init__(self, fd: int, size: int) -> None:
        """`fd` is now this object's; `size` is in bytes."""
        self.size = size
        self._fd = fd

    @classmethod
    def of(cls, fd: int) -> Self | None:
        """The file of that descriptor, which is closed at once if it is no regular file."""
        try:
            status = os.fstat(fd)
        except OSError:
            os.close(fd)
            raise
        if stat.S_ISREG(status.st_mode):
            return cls(fd, status.st_size)
        os.close(fd)
        return None

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def read(self, offset: int, length: int, /) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end of the file.

        Raises OSError, and ValueError when the file is closed.
        """
        if self._fd < 0:
            raise ValueError("the file is closed")
        data = os.pread(self._fd, length, offset)
        while len(data) < length:
            # One call gives 2 GiB at most, and fewer when a signal comes.
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Give the descriptor back. Safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
