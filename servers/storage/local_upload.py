"""The files of one request, from the first byte until they are published.

`LocalUpload` and the `LocalWriter` of its current file are in one of these states:

    state        call                                 next state
    idle         new_file                             writing
                 publish                              published; aborted if it raises OSError
    writing      close or discard of the file         idle
                 write or close that raises OSError   broken
    broken       discard, abort                       broken, aborted
    published    abort                                published
    aborted      abort                                aborted

`abort`, and leaving the context, are allowed in every state. All other calls raise RuntimeError. A closed
file may be discarded until the upload ends.

Where the bytes are:

    file          while it is written             closed                       published
    the first     no name, in ROOT/files          the descriptor stays open    linked to ROOT/files/SHA256
    the others    ROOT/staging/PID-RANDOM/N       the descriptor is closed     linked, staged name removed

A file without a name (O_TMPFILE) is the cheap way: no folder, no name to remove, and nothing is left after a
crash. But its descriptor must stay open until it is linked. To bound the descriptors of a request, only one
closed file may be unnamed, and the others are staged (H071). On a file system without O_TMPFILE all are.

An upload that is aborted closes its descriptors and removes its folder. After a crash, the unnamed file is
gone, and the staged ones are removed by the next `clean`. Files that were linked but never acknowledged are
complete, and a later upload of the same content adopts them.
"""

import os
import secrets
from contextlib import suppress
from errno import EISDIR, EOPNOTSUPP
from typing import Final

from .base import StoredFile, Upload
from .local_folders import Folders, RequestFolder, close_quietly, create_named, create_unnamed, link
from .local_publish import Publication
from .parallel_hash import ParallelHash

# So many bytes are handed to the disk at once while a file is received, not all of them at its end.
_WRITE_BACK: Final = 8 * 1024 * 1024
# The errors of open(2) if the file system or the kernel does not support O_TMPFILE.
_NO_UNNAMED_FILES: Final = (EOPNOTSUPP, EISDIR)


class LocalUpload(Upload):
    """The files of one request; see `base.Upload`.

    Holds at most four descriptors (H071): `ROOT/files`, the file without a name, the folder of the request,
    and the file that is being written.
    """

    def __init__(self, folders: Folders, *, unnamed: bool) -> None:
        """`unnamed`: whether a file without a name can be linked (this needs /proc)."""
        self.room: Final = folders.room
        self._folders = folders
        self._unnamed = unnamed
        self._files_fd = -1
        self._request_folder: RequestFolder | None = None
        self._writing: LocalWriter | None = None
        self._closed: list[LocalWriter] = []
        self._begun = 0
        self._publication: Publication | None = None
        self._refusal: str | None = None

    def new_file(self) -> "LocalWriter":
        """Begin the next file. Raises OSError if it cannot be created."""
        self._require_idle()
        if self._files_fd < 0:
            self._files_fd = self._folders.open_files()
        self._begun += 1
        self._writing = self._create_unnamed() or self._create_staged()
        return self._writing

    def publish(self) -> None:
        """Make every closed file durable and visible under its hash; see `local_publish` for the order (X01).

        If it raises OSError, the upload has been aborted.
        """
        self._require_idle()
        try:
            if self._closed:
                # Files with the same content are published once.
                files = {file.stored.sha256: file for file in self._closed}
                self._publication = Publication(self._folders, self._files_fd)
                self._publication.publish(list(files.values()))
                self._publication = None
        finally:
            self.abort()
        self._refusal = "it is published"

    def try_publish(self) -> None:
        """Do what `publish` does, with names that are removed at once; then abort. Raises OSError."""
        self._require_idle()
        try:
            for file in self._closed:
                file.sync()
                file.link_briefly(self._files_fd)
            self._folders.sync(self._files_fd)
        finally:
            self.abort()

    def abort(self) -> None:
        """Undo everything that is not published. Never raises."""
        if self._publication is not None:
            self._publication.take_back()
            self._publication = None
        for file in (self._writing, *self._closed):
            if file is not None:
                file.forget()
        self._writing = None
        self._closed.clear()
        if self._request_folder is not None:
            self._request_folder.remove()
            self._request_folder = None
        self._folders.room.ask_again()
        if self._files_fd >= 0:
            close_quietly(self._files_fd)
            self._files_fd = -1
        self._refusal = self._refusal or "it is aborted"

    def request_folder(self) -> RequestFolder:
        """The folder for the staged files of this request, created by the first call."""
        if self._request_folder is None:
            self._request_folder = self._folders.make_request_folder()
        return self._request_folder

    def sync(self, fd: int) -> os.stat_result:
        """fsync a file of this upload if the store is durable. Returns its status."""
        return self._folders.sync_new(fd)

    def start_writing_back(self, fd: int, offset: int, size: int) -> None:
        """Let the disk begin with these bytes of a file if the store is durable."""
        self._folders.start_writing_back(fd, offset, size)

    def mark_broken(self) -> None:
        """Note that a file has lost bytes, so that the upload can only be aborted (X07)."""
        self._refusal = self._refusal or "a file could not be written"

    def file_ended(self, file: "LocalWriter", *, complete: bool) -> None:
        """Note that `file` was closed (`complete`) or discarded."""
        if self._writing is file:
            self._writing = None
        if complete:
            self._closed.append(file)
        elif file in self._closed:
            self._closed.remove(file)

    def _require_idle(self) -> None:
        if self._refusal is not None:
            raise RuntimeError(f"this upload accepts no more calls: {self._refusal}")
        if self._writing is not None:
            raise RuntimeError("the previous file is neither closed nor discarded")

    def _create_unnamed(self) -> "LocalWriter | None":
        if not self._unnamed or any(file.name is None for file in self._closed):
            return None
        try:
            return LocalWriter(self, create_unnamed(self._files_fd), None)
        except OSError as error:
            if error.errno not in _NO_UNNAMED_FILES:
                raise
            self._unnamed = False
            return None

    def _create_staged(self) -> "LocalWriter":
        name = str(self._begun)
        return LocalWriter(self, create_named(name, self.request_folder().fd), name)


class LocalWriter:
    """One file; see `base.FileWriter`."""

    def __init__(self, upload: LocalUpload, fd: int, name: str | None) -> None:
        """Takes over `fd`. `name` is the name in the folder of the request, None for a file without one."""
        self.name: Final = name
        self._upload = upload
        self._fd = fd
        self._hash = ParallelHash()
        self._size = 0
        self._at_disk = 0  # so many of these bytes the disk was told to write
        self._stored: StoredFile | None = None
        self._gone = False

    @property
    def stored(self) -> StoredFile:
        """The hash and size of the closed file."""
        if self._stored is None:
            raise RuntimeError("the file is not closed")
        return self._stored

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data` without copying it. After an OSError the upload can only be aborted."""
        self._require_open()
        with memoryview(data) as view, view.cast("B") as octets:
            self._hash.update(data)
            try:
                self._upload.room.take(octets.nbytes)
                self._write_all(octets)
            except OSError:
                self._upload.mark_broken()
                raise
            self._size += octets.nbytes
        if (new := self._size - self._at_disk) >= _WRITE_BACK:
            self._upload.start_writing_back(self._fd, self._at_disk, new)
            self._at_disk = self._size

    def close(self) -> StoredFile:
        """End the file and return its hash and size. Raises OSError as `write` does."""
        if self._stored is not None:
            return self._stored
        self._require_open()
        if self.name is not None:
            try:
                os.close(self._take_fd())
            except OSError:
                self._upload.mark_broken()
                raise
        self._stored = StoredFile(self._hash.hexdigest(), self._size)
        self._upload.file_ended(self, complete=True)
        return self._stored

    def discard(self) -> None:
        """Remove the file from the upload, closed or not. Does nothing after the end of the upload."""
        if self._gone:
            return
        self.forget()
        if self.name is not None:
            with suppress(OSError):  # if it stays, it is removed with the folder
                os.unlink(self.name, dir_fd=self._upload.request_folder().fd)
        self._upload.file_ended(self, complete=False)

    def forget(self) -> None:
        """Close the descriptor; the file takes no more calls. Never raises."""
        self._gone = True
        if (fd := self._take_fd()) >= 0:
            self._upload.room.give_back(fd, 0 if self.name else self._size)

    def sync(self) -> os.stat_result:
        """Make the bytes durable and return the status of the file. Raises OSError."""
        if self.name is None:
            return self._upload.sync(self._fd)
        # fsync on this new descriptor also reports write errors of the kernel since the file was closed.
        fd = os.open(self.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._upload.request_folder().fd)
        try:
            return self._upload.sync(fd)
        finally:
            os.close(fd)

    def link(self, files_fd: int) -> None:
        """Link the file to its hash without overwriting. Raises FileExistsError, OSError."""
        self._link(self.stored.sha256, files_fd)
        if self.name is not None:
            with suppress(OSError):  # as in discard()
                os.unlink(self.name, dir_fd=self._upload.request_folder().fd)

    def link_briefly(self, files_fd: int) -> None:
        """Link the file to a name that is no hash, and remove the name. Raises OSError."""
        name = f"probe-{secrets.token_hex(16)}"
        self._link(name, files_fd)
        os.unlink(name, dir_fd=files_fd)

    def replace(self, files_fd: int) -> None:
        """Replace a damaged file by this one in one step. Raises OSError."""
        folder_fd = self._upload.request_folder().fd
        name = self.name
        if name is None:
            name = "0"  # staged files count from 1
            self._link(name, folder_fd)
        os.replace(name, self.stored.sha256, src_dir_fd=folder_fd, dst_dir_fd=files_fd)

    def _require_open(self) -> None:
        if self._gone or self._stored is not None:
            raise RuntimeError("the file is closed or discarded")

    def _link(self, name: str, folder_fd: int) -> None:
        if self.name is not None:
            source_fd = self._upload.request_folder().fd
            link(self.name, name, src_dir_fd=source_fd, dst_dir_fd=folder_fd)
            return
        # open(2) names this way to link an unnamed file. os.link() follows the link only with a dir_fd.
        link(f"/proc/self/fd/{self._fd}", name, dst_dir_fd=folder_fd, follow_symlinks=True)

    def _write_all(self, octets: memoryview) -> None:
        written = 0
        while written < octets.nbytes:
            written += self._write_some(octets[written:])

    def _write_some(self, octets: memoryview) -> int:
        return self._upload.room.write(lambda: os.write(self._fd, octets))

    def _take_fd(self) -> int:
        """The descriptor, once; the caller closes it."""
        fd, self._fd = self._fd, -1
        return fd
