"""The storage seam: content-addressed files, written by one request at a time, published all or none.

Order of a 2xx (contract section 7): every byte written, each file fsynced, each name published without
overwriting, the directory fsynced - and only then may the answer begin.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a file once its last byte was written: its content address and its size in bytes."""

    sha256: str
    size: int


class FileWriter(Protocol):
    """One file being written. Nobody can see it before its `Upload` is published."""

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`, which is not kept. Raises OSError (ENOSPC, EIO, ...): only abort the upload then."""

    def close(self) -> StoredFile:
        """End the file and tell its hash and size, again when called twice. Publishes nothing."""

    def discard(self) -> None:
        """Drop this file, closed or not, as if it had never been begun. Safe to call twice and later."""


class Upload(AbstractContextManager["Upload"], Protocol):
    """All files of one request. Leaving the context without `publish()` aborts: no trace is left.

    Used by one thread at a time; different uploads by different threads. Calls in the wrong order raise
    RuntimeError: anything after `publish()`, `abort()` or a failed write, two files open at once.
    """

    def new_file(self) -> FileWriter:
        """Begin the next file; the one before it must be closed or discarded first."""

    def publish(self) -> None:
        """Make every closed file durable and visible under its hash. All are safe when it returns.

        May take as long as the disk takes for all their bytes. Raises OSError, and has aborted then.
        """

    def abort(self) -> None:
        """Undo everything that is not published. Never raises; safe to call twice and after `publish()`."""


class ReadableFile(AbstractContextManager["ReadableFile"], Protocol):
    """A stored file, open for reading."""

    size: int

    def read(self, offset: int, length: int, /) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end of the file."""

    def close(self) -> None:
        """Give the descriptor back. Safe to call twice."""


class Store(Protocol):
    """Where uploaded files go. Used by any thread.

    Raises OSError where it cannot do what is asked: the disk is full for ENOSPC and EDQUOT (507
    `insufficient_storage`), the store is out of service for all others (503 `store_unavailable`).
    """

    def begin(self) -> Upload:
        """Begin an upload. Costs nothing until `new_file` is called."""

    def open(self, sha256: str) -> ReadableFile | None:
        """The file of that hash (64 lower-case hexadecimal digits), or None when there is none."""

    def is_writable(self) -> bool:
        """Whether an upload would have a place to go: asked by `/healthz`."""

    def clean(self) -> int:
        """Remove what uploads of ours left behind whose process died; how many. Called at the start."""

    def names(self) -> Iterator[str]:
        """The hashes of all stored files, for tests and audits."""
