"""How much of a file system must stay free (`--min-free`)."""

import os
import threading
import time
from errno import ENOSPC
from pathlib import Path
from typing import Final

_TRUST_SECONDS = 1.0


class Room:
    """Refuses bytes after which fewer than `least` would be free for users other than root.

    The file system is asked at most once a second. What this process writes meanwhile is counted. With
    `least` 0 nothing is asked and nothing refused. Any thread may use it; it may wait for the disk.
    """

    def __init__(self, folder: Path, least: int) -> None:
        self.least: Final = least
        self._folder = folder
        self._lock = threading.Lock()
        self._free = 0
        self._ask_again = 0.0  # on the monotonic clock

    def require(self, size: int) -> None:
        """Raise OSError if there is no room for `size` more bytes, or if the file system does not say."""
        self._less(size, taken=0)

    def take(self, size: int) -> None:
        """Do what `require` does, and count these bytes as written."""
        self._less(size, taken=size)

    def ask_again(self) -> None:
        """Forget what the file system said: bytes were given back, or not written after all."""
        self._ask_again = 0.0

    def _less(self, size: int, *, taken: int) -> None:
        if not self.least:
            return
        with self._lock:
            now = time.monotonic()
            if now >= self._ask_again:
                status = os.statvfs(self._folder)
                self._free = status.f_bavail * status.f_frsize
                self._ask_again = now + _TRUST_SECONDS
            if self._free - size < self.least:
                raise OSError(ENOSPC, f"fewer than {self.least} bytes would stay free")
            self._free -= taken
