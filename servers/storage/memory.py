"""A store in memory, for tests. It checks the order of calls like the local store."""

import hashlib
import re
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO, Final

from .base import ReadableFile, StoredFile, Upload, WithoutLimits
from .memory_resumable import MemoryResumables

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class MemoryStore(WithoutLimits):
    """Files in a dictionary; see `base.Store`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, bytes] = {}
        self.resumables = MemoryResumables(lambda sha256, content: self.add({sha256: content}))

    def begin(self) -> "MemoryUpload":
        return MemoryUpload(self)

    def open(self, sha256: str) -> "MemoryFile | None":
        if not _SHA256.fullmatch(sha256):
            return None
        with self._lock:
            content = self._files.get(sha256)
        return None if content is None else MemoryFile(content)

    def scratch(self) -> BinaryIO:
        """A file in the temporary folder of the system: what needs it is too large for memory."""
        return tempfile.TemporaryFile(buffering=0)  # the caller closes it

    def is_writable(self) -> bool:
        return True

    def clean(self) -> int:
        return 0

    def names(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._files))

    def add(self, files: dict[str, bytes]) -> None:
        """Store all files in one step. Content that is stored already is kept."""
        with self._lock:
            self._files = files | self._files


class MemoryUpload(Upload):
    """The files of one request; see `base.Upload`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._writers: list[MemoryWriter] = []
        self._refusal: str | None = None

    def new_file(self) -> "MemoryWriter":
        self._require_idle()
        writer = MemoryWriter()
        self._writers.append(writer)
        return writer

    def publish(self) -> None:
        self._require_idle()
        contents = (writer.content() for writer in self._writers if not writer.gone)
        self._store.add({hashlib.sha256(content).hexdigest(): content for content in contents})
        self.abort()
        self._refusal = "it is published"

    def abort(self) -> None:
        for writer in self._writers:
            writer.discard()
        self._writers.clear()
        self._refusal = self._refusal or "it is aborted"

    def _require_idle(self) -> None:
        if self._refusal is not None:
            raise RuntimeError(f"this upload accepts no more calls: {self._refusal}")
        if self._writers and self._writers[-1].is_open:
            raise RuntimeError("the previous file is neither closed nor discarded")


class MemoryWriter:
    """One file; see `base.FileWriter`."""

    def __init__(self) -> None:
        self.gone = False
        self._content = bytearray()
        self._stored: StoredFile | None = None

    @property
    def is_open(self) -> bool:
        """Whether it takes more bytes."""
        return not self.gone and self._stored is None

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._require_open()
        self._content += data

    def close(self) -> StoredFile:
        if self._stored is None:
            self._require_open()
            self._stored = StoredFile(hashlib.sha256(self._content).hexdigest(), len(self._content))
        return self._stored

    def discard(self) -> None:
        self.gone = True
        self._content = bytearray()

    def content(self) -> bytes:
        """All bytes of the file."""
        return bytes(self._content)

    def _require_open(self) -> None:
        if not self.is_open:
            raise RuntimeError("the file is closed or discarded")


class MemoryFile(ReadableFile):
    """A stored file, open for reading; see `base.ReadableFile`."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content: bytes | None = content

    def read(self, offset: int, length: int, /) -> bytes:
        """`length` bytes from `offset`; fewer only at the end. Raises ValueError if the file is closed."""
        if self._content is None:
            raise ValueError("the file is closed")
        return self._content[offset : offset + length]

    def close(self) -> None:
        self._content = None
