"""SHA-256 of a file that is being written, computed beside the writing.

A processor of these years hashes about as fast as it receives and writes. So the bytes of a large piece are
hashed in another thread, while this one writes them and receives the next ones. To hand over a small piece
takes longer than to hash it.
"""

import hashlib
from concurrent.futures import Future
from typing import Final

from .helper_threads import beside

LEAST: Final = 128 * 1024
"""Bytes of the smallest piece that is hashed in another thread."""


class ParallelHash:
    """Add the bytes in their order with `update`; `hexdigest` waits for them. For one thread at a time."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pending: Future[None] | None = None

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add `data`. It may be hashed later if it cannot change: if it is of a `bytes` object."""
        self._wait()
        view = memoryview(data)
        if view.nbytes >= LEAST and isinstance(view.obj, bytes):
            self._pending = beside(self._hash.update, view)
        if self._pending is None:
            self._hash.update(view)

    def hexdigest(self) -> str:
        """The hash of all bytes so far, in 64 hexadecimal digits."""
        self._wait()
        return self._hash.hexdigest()

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()
