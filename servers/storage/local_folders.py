"""The folders of a local store, their modes and their locks.

    ROOT/wireproof-store         the marker of the store (see `local_marker`)
    ROOT/files/SHA256            the stored files
    ROOT/staging/PID-RANDOM/N    the files of one request, from its second file on, until they are published
    ROOT/resumable/ID/...        an upload that comes in pieces (see `local_resumable`)

ROOT, the marker and `files` are made at the start of a server and never while it runs: then a missing one
means that the store is gone. `staging` is made again when it is missing.

Several processes and servers may share one ROOT (X23). Each request holds a lock on its folder below
`staging`. The system releases the lock when the process ends. So a folder that can be locked belongs to no
living request, and `clean` removes it (X24). ROOT must be on a local file system: it needs hard links and
flock(2).
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOENT, ENOSYS, EOPNOTSUPP, EPERM, EXDEV
from pathlib import Path
from typing import Final

from . import local_whole
from .local_marker import MARKER, KnownStore, new_line, require_marker
from .room import Room

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

_REQUEST_FOLDER: Final = re.compile(r"[0-9]+-[0-9a-f]{32}")
_STAGED_FILE: Final = re.compile(r"[0-9]+")
_ATTEMPTS: Final = 8
_NO_LINKS: Final = "its file system has no hard links"
# What link(2) means by these errors. The words of the system would not help the reader.
_LINK_ERRORS: Final = {
    EPERM: _NO_LINKS,
    EOPNOTSUPP: _NO_LINKS,
    ENOSYS: _NO_LINKS,
    EXDEV: "its folders files and staging are not in the same file system",
}


class Folders:
    """`ROOT`, `ROOT/files` and `ROOT/staging` of the store that was there at the start."""

    def __init__(
        self, root: Path, *, durable: bool, existing: bool = False, min_free: int = 0, expire: int = 0
    ) -> None:
        """Make what is missing of ROOT, `files` and the marker, and remember them.

        `min_free` is in bytes, `expire` in days. With `existing`, nothing is made. Raises OSError if that
        fails, or if something is missing.
        """
        self.root: Final = root.absolute()
        self.files: Final = self.root / "files"
        self.staging: Final = self.root / "staging"
        self.durable: Final = durable
        self.room: Final = Room(self.files, min_free)
        self.expire: Final = expire
        if existing:
            require_marker(self.root)
        else:
            self._make_root(self.root)
            make_folder(self.files)
            self._write_marker()
        # Also if all was there: another server may have made it this moment and may not have synced it.
        self.sync_folder(self.root)
        with _opened(self.files) as files_fd:
            self._known: Final = KnownStore(files_fd)

    def open_files(self) -> int:
        """Open `ROOT/files`. Raises OSError if the store is missing or if another one is in its place."""
        try:
            fd = os.open(self.files, OPEN_FOLDER)
        except FileNotFoundError:
            raise FileNotFoundError(ENOENT, "its folder is missing; is its volume mounted?") from None
        try:
            self._known.check(fd)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def sync(self, fd: int) -> None:
        """fsync the file if the store is durable. After an OSError the data may be lost (X07)."""
        if self.durable:
            os.fsync(fd)

    def start_writing_back(self, fd: int, offset: int, size: int) -> None:
        """Let the disk begin with these bytes, so that `sync` has less to wait for. Never raises.

        Linux does so for POSIX_FADV_DONTNEED. What fails then is reported by `sync`.
        """
        if self.durable:
            with suppress(OSError, AttributeError):
                os.posix_fadvise(fd, offset, size, os.POSIX_FADV_DONTNEED)

    def sync_new(self, fd: int) -> os.stat_result:
        """`sync` a file that gets its name now, and note that it is whole. Returns its status.

        Its age counts from now on, however long the upload took.
        """
        status = os.fstat(fd)
        is_large = status.st_size >= local_whole.LEAST
        if is_large or self.expire:
            local_whole.set_time(fd)
            status = os.fstat(fd)
        self.sync(fd)
        if is_large:
            local_whole.note(fd, durable=self.durable)
        return status

    def make_request_folder(self) -> "RequestFolder":
        """Create an empty folder below `ROOT/staging` and lock it. Raises OSError."""
        for _ in range(_ATTEMPTS):
            path = self.staging / f"{os.getpid()}-{secrets.token_hex(16)}"
            try:
                make_folder(path)
            except FileNotFoundError:
                make_folder(self.staging)
                continue
            with _removed_on_failure(path):
                fd = _open_locked(path)
            if fd is not None:
                return RequestFolder(path, fd)
        raise FileNotFoundError(f"every new folder in {self.staging} is removed by another process")

    def clean(self) -> int:
        """Remove the folders of requests whose process has ended. Returns how many.

        Only folders with the name of a request folder and with our user as owner are removed, and only if
        their lock is free. Raises OSError if the store is missing or if another one is in its place.
        """
        os.close(self.open_files())
        try:
            names = list_names(self.staging)
        except FileNotFoundError:
            return 0
        return sum(_remove_stale(self.staging / name) for name in names if _REQUEST_FOLDER.fullmatch(name))

    def _make_root(self, path: Path) -> None:
        if path.is_dir():
            return
        self._make_root(path.parent)
        make_folder(path)
        self.sync_folder(path.parent)

    def _write_marker(self) -> None:
        """Write the marker if there is none. Of servers that start at the same time, one writes it."""
        marker = self.root / MARKER
        if os.path.lexists(marker):
            return
        folder = self.make_request_folder()
        try:
            fd = create_named("0", folder.fd)
            try:
                os.write(fd, new_line())
                self.sync(fd)
            finally:
                os.close(fd)
            with suppress(FileExistsError):
                link("0", str(marker), src_dir_fd=folder.fd)
        finally:
            folder.remove()

    def sync_folder(self, path: Path) -> None:
        """`sync` this folder: the names in it are durable then. Raises OSError."""
        with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as fd:
            self.sync(fd)


class RequestFolder:
    """The folder for the staged files of one request. Its descriptor holds the lock."""

    def __init__(self, path: Path, fd: int) -> None:
        """Takes over `fd`, an open and locked descriptor of the folder `path`."""
        self.fd: Final = fd
        self._path: Final = path

    def remove(self) -> bool:
        """Remove the staged files and the folder, then unlock. False if something is left. Never raises."""
        try:
            # Remove only names that we give: with any other file in it, the folder stays.
            for name in filter(_STAGED_FILE.fullmatch, list_names(self.fd)):
                os.unlink(name, dir_fd=self.fd)
            self._path.rmdir()
        except OSError:
            return False  # the next clean() tries again
        finally:
            close_quietly(self.fd)
        return True


def list_names(folder: Path | int) -> list[str]:
    """The names in `folder`. Raises OSError."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def close_quietly(fd: int) -> None:
    """Close a descriptor where an error does not matter, because no unsaved data depend on it."""
    with suppress(OSError):
        os.close(fd)


def create_unnamed(folder_fd: int) -> int:
    """Create a file without a name (O_TMPFILE) for writing. It is gone when its descriptor is closed."""
    return _with_file_mode(os.open(".", os.O_WRONLY | os.O_TMPFILE, FILE_MODE, dir_fd=folder_fd))


def create_named(name: str, folder_fd: int) -> int:
    """Create the file `name` in the folder for writing. Raises FileExistsError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return _with_file_mode(os.open(name, flags, FILE_MODE, dir_fd=folder_fd))


def link(
    source: str,
    name: str,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
    follow_symlinks: bool = False,
) -> None:
    """os.link(), with an OSError that says what the file system lacks. Raises FileExistsError."""
    try:
        os.link(source, name, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)
    except OSError as error:
        if error.errno in _LINK_ERRORS:
            raise OSError(error.errno, _LINK_ERRORS[error.errno]) from error
        raise


def _with_file_mode(fd: int) -> int:
    # A umask only removes bits, so the file is private from the start (H161). This restores the owner's bits.
    try:
        os.fchmod(fd, FILE_MODE)
    except OSError:
        os.close(fd)
        raise
    return fd


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may use, if it is missing. Raises OSError."""
    try:
        path.mkdir(FOLDER_MODE)
    except FileExistsError:
        return
    with _removed_on_failure(path):
        path.chmod(FOLDER_MODE)  # as above: restores bits that the umask removed


@contextmanager
def _opened(folder: Path, flags: int = OPEN_FOLDER) -> Iterator[int]:
    fd = os.open(folder, flags)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise


def _open_locked(path: Path) -> int | None:
    """Open a folder and lock it. None if another process holds the lock or has removed the folder."""
    try:
        fd = os.open(path, OPEN_FOLDER)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # clean() removes folders while it holds their lock: the folder we have locked may be gone by now.
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
