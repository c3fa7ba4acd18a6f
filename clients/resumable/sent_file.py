"""A file while it is uploaded in pieces, some of which are sent twice."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..http1.body import Receipt, SingleBody
from ..http1.digest import Block, Digest
from ..http1.errors import UploadFailed, UsageError
from ..http1.sources import PathSource


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells whether a file is still the one whose upload has begun; `path` is absolute."""

    path: str
    size: int
    mtime_ns: int


class SentFile:
    """A regular file. `name` is what servers are told, `shown` what the user gave.

    `relative` is the path below the folder that was given, with the name of the folder, or `name`. A context
    manager that ends the thread of its hash. Raises UsageError when the file cannot be read.
    """

    def __init__(self, path: Path, relative: str | None = None) -> None:
        self.shown = str(path)
        self.name = path.name
        self.relative = relative or path.name
        try:
            with path.open("rb", buffering=0) as file:
                status = os.fstat(file.fileno())
            absolute = str(path.resolve())
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from None
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a regular file, and only those can be read again from an offset")
        self.identity = FileIdentity(absolute, status.st_size, status.st_mtime_ns)
        self._path = path
        self._digest = Digest()

    @property
    def size(self) -> int:
        """The size in bytes when the upload began."""
        return self.identity.size

    def __enter__(self) -> SentFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._digest.__exit__(*error)

    def check_unchanged(self) -> None:
        """Raise UploadFailed when the file is not any more what it was when its upload began."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise UploadFailed(f"cannot read {self.shown}: {error.strerror}") from None
        if (status.st_size, status.st_mtime_ns) != (self.size, self.identity.mtime_ns):
            raise UploadFailed(f"{self.shown} was changed during its upload; start again")

    def catch_up(self, offset: int) -> None:
        """Hash what comes before `offset`. An earlier process has sent it, and the server has it."""
        missing = offset - self._digest.size
        if missing > 0:
            for block in PathSource(self._path, missing, self._digest.size).blocks():
                self._digest.update(block)

    def piece(self, start: int, end: int) -> FilePiece:
        """The bytes from `start` to before `end` as the body of a request; call `catch_up(start)` before."""
        return FilePiece(self, PathSource(self._path, end - start, start), start)

    def sha256(self) -> str:
        """The SHA-256 of the whole file, in lower-case hexadecimal; reads what has not been sent."""
        self.catch_up(self.size)
        return self._digest.hexdigest()

    def _hash(self, start: int, block: Block) -> None:
        """Hash what is new in a block that begins at `start`: a piece may be sent again."""
        known = self._digest.size - start
        assert known >= 0, "catch_up hashes what comes before a piece"
        if known < len(block):
            self._digest.update(memoryview(block)[known:] if known else block)


class FilePiece(SingleBody):
    """Bytes of a file as the body of a request. At the end of the file the receipt is that of the file."""

    def __init__(self, file: SentFile, source: PathSource, start: int) -> None:
        super().__init__(source)
        self._file = file
        self._start = start

    def blocks(self) -> Iterator[Block]:
        """The bytes of the piece."""
        self.receipt = None
        position = self._start
        for block in self._source.blocks():
            self._file._hash(position, block)
            yield block
            position += len(block)
        complete = position == self._file.size
        self.receipt = Receipt(position, self._file.sha256() if complete else None)


def files_below(path: Path) -> Iterator[SentFile]:
    """The file, or all regular files in the folder and below it, in order of their paths.

    Links to folders are not followed. Raises UsageError for what cannot be read, and for an empty folder.
    """
    if not path.is_dir():
        yield SentFile(path)
        return
    above = path.resolve().parent
    found = False
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file():
                found = True
                yield SentFile(file, (file.parent.resolve() / name).relative_to(above).as_posix())
    if not found:
        raise UsageError(f"the folder {path} has no files")


def _refuse(error: OSError) -> None:
    raise UsageError(f"cannot read {error.filename}: {error.strerror}")
