"""The SHA-256 of uploads that come in pieces, as far as one process has computed it."""

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

_MOST: Final = 1024


class RunningHashes:
    """Hashes the pieces while they come, as long as this process gets all of them, from the first byte on.

    Where it missed a piece, it stops there: who needs the whole hash reads the rest. It remembers the 1,024
    uploads that were used last. Any thread may use it, for one upload one at a time.
    """

    def __init__(self) -> None:
        self._running: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, upload_id: str, offset: int, data: memoryview) -> None:
        """The bytes at `offset`, in bytes from the begin of the upload."""
        at, running = self.take(upload_id)
        if at == offset:
            running.update(data)
            at += data.nbytes
        with self._lock:
            self._running[upload_id] = at, running
            if len(self._running) > _MOST:
                self._running.popitem(last=False)

    def take(self, upload_id: str) -> "tuple[int, _Hash]":
        """How many bytes are hashed, and their hash, which is forgotten here."""
        with self._lock:
            return self._running.pop(upload_id, None) or (0, hashlib.sha256())

    def forget(self, upload_id: str) -> None:
        """The upload is complete or removed."""
        with self._lock:
            self._running.pop(upload_id, None)
