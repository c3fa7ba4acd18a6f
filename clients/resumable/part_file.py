"""The file into which a download goes until it is whole: FILE.part."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ..http1.digest import Block, Digest
from ..http1.errors import UploadFailed, UsageError
from ..http1.sources import PathSource


class PartFile:
    """`target` with `.part` added to its name, open for this process alone. A context manager that closes it.

    Raises UsageError when it cannot be opened, and UploadFailed when it cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._digest = Digest()
        if target.is_dir():
            raise UsageError(f"cannot write {target}: it is a folder")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise UsageError(f"another process writes {self.path} now") from None
        except OSError:
            pass  # a file system without locks
        self.size = os.lseek(self._file, 0, os.SEEK_END)

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._digest.__exit__(*error)
        os.close(self._file)
        if self.size == 0:
            self.path.unlink(missing_ok=True)

    def write(self, block: Block) -> None:
        """Append a block, which nobody changes any more."""
        self._catch_up()
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            raise self._not_written(error) from None
        self._digest.update(block)
        self.size += len(block)

    def restart(self) -> None:
        """Drop all bytes."""
        try:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        except OSError as error:
            raise self._not_written(error) from None
        self._digest.__exit__()
        self._digest = Digest()
        self.size = 0

    def sha256(self) -> str:
        """The SHA-256 of all bytes, in lower-case hexadecimal."""
        self._catch_up()
        return self._digest.hexdigest()

    def finish(self) -> None:
        """Give the file its name, after its bytes are on the disk. A file of that name is replaced."""
        try:
            os.fsync(self._file)
            self.path.replace(self.target)
        except OSError as error:
            raise self._not_written(error) from None

    def _catch_up(self) -> None:
        """Hash what an earlier process has written."""
        missing = self.size - self._digest.size
        if missing:
            for block in PathSource(self.path, missing, self._digest.size).blocks():
                self._digest.update(block)

    def _not_written(self, error: OSError) -> UploadFailed:
        return UploadFailed(f"cannot write {self.path}: {error.strerror}")
