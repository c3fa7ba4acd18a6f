"""Uploads that come in pieces, in memory, for tests."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from .base import StoredFile
from .resumable import Known, ResumableUpload, TakenOver, new_id


@dataclass
class _Bytes:
    """One upload. `writer` is the request that has taken it over."""

    known: Known
    content: bytearray = field(default_factory=bytearray)
    touched: float = field(default_factory=time.time)
    writer: object = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class MemoryResumables:
    """Uploads in a dictionary; see `resumable.Resumables`. `publish` stores a complete file."""

    def __init__(self, publish: Callable[[str, bytes], None]) -> None:
        self._publish = publish
        self._uploads: dict[str, _Bytes] = {}

    def create(self, known: Known) -> "MemoryResumable":
        upload_id = new_id()
        self._uploads[upload_id] = _Bytes(known)
        upload = self.take_over(upload_id)
        assert upload is not None
        return upload

    def take_over(self, upload_id: str) -> "MemoryResumable | None":
        upload = self._uploads.get(upload_id)
        return None if upload is None else MemoryResumable(upload_id, upload, self._publish, self._uploads)

    def remove_older(self, seconds: float) -> int:
        latest = time.time() - seconds
        old = [name for name, upload in list(self._uploads.items()) if upload.touched < latest]
        for name in old:
            self._uploads.pop(name).writer = None
        return len(old)


class MemoryResumable(ResumableUpload):
    """One upload; see `resumable.ResumableUpload`."""

    def __init__(
        self,
        upload_id: str,
        upload: _Bytes,
        publish: Callable[[str, bytes], None],
        uploads: dict[str, _Bytes],
    ) -> None:
        self.id = upload_id
        self._upload = upload
        self._publish = publish
        self._uploads = uploads
        self._closed = False
        with upload.lock:
            upload.writer = self
            self.known = upload.known
            self.touched = upload.touched
            stored = upload.known.stored
            self.offset = len(upload.content) if stored is None else stored.size

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        with self._turn() as upload:
            if upload.known.stored is not None:
                raise RuntimeError("the upload is complete")
            upload.content += data
            self.offset = len(upload.content)
            self.touched = upload.touched = time.time()

    def sync(self) -> None:
        if self._closed:
            raise RuntimeError("the upload is closed")

    def set_length(self, length: int) -> None:
        with self._turn() as upload:
            self.known = upload.known = replace(upload.known, length=length)

    def finish(self) -> StoredFile:
        with self._turn() as upload:
            if upload.known.stored is None:
                content = bytes(upload.content)
                stored = StoredFile(hashlib.sha256(content).hexdigest(), len(content))
                self._publish(stored.sha256, content)
                self.known = upload.known = replace(upload.known, length=stored.size, stored=stored)
                upload.content = bytearray()
            assert upload.known.stored is not None
            return upload.known.stored

    def remove(self) -> None:
        with self._turn() as upload:
            upload.writer = None
            self._uploads.pop(self.id, None)

    def close(self) -> None:
        self._closed = True

    @contextmanager
    def _turn(self) -> Iterator[_Bytes]:
        if self._closed:
            raise RuntimeError("the upload is closed")
        with self._upload.lock:
            if self._upload.writer is not self:
                raise TakenOver
            yield self._upload
