"""The body of a request that is taken as it is: in memory while it is small, then in a file without a name.

Nothing of it is left when it is closed, or when its process is killed: the file never had a name.
"""

import hashlib
import os
from collections.abc import Callable
from typing import BinaryIO

from ..storage.base import ReadableFile, StoredFile

IN_MEMORY = 256 * 1024
"""So many bytes of a body are kept in memory; a larger body goes to a file."""


class Spool(ReadableFile):
    """Write the body piece by piece, call `finish`, then read it. Several threads may read at a time.

    `new_file` opens a file without a name. It is called for a body of more than `IN_MEMORY` bytes.
    """

    def __init__(self, new_file: Callable[[], BinaryIO]) -> None:
        self.size = 0
        self._new_file = new_file
        self._held = bytearray()
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()

    @property
    def on_disk(self) -> bool:
        """Whether it has a file, so that closing it may wait for the disk."""
        return self._file is not None

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`. The buffer may be reused afterwards. Raises OSError."""
        self._hash.update(data)
        self.size += len(data)
        if self._file is None and self.size <= IN_MEMORY:
            self._held += data
            return
        if self._file is None:
            self._file = self._new_file()
            _write_all(self._file, self._held)
            self._held = bytearray()
        _write_all(self._file, data)

    def finish(self) -> StoredFile:
        """The hash and the size of what was written. May be called again."""
        return StoredFile(self._hash.hexdigest(), self.size)

    def read(self, offset: int, length: int, /) -> bytes:
        """`length` bytes from `offset`; fewer only at the end. Raises OSError."""
        if self._file is None:
            return bytes(self._held[offset : offset + length])
        return os.pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        """Forget the body. May be called twice."""
        file, self._file = self._file, None
        self._held = bytearray()
        if file is not None:
            file.close()


def _write_all(file: BinaryIO, data: bytes | bytearray | memoryview) -> None:
    """The file has no buffer of its own, so a call may write a part only."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
