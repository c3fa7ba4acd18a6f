"""How much of a file system must stay free (`--min-free`), and large files that are given back to it."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from errno import EIO, ENOSPC
from pathlib import Path
from typing import Final

_TRUST_SECONDS = 1.0
# A file system frees about 1 MiB in 0.2 ms, and a thread starts in less.
_LARGE = 16 * 1024 * 1024


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
        self._closing: set[threading.Thread] = set()
        self._closing_lock = threading.Lock()

    def require(self, size: int) -> None:
        """Raise OSError if there is no room for `size` more bytes, or if the file system does not say."""
        self._less(size, taken=0)

    def take(self, size: int) -> None:
        """Do what `require` does, and count these bytes as written."""
        self._less(size, taken=size)

    def ask_again(self) -> None:
        """Forget what the file system said: bytes were given back, or not written after all."""
        self._ask_again = 0.0

    def give_back(self, fd: int, size: int) -> None:
        """Close a file without a name, of `size` bytes. Never raises.

        A large one is closed in a thread of its own: nobody waits until its blocks are free, but who would be
        refused for want of them.
        """
        if size >= _LARGE:
            thread = threading.Thread(target=self._close, args=(fd,), name="closing")
            with suppress(RuntimeError), self._closing_lock:  # the system may have no more threads
                thread.start()
                self._closing.add(thread)
                return
        with suppress(OSError):
            os.close(fd)

    def write(self, write: Callable[[], int]) -> int:
        """How many bytes `write` wrote: it is called again if there is no space until files are closed.

        Raises its OSError, and one if it wrote nothing.
        """
        try:
            count = write()
        except OSError as error:
            if error.errno != ENOSPC or not self.wait_for_closing():
                raise
            count = write()
        if count == 0:
            raise OSError(EIO, "the file takes no more bytes")
        return count

    def wait_for_closing(self) -> bool:
        """Wait until all that was given back is free. Returns whether there was anything to wait for."""
        with self._closing_lock:
            closing = list(self._closing)
        for thread in closing:
            thread.join()
        return bool(closing)

    def _close(self, fd: int) -> None:
        with suppress(OSError):
            os.close(fd)
        self.ask_again()
        with self._closing_lock:
            self._closing.discard(threading.current_thread())

    def _less(self, size: int, *, taken: int) -> None:
        if not self.least:
            return
        with self._lock:
            if not self._has(size):
                self.wait_for_closing()
            if not self._has(size):
                raise OSError(ENOSPC, f"fewer than {self.least} bytes would stay free")
            self._free -= taken

    def _has(self, size: int) -> bool:
        now = time.monotonic()
        if now >= self._ask_again:
            status = os.statvfs(self._folder)
            self._free = status.f_bavail * status.f_frsize
            self._ask_again = now + _TRUST_SECONDS
        return self._free - size >= self.least
