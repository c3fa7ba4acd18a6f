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
        """Append `data`. Raises OSError (ENOSPC, EIO, ...), after which the upload can only be aborted."""

    def close(self) -> StoredFile:
        """End the file and tell its hash and size. Publishes nothing."""

    def discard(self) -> None:
        """Drop this file from the upload, as if it had never been begun. Safe to call twice."""


class Upload(AbstractContextManager["Upload"], Protocol):
    """All files of one request. Leaving the context without `publish()` aborts: no trace is left."""

    def new_file(self) -> FileWriter:
        """Begin the next file; the one before it must be closed or discarded first."""

    def publish(self) -> None:
        """Make every closed file durable and visible under its hash. All are safe when it returns."""

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
    """Where uploaded files go."""

    def begin(self) -> Upload:
        """Begin an upload. Costs nothing until `new_file` is called."""

    def open(self, sha256: str) -> ReadableFile | None:
        """The file of that hash (64 lower-case hexadecimal digits), or None when there is none."""

    def is_writable(self) -> bool:
        """Whether an upload would have a place to go: asked by `/healthz`."""

    def clean(self) -> int:
        """Remove what crashed uploads of ours left behind and return how many entries; called at the start."""

    def names(self) -> Iterator[str]:
        """The hashes of all stored files, for tests and audits."""
