"""The marker of a local store: the file `ROOT/wireproof-store`, which holds a random identity.

The first start writes it. While a server runs, another folder may take the place of the store: the bare mount
point when its volume is unmounted, or another volume. What is written there is missing when the right volume
comes back. Such a folder has no marker, or one with another identity. It may also be a copy of the store with
the same identity, so the device and the inode of `ROOT/files` are compared too.
"""

import os
import re
import secrets
import time
from errno import EINVAL, ENOENT, ESTALE
from pathlib import Path
from typing import Final

MARKER: Final = "wireproof-store"

_LINE: Final = re.compile(rb"[0-9a-f]{32}\n")
# Reading the marker for each upload would cost a small upload a few per cent of its time.
_TRUST_SECONDS = 0.1


class KnownStore:
    """The store that was there at the start, by which another one is recognized."""

    def __init__(self, files_fd: int) -> None:
        """`files_fd` is an open descriptor of `ROOT/files`. Raises OSError if ROOT has no valid marker."""
        self._folder = _device_and_inode(files_fd)
        self._line = _read(files_fd)
        self._read_again = 0.0  # on the monotonic clock
        if not _LINE.fullmatch(self._line):
            raise OSError(EINVAL, f"its file {MARKER} is damaged: delete it, and a start writes a new one")

    def check(self, files_fd: int) -> None:
        """Raise OSError if this descriptor of `ROOT/files` does not belong to the store of the start."""
        now = time.monotonic()
        same = _device_and_inode(files_fd) == self._folder
        if same and now >= self._read_again:
            same = _read(files_fd) == self._line
            self._read_again = now + _TRUST_SECONDS if same else 0.0
        if not same:
            raise OSError(ESTALE, f"another folder is in its place, or its file {MARKER} has changed")


def new_line() -> bytes:
    """The content of the marker of a new store."""
    return secrets.token_hex(16).encode("ascii") + b"\n"


def require_marker(root: Path) -> None:
    """Raise OSError if the folder has no marker."""
    try:
        (root / MARKER).lstat()
    except FileNotFoundError:
        advice = "is its volume mounted? A start without --existing-store makes a new store"
        raise FileNotFoundError(ENOENT, f"its file {MARKER} is missing ({advice})") from None


def _device_and_inode(files_fd: int) -> tuple[int, int]:
    status = os.fstat(files_fd)
    return status.st_dev, status.st_ino


def _read(files_fd: int) -> bytes:
    # The marker beside exactly this folder, whatever ROOT leads to by now.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(f"../{MARKER}", flags, dir_fd=files_fd)
    except FileNotFoundError:
        return b""
    try:
        return os.read(fd, 64)
    finally:
        os.close(fd)
