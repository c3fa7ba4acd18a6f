"""SHA-256 of a file that is being written, computed beside the writing.

A processor of these years hashes about as fast as it receives and writes. So the bytes of a large piece are
hashed in another thread, while this one writes them and receives the next ones. To hand over a small piece
takes longer than to hash it.
"""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Final

from ..started_pool import started_pool

LEAST: Final = 128 * 1024
"""Bytes of the smallest piece that is hashed in another thread."""

_MOST_THREADS: Final = 4


class ParallelHash:
    """Add the bytes in their order with `update`; `hexdigest` waits for them. For one thread at a time."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pending: Future[None] | None = None

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add `data`. It may be hashed later if it cannot change: if it is of a `bytes` object."""
        self._wait()
        view = memoryview(data)
        if view.nbytes >= LEAST and isinstance(view.obj, bytes) and (pool := _pool(os.getpid())) is not None:
            try:
                self._pending = pool.submit(self._hash.update, view)
            except RuntimeError:  # the interpreter ends
                self._hash.update(view)
        else:
            self._hash.update(view)

    def hexdigest(self) -> str:
        """The hash of all bytes so far, in 64 hexadecimal digits."""
        self._wait()
        return self._hash.hexdigest()

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()


@lru_cache(maxsize=1)
def _pool(_pid: int) -> ThreadPoolExecutor | None:
    """The threads of this process. None if there is one core, or if the system has no more threads."""
    cores = os.cpu_count() or 1
    try:
        return started_pool(min(cores, _MOST_THREADS), "hash") if cores > 1 else None
    except RuntimeError:
        return None
