"""The files of one request on their way to the store, or only into a hash.

An event loop must not wait for the disk. So what comes for the store is kept in memory at first. A thread
then calls `write`: it opens the files, writes them and closes them, in the order in which they came. Inside
of `waiting`, nothing is kept, and each call does its work at once.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from ..storage.base import Store, StoredFile, Upload
from .problems import Problem
from .spool import Spool

if TYPE_CHECKING:
    from .appending import Appending

Data = bytes | bytearray | memoryview


class _Writer(Protocol):
    """What a file needs of `storage.base.FileWriter`."""

    def write(self, data: Data, /) -> None: ...

    def close(self) -> StoredFile: ...


class _HashingWriter:
    """Only hashes and counts: for routes that do not store files."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: Data, /) -> None:
        self._hash.update(data)
        self._size += len(data)

    def close(self) -> StoredFile:
        return StoredFile(self._hash.hexdigest(), self._size)


class _SpoolWriter:
    """Writes to the spool of a request whose body is taken as it is."""

    def __init__(self, spool: Spool) -> None:
        self.write = spool.write
        self.close = spool.finish


class _AppendingWriter:
    """Appends to an upload that comes in pieces. It has no hash: that belongs to the whole upload."""

    def __init__(self, appending: "Appending") -> None:
        self.write = appending.write

    def close(self) -> StoredFile:
        return StoredFile("", 0)


class RequestFile:
    """One file. `write` its bytes, then call `end`."""

    def __init__(self, files: "RequestFiles") -> None:
        self.ended = False
        self._files = files
        self._held = bytearray()
        self._writer: _Writer | None = None

    def write(self, data: Data, /) -> None:
        """Append `data`. The buffer may be reused afterwards. Raises OSError."""
        if self._files.keeps:
            self._held += data
            self._files.unwritten += len(data)
        else:
            self._open().write(data)

    def end(self) -> None:
        """The file is complete. Raises OSError."""
        self.ended = True
        if not self._files.keeps:
            self._open().close()

    def write_held(self) -> None:
        """Write what is kept of it. Waits for the disk. Raises OSError."""
        writer = self._open()
        if self._held:
            writer.write(self._held)
            self._held = bytearray()
        if self.ended:
            writer.close()

    def stored(self) -> StoredFile:
        """The hash and the size of the file, after `end`, and after it was written."""
        return self._open().close()

    def _open(self) -> _Writer:
        if self._writer is None:
            self._writer = self._files.new_writer()
        return self._writer


class RequestFiles:
    """All files of one request. Without a store they are only hashed, at once.

    With `spooled` there is one file, the body as it came. It goes to `spool` and is never published. With
    `appending` there is one too, which is appended to an upload that comes in pieces.
    `count` is the number of files that have begun. `keeps` says whether bytes are kept in memory, and
    `unwritten` how many are.
    """

    def __init__(
        self, store: Store | None, *, spooled: bool = False, appending: "Appending | None" = None
    ) -> None:
        self.are_stored = self.keeps = store is not None
        self.count = 0
        self.unwritten = 0
        self._store = store
        self._upload: Upload | None = None
        self._unfinished: list[RequestFile] = []
        self.spool = Spool(store.scratch) if store is not None and spooled else None
        self._appending = appending

    @property
    def have_begun(self) -> bool:
        """Whether the store has something of this request, so that `abort` may wait for the disk."""
        if self._appending is not None:
            return self._appending.has_begun
        return self._upload is not None or (self.spool is not None and self.spool.on_disk)

    def new_file(self) -> RequestFile:
        """Begin the next file. The file before it must have ended."""
        self.count += 1
        file = RequestFile(self)
        self._unfinished.append(file)
        return file

    def write(self) -> None:
        """Write everything that is kept. Waits for the disk. Raises OSError."""
        for file in self._unfinished:
            file.write_held()
        self._unfinished = [file for file in self._unfinished if not file.ended]
        self.unwritten = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Write what is kept, and keep nothing until the end of the context. Raises OSError."""
        self.write()
        self.keeps = False
        try:
            yield
        finally:
            self.keeps = self.are_stored

    def publish(self) -> None:
        """Make all files durable and visible under their hashes; they must be written. Raises OSError."""
        if self._upload is not None:
            self._upload.publish()

    def abort(self) -> None:
        """Undo everything that is not published. Never raises. May wait for the disk if `have_begun`."""
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.abort()
        if self._appending is not None:
            if self._appending.keeps_rest:
                with suppress(OSError, Problem):
                    self.write()
            self._appending.abort()
        self.forget_spool()

    def forget_spool(self) -> None:
        """Close the body that was taken as it is, if there is one. Never raises."""
        if self.spool is not None:
            with suppress(OSError):  # it is not needed any more
                self.spool.close()

    def new_writer(self) -> _Writer:
        """A writer for the next file in the order of the body. Raises OSError."""
        if self._store is None:
            return _HashingWriter()
        if self.spool is not None:
            return _SpoolWriter(self.spool)
        if self._appending is not None:
            return _AppendingWriter(self._appending)
        if self._upload is None:
            self._upload = self._store.begin()
        return self._upload.new_file()
