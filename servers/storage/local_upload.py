"""One request's files on their way into a local store."""

import hashlib
import os
from contextlib import suppress
from errno import EIO, EISDIR, EOPNOTSUPP
from types import TracebackType
from typing import Final, Self

from .base import StoredFile
from .local_folders import Folders, RequestFolder, close_quietly, create_named, create_unnamed
from .local_publish import Publication

# What open(2) says where the file system, or the kernel, has no O_TMPFILE.
_NO_UNNAMED_FILES: Final = (EOPNOTSUPP, EISDIR)


class LocalUpload:
    """The files of one request; see `base.Upload`. To be used by one thread at a time.

    Holds at most four descriptors (H071): `ROOT/files`, the first file, which has no name and so leaves none
    behind, the folder of the request, and the file being written. All but the first are closed when complete.
    Calls in the wrong order raise RuntimeError.
    """

    def __init__(self, folders: Folders, *, unnamed: bool) -> None:
        """`unnamed`: whether files without a name can be linked here (they need /proc)."""
        self._folders = folders
        self._unnamed = unnamed
        self._files_fd = -1
        self._request_folder: RequestFolder | None = None
        self._writing: LocalWriter | None = None
        self._closed: list[LocalWriter] = []
        self._begun = 0
        self._publication: Publication | None = None
        self._refusal: str | None = None

    def __enter__(self) -> Self:
        """The upload itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abort, unless it is published."""
        self.abort()

    def new_file(self) -> "LocalWriter":
        """Begin the next file. Raises OSError when there is no place for it."""
        self._require_rest()
        if self._files_fd < 0:
            self._files_fd = self._folders.open_files()
        self._begun += 1
        self._writing = self._create_unnamed() or self._create_staged()
        return self._writing

    def publish(self) -> None:
        """Make every closed file durable and visible under its hash. Raises OSError and aborts, or returns.

        The order (X01): every byte written, each file fsynced, each name linked, the folder fsynced.
        """
        self._require_rest()
        try:
            if self._closed:
                # The same content twice in one request is one file.
                files = {file.stored.sha256: file for file in self._closed}
                self._publication = Publication(self._folders, self._files_fd)
                self._publication.publish(list(files.values()))
                self._publication = None
        finally:
            self.abort()
        self._refusal = "it is published"

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
        if self._files_fd >= 0:
            close_quietly(self._files_fd)
            self._files_fd = -1
        self._refusal = self._refusal or "it is aborted"

    def request_folder(self) -> RequestFolder:
        """The folder for the staged files of this request, made when it is first asked for."""
        if self._request_folder is None:
            self._request_folder = self._folders.make_request_folder()
        return self._request_folder

    def sync(self, fd: int) -> None:
        """fsync as the store's durability says."""
        self._folders.sync(fd)

    def broke(self) -> None:
        """A file has lost bytes: nothing of this upload may be published any more (X07)."""
        self._refusal = self._refusal or "a file could not be written"

    def ended(self, file: "LocalWriter", *, complete: bool) -> None:
        """The file was closed, complete or else dropped; a complete one may be dropped later."""
        if self._writing is file:
            self._writing = None
        if complete:
            self._closed.append(file)
        elif file in self._closed:
            self._closed.remove(file)

    def _require_rest(self) -> None:
        if self._refusal is not None:
            raise RuntimeError(f"this upload takes no more calls: {self._refusal}")
        if self._writing is not None:
            raise RuntimeError("the file before is neither closed nor discarded")

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
    """One file; see `base.FileWriter`. A file without a name stays open until the upload ends."""

    def __init__(self, upload: LocalUpload, fd: int, name: str | None) -> None:
        """`fd` is open for writing and now this writer's; `name` is that in the folder of the request."""
        self.name: Final = name
        self._upload = upload
        self._fd = fd
        self._hash = hashlib.sha256()
        self._size = 0
        self._stored: StoredFile | None = None
        self._gone = False

    @property
    def stored(self) -> StoredFile:
        """The hash and size of the closed file."""
        if self._stored is None:
            raise RuntimeError("the file is not closed")
        return self._stored

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`, without copying it. Raises OSError, after which the upload can only be aborted."""
        self._require_open()
        with memoryview(data) as view, view.cast("B") as octets:
            try:
                self._write_all(octets)
            except OSError:
                self._upload.broke()
                raise
            self._hash.update(octets)
            self._size += octets.nbytes

    def close(self) -> StoredFile:
        """End the file and tell its hash and size. Raises OSError as `write` does."""
        if self._stored is not None:
            return self._stored
        self._require_open()
        if self.name is not None:
            try:
                self._close_fd()
            except OSError:
                self._upload.broke()
                raise
        self._stored = StoredFile(self._hash.hexdigest(), self._size)
        self._upload.ended(self, complete=True)
        return self._stored

    def discard(self) -> None:
        """Drop the file, closed or not, as if it had never been begun. Nothing after the upload's end."""
        if self._gone:
            return
        self.forget()
        if self.name is not None:
            with suppress(OSError):  # what stays now goes with the folder
                os.unlink(self.name, dir_fd=self._upload.request_folder().fd)
        self._upload.ended(self, complete=False)

    def forget(self) -> None:
        """Give the descriptor back and take no more calls. Never raises."""
        self._gone = True
        with suppress(OSError):  # as in close_quietly()
            self._close_fd()

    def sync(self) -> os.stat_result:
        """Make the bytes durable and tell what the file is. Raises OSError."""
        if self.name is None:
            self._upload.sync(self._fd)
            return os.fstat(self._fd)
        # An error of the kernel's own write-back since the file was closed is told to this descriptor.
        fd = os.open(self.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._upload.request_folder().fd)
        try:
            self._upload.sync(fd)
            return os.fstat(fd)
        finally:
            os.close(fd)

    def link(self, files_fd: int) -> None:
        """Link the file under its hash, never over another. Raises FileExistsError, OSError."""
        self._link(self.stored.sha256, files_fd)
        if self.name is not None:
            with suppress(OSError):  # as in discard()
                os.unlink(self.name, dir_fd=self._upload.request_folder().fd)

    def replace(self, files_fd: int) -> None:
        """Put the file in the place of a damaged one, in one step. Raises OSError."""
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
            os.link(self.name, name, src_dir_fd=source_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
            return
        # open(2): the way to name an unnamed file. os.link() follows the link only when given a dir_fd.
        os.link(f"/proc/self/fd/{self._fd}", name, dst_dir_fd=folder_fd, follow_symlinks=True)

    def _write_all(self, octets: memoryview) -> None:
        written = os.write(self._fd, octets)
        while written < octets.nbytes:
            count = os.write(self._fd, octets[written:])
            if count == 0:
                raise OSError(EIO, "the file takes no more bytes")
            written += count

    def _close_fd(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
