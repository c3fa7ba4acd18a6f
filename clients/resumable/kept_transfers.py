"""What is kept of transfers that have not ended, so that another process can go on with them.

Each transfer has a small file in `$XDG_STATE_HOME/wireproof/transfers`, by default below `~/.local/state`
(XDG Base Directory Specification). Its name is a hash of what makes the transfer the same one: the file with
its size and time, and the URL. The file has the mode 0600, since whoever knows the URL of an upload may write
to it. It is removed when the transfer has ended, or after 30 days, when a server has forgotten the upload.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..http1.errors import UsageError

_KEPT_SECONDS = 30 * 24 * 3600.0


def state_folder() -> Path:
    """Where unfinished transfers are kept."""
    home = os.environ.get("XDG_STATE_HOME", "")
    # "All paths set in these environment variables must be absolute": others are ignored.
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "wireproof" / "transfers"


class KeptTransfer:
    """The kept `value` of one transfer, a text, or None. Nothing is kept without a file."""

    def __init__(self, file: IO[str] | None, path: Path) -> None:
        self._file = file
        self._path = path
        self.value = _read(file) if file else None

    @property
    def is_kept(self) -> bool:
        """Whether another process can go on."""
        return self._file is not None

    def keep(self, value: str) -> None:
        """Replace the value."""
        self.value = value
        self._write(json.dumps({"schema": 1, "value": value}) + "\n")

    def forget(self) -> None:
        """The transfer has ended, or it begins anew."""
        self.value = None
        self._write("")

    def remove_if_empty(self) -> None:
        """Leave no file for a transfer that has ended."""
        if self._file and self.value is None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _write(self, text: str) -> None:
        if self._file is None:
            return
        try:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(text)
            self._file.flush()
        except OSError:  # the disk is full: this process can go on without it
            self._file = None


@contextmanager
def kept_transfer(*key: object, folder: Path | None = None) -> Iterator[KeptTransfer]:
    """What is kept of the transfer `key`, which belongs to this process until the end of the block.

    Where the folder cannot be written, nothing is kept. Raises UsageError when another process has it.
    """
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
    path = (folder or state_folder()) / f"{name}.json"
    file = _open(path)
    if file is None:
        yield KeptTransfer(None, path)
        return
    with file:
        kept = KeptTransfer(file, path)
        try:
            yield kept
        finally:
            kept.remove_if_empty()


def remove_old(folder: Path | None = None) -> None:
    """Remove what was kept more than 30 days ago."""
    with contextlib.suppress(OSError):
        for path in (folder or state_folder()).glob("*.json"):
            if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink()


def _open(path: Path) -> IO[str] | None:
    """The locked file, or None where it cannot be made."""
    while True:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return file
        except BlockingIOError:
            file.close()
            raise UsageError("another process transfers the same file now") from None
        except OSError:  # a file system without locks
            return file
        file.close()  # the process that had it has removed it since


def _read(file: IO[str]) -> str | None:
    try:
        kept = json.loads(file.read())
        value = kept["value"] if kept["schema"] == 1 else None
    except (ValueError, LookupError, TypeError, OSError):
        return None  # empty, or cut off by a full disk: the transfer begins anew
    return value if isinstance(value, str) else None
