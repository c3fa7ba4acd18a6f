"""The interface of a store. A file is stored under its SHA-256; an upload publishes all its files or none.

Before the first byte of a 2xx is sent, the store has done this, in this order (contract section 7): write
every byte, fsync each file, give each file its name without overwriting, fsync the directory. An object store
has shown the size and the checksum of each file under its name.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from .resumable import Resumables


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The hash and the size in bytes of a complete file."""

    sha256: str
    size: int


class FileWriter(Protocol):
    """A file that is being written. It is not visible before its `Upload` is published."""

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`; the buffer may be reused afterwards. After an OSError, abort the upload."""

    def close(self) -> StoredFile:
        """End the file and return its hash and size. May be called again. Publishes nothing."""

    def discard(self) -> None:
        """Remove this file from the upload, closed or not. May be called twice, and after the upload."""


class Upload(AbstractContextManager["Upload"], Protocol):
    """All files of one request. Leaving the context without `publish()` aborts and removes them.

    Only one thread may use an upload at a time. RuntimeError is raised for calls in the wrong order: anything
    after `publish()`, `abort()` or a failed write, or a new file while another is open.
    """

    def new_file(self) -> FileWriter:
        """Begin the next file. The file before it must be closed or discarded."""

    def publish(self) -> None:
        """Make every closed file durable and visible under its hash.

        Waits for the disk. If it raises OSError, the upload has been aborted.
        """

    def abort(self) -> None:
        """Undo everything that is not published. Never raises. May be called twice and after `publish()`."""

    def __exit__(self, *error: object) -> None:
        self.abort()


class ReadableFile(AbstractContextManager["ReadableFile"], Protocol):
    """A stored file, open for reading."""

    size: int

    def read(self, offset: int, length: int, /) -> bytes:
        """`length` bytes from `offset`; fewer only at the end of the file."""

    def fileno(self) -> int | None:
        """The descriptor from which the system can send the file by itself, if there is one."""
        return None

    def close(self) -> None:
        """Close the file. May be called twice."""

    def __exit__(self, *error: object) -> None:
        self.close()


class Store(Protocol):
    """A place for uploaded files. Any thread may use it.

    Its methods raise OSError. ENOSPC, EDQUOT and EFBIG mean that there is no room (507
    `insufficient_storage`); other errors mean that the store does not work (503 `store_unavailable`).
    """

    def begin(self) -> Upload:
        """Begin an upload. Nothing is opened or created before `new_file`."""

    def open(self, sha256: str) -> ReadableFile | None:
        """The file with this hash (64 hexadecimal digits in lower case), or None if there is none."""

    @property
    def resumables(self) -> "Resumables":
        """The uploads that come in pieces."""

    def scratch(self) -> BinaryIO:
        """A new file without a name and without a buffer, for bytes that are kept while one request lasts.

        It takes its room from the store. It is gone when it is closed, or when the process ends.
        """

    def is_writable(self) -> bool:
        """Whether uploads can be stored; used by `/healthz`. It may wait for the disk."""

    def clean(self) -> int:
        """Remove the files of uploads whose process has ended; returns the number of uploads."""

    @property
    def sweep_seconds(self) -> float:
        """How often `clean` should be called while a server runs. 0: at its start only."""

    @property
    def waits(self) -> bool:
        """Whether storing a small file may wait for the disk. False: it gets into the page cache only."""

    @property
    def keeps_free(self) -> bool:
        """Whether some room must stay free, so that `require_room` may refuse an upload."""

    def require_room(self, size: int) -> None:
        """Raise OSError if there is no room for an upload of `size` bytes. It may wait for the disk."""

    @property
    def expires(self) -> bool:
        """Whether files have an age limit, so that `expire` should be called now and then."""

    def expire(self) -> int:
        """Remove the files that are older than the age limit; returns how many. It may wait for the disk."""

    def names(self) -> Iterator[str]:
        """The hashes of all stored files (for tests and audits)."""


class WithoutLimits:
    """The part of a `Store` that may wait, and has no age limit and no file system with room to keep free."""

    sweep_seconds = 0.0
    waits = True
    keeps_free = False
    expires = False

    def require_room(self, size: int) -> None:
        """There always is room."""

    def expire(self) -> int:
        """Nothing ever expires."""
        return 0
