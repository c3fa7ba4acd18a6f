"""The files of one request at an object store, from the first byte until they are published.

Where the bytes are:

    file                           while it is written         closed                    published
    of at most 6 MiB               in memory                   in memory                 one conditional PUT
    the same, beside others that   in memory                   staged, in one PUT        copied by the store
      are 6 MiB together
    larger                         a multipart upload to a     staged: the upload is     copied by the store
                                   staging key                 complete

How a file gets its name `files/SHA256`. `publish` finishes each step for all files before it begins the next:

    step         what happens
    1. confirm   the store shows the size and the SHA-256 of each staged object
    2. find      a file with this name, size and content is used as it is; another one is replaced
    3. name      the conditional PUT, or the copy
    4. confirm   the store shows the size and the SHA-256 of each file under its name
    5. remove    what was staged

Two uploads of one content may both copy: each puts the same bytes under the same name, in one step. So no
condition is needed, and none on a copy or on the end of a multipart upload would help: not every store keeps
them when two come at the same time.

Nothing takes a name back. If the store fails within step 3, files that have their names already stay. They
are whole, and a later upload of the same content uses them. To remove one would be wrong if another upload,
on any host, has found it meanwhile: S3 cannot remove an object on the condition that nobody did.

If the store shows no checksum, or one of another kind, the object is read and hashed.
"""

import hashlib
from contextlib import suppress
from enum import Enum, auto
from errno import EFBIG, EIO
from typing import Final

from .base import StoredFile, Upload
from .s3_checksums import Checksums
from .s3_objects import PartsWriter
from .s3_place import LARGEST, PART
from .s3_session import S3Session

FILES: Final = "files/"
_ATTEMPTS: Final = 3
_BLOCK: Final = 4 * 1024 * 1024
_PIECE: Final = 512 * 1024


class _Found(Enum):
    ABSENT = auto()
    SAME = auto()
    OTHER = auto()


class S3Upload(Upload):
    """The files of one request; see `base.Upload`."""

    def __init__(self, session: S3Session) -> None:
        self._session = session
        self._writers: list[S3Writer] = []
        self._refusal: str | None = None

    def new_file(self) -> "S3Writer":
        """Begin the next file. Nothing is sent yet."""
        self._require_idle()
        writer = S3Writer(self, self._session)
        self._writers.append(writer)
        return writer

    def publish(self) -> None:
        """Name every closed file by its hash, and see that it is there. Raises OSError."""
        self._require_idle()
        try:
            files = {writer.close().sha256: writer for writer in self._writers}
            for file in files.values():
                file.confirm_staged()
            for file in files.values():
                file.give_name()
        finally:
            self.abort()
        self._refusal = "it is published"

    def abort(self) -> None:
        """Remove what is staged. Never raises."""
        for writer in self._writers:
            writer.forget()
        self._writers.clear()
        self._refusal = self._refusal or "it is aborted"

    def mark_broken(self) -> None:
        """Note that a file has lost bytes, so that the upload can only be aborted."""
        self._refusal = self._refusal or "a file could not be written"

    def has_room_in_memory(self, size: int) -> bool:
        """Whether a closed file of `size` bytes may stay in memory."""
        return sum(writer.in_memory for writer in self._writers if not writer.is_open) + size <= PART

    def drop(self, writer: "S3Writer") -> None:
        """Forget a file that was discarded."""
        if writer in self._writers:
            self._writers.remove(writer)

    def _require_idle(self) -> None:
        if self._refusal is not None:
            raise RuntimeError(f"this upload accepts no more calls: {self._refusal}")
        if self._writers and self._writers[-1].is_open:
            raise RuntimeError("the previous file is neither closed nor discarded")


class S3Writer:
    """One file; see `base.FileWriter`."""

    def __init__(self, upload: S3Upload, session: S3Session) -> None:
        self._upload = upload
        self._session = session
        self._sums = Checksums()
        self._held = bytearray()
        self._parts: PartsWriter | None = None
        self._key: str | None = None  # under which it is staged
        self._stored: StoredFile | None = None
        self._gone = False

    @property
    def is_open(self) -> bool:
        """Whether it takes more bytes."""
        return not self._gone and self._stored is None

    @property
    def in_memory(self) -> int:
        """How many bytes are kept in memory until it is published."""
        return len(self._held)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`. Waits while the store takes bytes more slowly than they come. Raises OSError."""
        self._require_open()
        with memoryview(data) as view, view.cast("B") as octets:
            try:
                self._send(octets)
            except OSError:
                self._upload.mark_broken()
                raise
            self._sums.update(octets)

    def close(self) -> StoredFile:
        """End the file and return its hash and size. Raises OSError as `write` does."""
        if self._stored is not None:
            return self._stored
        self._require_open()
        try:
            if self._parts is not None:
                self._parts.close()
                self._parts = None
            elif not self._upload.has_room_in_memory(len(self._held)):
                self._key = self._session.stage(self._held)
                self._held = bytearray()
        except OSError:
            self._upload.mark_broken()
            raise
        self._stored = StoredFile(self._sums.sha256, self._sums.size)
        return self._stored

    def discard(self) -> None:
        """Remove the file from the upload, closed or not. Does nothing after the end of the upload."""
        if not self._gone:
            self.forget()
            self._upload.drop(self)

    def forget(self) -> None:
        """Remove what is staged; the file takes no more calls. Never raises."""
        self._gone = True
        self._held = bytearray()
        parts, self._parts = self._parts, None
        if parts is not None:
            with suppress(OSError):
                parts.stop()
        key, self._key = self._key, None
        if key is not None:
            self._session.remove(key)

    def confirm_staged(self) -> None:
        """Raise OSError unless the store has what was staged, if anything was."""
        if self._key is not None and self._look(self._key) is not _Found.SAME:
            raise OSError(EIO, "the object store has lost a part of the upload")

    def give_name(self) -> None:
        """Let the file be there under its name. Raises OSError."""
        name = FILES + self.close().sha256
        for _ in range(_ATTEMPTS):
            if self._key is None:
                self._put(name)
            elif self._look(name) is not _Found.SAME:
                self._session.objects.copy(self._key, name)
            else:
                return
            if self._look(name) is _Found.SAME:
                return
        raise OSError(EIO, "the object store does not have what was stored a moment ago")

    def _put(self, name: str) -> None:
        objects = self._session.objects
        if not objects.put_new(name, self._held) and self._look(name) is _Found.OTHER:
            objects.put(name, self._held)

    def _send(self, octets: memoryview) -> None:
        if self._sums.size + octets.nbytes > LARGEST:
            raise OSError(EFBIG, f"a file in a bucket has at most {LARGEST} bytes")
        if self._parts is None:
            if len(self._held) + octets.nbytes <= PART:
                self._held += octets
                return
            self._key, self._parts = self._session.stage_parts()
            with memoryview(self._held) as held:  # in pieces, because each is copied
                for begin in range(0, len(held), _PIECE):
                    self._parts.write(held[begin : begin + _PIECE])
            self._held = bytearray()
        self._parts.write(octets)

    def _look(self, key: str) -> _Found:
        """Compare an object with this file."""
        head = self._session.client.head(key)
        if head is None:
            return _Found.ABSENT
        if head.size != self._sums.size:
            return _Found.OTHER
        same = self._sums.match(head.checksum) or self._reads_back(key)
        return _Found.SAME if same else _Found.OTHER

    def _reads_back(self, key: str) -> bool:
        whole = hashlib.sha256()
        for offset in range(0, self._sums.size, _BLOCK):
            length = min(_BLOCK, self._sums.size - offset)
            whole.update(self._session.objects.read(key, offset, length))
        return whole.hexdigest() == self._sums.sha256

    def _require_open(self) -> None:
        if not self.is_open:
            raise RuntimeError("the file is closed or discarded")
