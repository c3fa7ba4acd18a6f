"""SHA-256 of what is being sent, computed in a thread, so that sending and hashing overlap."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import TypeAlias

Block: TypeAlias = bytes | bytearray | memoryview

# A block is not used any more after this many further calls of `update`. A ring of buffers needs one more.
MAX_PENDING = 3
# For smaller blocks the thread costs more than the hash (64 KiB take some 40 microseconds).
_BACKGROUND_BYTES = 65536


class Digest:
    """Counts and hashes blocks in order; large ones in a thread that starts with the first of them.

    A context manager: the thread ends with it. `hexdigest` waits for pending blocks.
    """

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._blocks: queue.SimpleQueue[Block | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(MAX_PENDING)
        self._thread: threading.Thread | None = None

    def update(self, block: Block) -> None:
        """Add `block`, whose bytes must not change until MAX_PENDING more have been added."""
        self.size += len(block)
        if self._thread is None:
            if len(block) < _BACKGROUND_BYTES:
                self._hash.update(block)
                return
            self._thread = threading.Thread(target=self._run, daemon=True, name="sha256")
            self._thread.start()
        self._room.acquire()
        self._blocks.put(block)

    def hexdigest(self) -> str:
        """The SHA-256 of all blocks so far, in lower-case hexadecimal."""
        self._finish()
        return self._hash.hexdigest()

    def __enter__(self) -> Digest:
        return self

    def __exit__(self, *error: object) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._hash.update(block)
            self._room.release()
