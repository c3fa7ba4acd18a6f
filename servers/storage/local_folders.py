"""The folders of a local store, their modes and their locks.

    ROOT/files/SHA256            what is stored, one file a content, no sub-folders
    ROOT/staging/PID-RANDOM/N    what one living request has written from its second file on

Several processes and several servers share one ROOT (X23). A request's folder is locked as long as its
upload lives, and a lock ends with its process: so a folder that can be locked is stale (X24).
The file system must be a local one: it needs hard links and flock(2).
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

_REQUEST_FOLDER: Final = re.compile(r"[0-9]+-[0-9a-f]{32}")
_STAGED_FILE: Final = re.compile(r"[0-9]+")
_ATTEMPTS: Final = 8


class Folders:
    """`ROOT`, `ROOT/files` and `ROOT/staging`.

    ROOT itself is made here and never again: one that vanishes later may be a volume that was unmounted, and
    files written to the bare mount point would be lost. The other two are made anew when they are missing.
    """

    def __init__(self, root: Path, *, durable: bool) -> None:
        """Make ROOT if it is missing. Raises OSError when it cannot be made or is no folder."""
        self.root: Final = root.absolute()
        self.files: Final = self.root / "files"
        self.staging: Final = self.root / "staging"
        self.durable: Final = durable
        self._make_root(self.root)
        os.close(self.open_files())

    def open_files(self) -> int:
        """A descriptor of `ROOT/files`. Raises OSError when ROOT is missing, or when `files` is no folder."""
        try:
            return os.open(self.files, OPEN_FOLDER)
        except FileNotFoundError:
            _make_folder(self.files)
            self._sync_folder(self.root)
            return os.open(self.files, OPEN_FOLDER)

    def sync(self, fd: int) -> None:
        """fsync, unless the store is not durable. Raises OSError: then the data are as good as lost (X07)."""
        if self.durable:
            os.fsync(fd)

    def make_request_folder(self) -> "RequestFolder":
        """A new, empty, locked folder below `ROOT/staging`. Raises OSError."""
        for _ in range(_ATTEMPTS):
            path = self.staging / f"{os.getpid()}-{secrets.token_hex(16)}"
            try:
                _make_folder(path)
            except FileNotFoundError:
                _make_folder(self.staging)
                continue
            with _removed_on_failure(path):
                fd = _open_locked(path)
            if fd is not None:
                return RequestFolder(path, fd)
        raise FileNotFoundError(f"no folder can be kept in {self.staging}")

    def clean(self) -> int:
        """Remove the folders of requests whose process died; how many. Raises OSError when ROOT is missing.

        Ours is what has our kind of name and our owner. All else stays, and what a living process holds.
        """
        try:
            names = list_names(self.staging)
        except FileNotFoundError:
            self.root.stat()
            return 0
        return sum(_remove_stale(self.staging / name) for name in names if _REQUEST_FOLDER.fullmatch(name))

    def _make_root(self, path: Path) -> None:
        if path.is_dir():
            return
        self._make_root(path.parent)
        _make_folder(path)
        self._sync_folder(path.parent)

    def _sync_folder(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.sync(fd)
        finally:
            os.close(fd)


class RequestFolder:
    """A folder for the staged files of one request; its descriptor holds the lock."""

    def __init__(self, path: Path, fd: int) -> None:
        """`fd` is an open, locked descriptor of the folder at `path`, and now this object's."""
        self.fd: Final = fd
        self._path: Final = path

    def remove(self) -> bool:
        """Remove the staged files and the folder, then unlock; whether nothing is left. Never raises."""
        try:
            # Only what has a name of ours: a file that somebody else put here keeps the folder alive.
            for name in filter(_STAGED_FILE.fullmatch, list_names(self.fd)):
                os.unlink(name, dir_fd=self.fd)
            self._path.rmdir()
        except OSError:
            return False  # the next clean() finds it
        finally:
            close_quietly(self.fd)
        return True


def list_names(folder: Path | int) -> list[str]:
    """The names in that folder. Raises OSError."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def close_quietly(fd: int) -> None:
    """Close a descriptor whose file is safe, lost or only read: an error is of no interest. Never raises."""
    with suppress(OSError):
        os.close(fd)


def create_unnamed(folder_fd: int) -> int:
    """A file without a name in that folder (O_TMPFILE), open for writing; it dies with its descriptor."""
    return _with_file_mode(os.open(".", os.O_WRONLY | os.O_TMPFILE, FILE_MODE, dir_fd=folder_fd))


def create_named(name: str, folder_fd: int) -> int:
    """A new file of that name in that folder, open for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return _with_file_mode(os.open(name, flags, FILE_MODE, dir_fd=folder_fd))


def _with_file_mode(fd: int) -> int:
    # The umask can only take bits away: H161 holds from the first moment, this gives the owner's bits back.
    try:
        os.fchmod(fd, FILE_MODE)
    except OSError:
        os.close(fd)
        raise
    return fd


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(FOLDER_MODE)
    except FileExistsError:
        return
    with _removed_on_failure(path):
        path.chmod(FOLDER_MODE)  # as above: the umask may have taken the owner's bits


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise


def _open_locked(path: Path) -> int | None:
    """A descriptor of that folder that holds its lock; None when a clean() has it or has removed it."""
    try:
        fd = os.open(path, OPEN_FOLDER)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who cleans removes under the lock: a folder locked after that has lost its name.
        if os.path.samestat(os.fstat(fd), path.lstat()):
            return fd
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _remove_stale(path: Path) -> bool:
    try:
        if path.lstat().st_uid != os.geteuid():
            return False
        fd = _open_locked(path)
    except OSError:
        return False
    return fd is not None and RequestFolder(path, fd).remove()
