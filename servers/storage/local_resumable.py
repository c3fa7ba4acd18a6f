"""Uploads that come in pieces, in a local store.

    ROOT/resumable/ID/data      the bytes so far; its size is the offset
    ROOT/resumable/ID/known     what is known of the upload; it is replaced in one step
    ROOT/resumable/ID/writer    a random word of the request that took it over last

Taking over. A request writes its word to `writer`. Before each change it locks the folder and looks whether
the word is still there. The lock is held for one change only, so nobody waits for a client that is slow.

A process that is killed leaves `data` as it is: each byte in it was sent for its place, so it is an offset
that may be told, after an fsync. After a power loss the file has at least the bytes that were fsynced.

The end. All bytes are hashed, `data` is linked to ROOT/files/SHA256 (see `local_publish`), `known` says so,
and the name `data` is removed. If the process is killed on the way, the next one that takes it over ends it:
a `data` with a second name is never written to again.
"""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from errno import EIO
from pathlib import Path
from typing import Final

from .base import StoredFile
from .local_folders import OPEN_FOLDER, Folders, close_quietly, create_named, link, list_names, make_folder
from .local_names import locked
from .local_publish import Publication
from .resumable import ID, Known, ResumableUpload, TakenOver, new_id
from .running_hashes import RunningHashes

_DATA: Final = "data"
_KNOWN: Final = "known"
_NEW_KNOWN: Final = "known.new"
_WRITER: Final = "writer"
_COPY: Final = "copy"
_NAMES: Final = (_DATA, _KNOWN, _NEW_KNOWN, _WRITER, _COPY)
_MOST_KNOWN: Final = 64 * 1024
_BLOCK: Final = 128 * 1024


class LocalResumables:
    """The uploads below `ROOT/resumable`; see `resumable.Resumables`."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._root: Final = folders.root / "resumable"
        self._hashes = RunningHashes()

    def create(self, known: Known) -> "LocalResumable":
        os.close(self._folders.open_files())  # raises OSError if another folder is in its place
        if not self._root.is_dir():
            make_folder(self._root)
            self._folders.sync_folder(self._folders.root)
        upload_id = new_id()
        path = self._root / upload_id
        make_folder(path)
        upload = LocalResumable(self._folders, self._hashes, upload_id, path)
        try:
            upload.begin(known)
            self._folders.sync_folder(self._root)
        except BaseException:
            upload.close()
            raise
        return upload

    def take_over(self, upload_id: str) -> "LocalResumable | None":
        os.close(self._folders.open_files())
        if not ID.fullmatch(upload_id):
            return None
        try:
            upload = LocalResumable(self._folders, self._hashes, upload_id, self._root / upload_id)
        except FileNotFoundError:
            return None
        try:
            if upload.take_over():
                return upload
        except BaseException:
            upload.close()
            raise
        upload.close()
        return None

    def remove_older(self, seconds: float) -> int:
        os.close(self._folders.open_files())
        try:
            names = list_names(self._root)
        except FileNotFoundError:
            return 0
        latest = time.time() - seconds
        return sum(_removed_if_older(self._root / name, latest) for name in names if ID.fullmatch(name))


class LocalResumable(ResumableUpload):
    """One upload; see `resumable.ResumableUpload`. It holds two descriptors."""

    def __init__(self, folders: Folders, hashes: RunningHashes, upload_id: str, path: Path) -> None:
        """Raises FileNotFoundError if the folder `path` is not there. Call `begin` or `take_over` next."""
        self.id = upload_id
        self.known = Known()
        self.offset = 0
        self.touched = time.time()
        self._folders = folders
        self._hashes = hashes
        self._path = path
        self._word: Final = secrets.token_bytes(16)
        self._data_fd = -1
        self._fd = os.open(path, OPEN_FOLDER)

    def begin(self, known: Known) -> None:
        """Make the files of a new upload. Raises OSError."""
        with locked(self._fd, fcntl.LOCK_EX):
            self._data_fd = create_named(_DATA, self._fd)
            self._write_word()
            self._write_known(known)

    def take_over(self) -> bool:
        """Become the only one who may change it. False if it is not there any more. Raises OSError."""
        with locked(self._fd, fcntl.LOCK_EX):
            if not self._is_there():
                return False
            try:
                self.known = Known.of_json(_content(_KNOWN, self._fd))
            except FileNotFoundError:
                return False  # its process was killed when it had just begun
            self._write_word()
            if self.known.stored is not None:
                self.offset = self.known.stored.size
                self.touched = os.stat(_KNOWN, dir_fd=self._fd).st_mtime
                return True
            self._data_fd = os.open(_DATA, os.O_RDWR | os.O_NOFOLLOW, dir_fd=self._fd)
            status = os.fstat(self._data_fd)
            self.offset, self.touched = status.st_size, status.st_mtime
            if status.st_nlink > 1:
                self._finish()
            return True

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        with memoryview(data) as view, view.cast("B") as octets, self._turn():
            if self.known.stored is not None:
                raise RuntimeError("the upload is complete")
            self._folders.room.take(octets.nbytes)
            begin = self.offset
            while self.offset - begin < octets.nbytes:
                self.offset += self._write_some(octets[self.offset - begin :])
            self._folders.start_writing_back(self._data_fd, begin, octets.nbytes)
            self._hashes.add(self.id, begin, octets)
            self.touched = time.time()

    def _write_some(self, octets: memoryview) -> int:
        return self._folders.room.write(lambda: os.pwrite(self._data_fd, octets, self.offset))

    def sync(self) -> None:
        # Without a lock: what was appended stays, whoever has taken the upload over meanwhile.
        self._require_open()
        if self._data_fd >= 0:
            self._folders.sync(self._data_fd)

    def set_length(self, length: int) -> None:
        with self._turn():
            self._write_known(replace(self.known, length=length))

    def finish(self) -> StoredFile:
        with self._turn():
            return self._finish()

    def remove(self) -> None:
        with self._turn():
            self._hashes.forget(self.id)
            _remove_names(self._path, self._fd)

    def close(self) -> None:
        for fd in (self._data_fd, self._fd):
            if fd >= 0:
                close_quietly(fd)
        self._data_fd = self._fd = -1

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else changes the upload within this context. Raises TakenOver."""
        self._require_open()
        with locked(self._fd, fcntl.LOCK_EX):
            try:
                word = _content(_WRITER, self._fd)
            except FileNotFoundError:
                raise TakenOver from None
            if word != self._word:
                raise TakenOver
            yield

    def _require_open(self) -> None:
        if self._fd < 0:
            raise RuntimeError("the upload is closed")

    def _is_there(self) -> bool:
        # Another process may have removed the folder before this one had the lock.
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.lstat())
        except FileNotFoundError:
            return False

    def _finish(self) -> StoredFile:
        if self.known.stored is not None:
            return self.known.stored
        whole = _Whole(self._folders, self._fd, self._data_fd, StoredFile(self._sha256(), self.offset))
        files_fd = self._folders.open_files()
        try:
            self._publish(whole, Publication(self._folders, files_fd))
        finally:
            close_quietly(files_fd)
        self._hashes.forget(self.id)
        with suppress(OSError):  # it is removed with the folder
            os.unlink(_DATA, dir_fd=self._fd)
        return whole.stored

    def _publish(self, whole: "_Whole", publication: Publication) -> None:
        before = self.known
        try:
            publication.publish([whole])
            self._write_known(replace(before, length=self.offset, stored=whole.stored))
        except BaseException:
            # What is known must not name a file that is taken back.
            with suppress(OSError):
                if _content(_KNOWN, self._fd) != before.as_json():
                    self._write_known(before)
                publication.take_back()
            self.known = before
            raise

    def _sha256(self) -> str:
        """The hash of all bytes. Those that this process has not hashed while they came are read."""
        at, running = self._hashes.take(self.id)
        while at < self.offset:
            block = os.pread(self._data_fd, min(_BLOCK, self.offset - at), at)
            if not block:
                raise OSError(EIO, "an upload became shorter")
            running.update(block)
            at += len(block)
        return running.hexdigest()

    def _write_word(self) -> None:
        # Not synced: after a crash no request is left that could write.
        fd = os.open(_WRITER, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=self._fd)
        try:
            os.write(fd, self._word)
        finally:
            os.close(fd)

    def _write_known(self, known: Known) -> None:
        with suppress(FileNotFoundError):  # of a process that was killed
            os.unlink(_NEW_KNOWN, dir_fd=self._fd)
        fd = create_named(_NEW_KNOWN, self._fd)
        try:
            os.write(fd, known.as_json())
            self._folders.sync(fd)
        finally:
            os.close(fd)
        os.replace(_NEW_KNOWN, _KNOWN, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        self._folders.sync(self._fd)
        self.known = known


class _Whole:
    """All bytes of an upload, on their way to a public name; see `local_publish.Unpublished`."""

    def __init__(self, folders: Folders, folder_fd: int, data_fd: int, stored: StoredFile) -> None:
        self.stored: Final = stored
        self._folders = folders
        self._folder_fd = folder_fd
        self._data_fd = data_fd

    def sync(self) -> os.stat_result:
        return self._folders.sync_new(self._data_fd)

    def link(self, files_fd: int) -> None:
        link(_DATA, self.stored.sha256, src_dir_fd=self._folder_fd, dst_dir_fd=files_fd)

    def replace(self, files_fd: int) -> None:
        # `data` keeps its name until `known` says that the file is stored.
        with suppress(FileNotFoundError):
            os.unlink(_COPY, dir_fd=self._folder_fd)
        link(_DATA, _COPY, src_dir_fd=self._folder_fd, dst_dir_fd=self._folder_fd)
        os.replace(_COPY, self.stored.sha256, src_dir_fd=self._folder_fd, dst_dir_fd=files_fd)


def _content(name: str, folder_fd: int) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder_fd)
    try:
        return os.read(fd, _MOST_KNOWN)
    finally:
        os.close(fd)


def _removed_if_older(path: Path, latest: float) -> bool:
    try:
        fd = os.open(path, OPEN_FOLDER)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_uid != os.geteuid() or _touched(fd) >= latest:
            return False
        _remove_names(path, fd)
    except OSError:
        return False  # somebody uses it at this moment, or it is tried again
    finally:
        close_quietly(fd)
    return True


def _touched(folder_fd: int) -> float:
    """When a byte or what is known was written last. Taking an upload over does not make it younger."""
    times = []
    for name in (_DATA, _KNOWN):
        with suppress(FileNotFoundError):
            times.append(os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mtime)
    return max(times, default=os.fstat(folder_fd)[stat.ST_MTIME])


def _remove_names(path: Path, folder_fd: int) -> None:
    """Remove only names that we give: with any other file in it, the folder stays."""
    for name in _NAMES:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder_fd)
    path.rmdir()
