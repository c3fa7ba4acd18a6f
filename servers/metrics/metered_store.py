"""A store that measures another one: how long its operations take, and which fail."""

from collections.abc import Iterator
from typing import BinaryIO

from ..storage.base import FileWriter, ReadableFile, Store, StoredFile, Upload
from .measuring import Note, measured
from .metered_resumables import MeteredResumables


class MeteredStore:
    """See `base.Store`. Errors of the other store are raised as they are."""

    def __init__(self, store: Store, note: Note) -> None:
        self._resumables = MeteredResumables(store.resumables, note)
        self._store = store
        self._note = note

    @property
    def resumables(self) -> MeteredResumables:
        return self._resumables

    def begin(self) -> "MeteredUpload":
        return MeteredUpload(self._store.begin(), self._note)

    def open(self, sha256: str) -> "MeteredFile | None":
        file = measured(self._note, "open", self._store.open, sha256)
        return None if file is None else MeteredFile(file, self._note)

    def scratch(self) -> BinaryIO:
        return measured(self._note, "scratch", self._store.scratch)

    def is_writable(self) -> bool:
        return self._store.is_writable()

    def clean(self) -> int:
        return measured(self._note, "clean", self._store.clean)

    @property
    def sweep_seconds(self) -> float:
        return self._store.sweep_seconds

    @property
    def waits(self) -> bool:
        return self._store.waits

    @property
    def keeps_free(self) -> bool:
        return self._store.keeps_free

    def require_room(self, size: int) -> None:
        self._store.require_room(size)

    @property
    def expires(self) -> bool:
        return self._store.expires

    def expire(self) -> int:
        return measured(self._note, "expire", self._store.expire)

    def names(self) -> Iterator[str]:
        return self._store.names()


class MeteredUpload(Upload):
    """See `base.Upload`."""

    def __init__(self, upload: Upload, note: Note) -> None:
        self._upload = upload
        self._note = note

    def new_file(self) -> "MeteredWriter":
        return MeteredWriter(measured(self._note, "create", self._upload.new_file), self._note)

    def publish(self) -> None:
        measured(self._note, "publish", self._upload.publish)

    def abort(self) -> None:
        measured(self._note, "abort", self._upload.abort)


class MeteredWriter:
    """See `base.FileWriter`."""

    def __init__(self, writer: FileWriter, note: Note) -> None:
        self.discard = writer.discard
        self._writer = writer
        self._note = note
        self._stored: StoredFile | None = None

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        measured(self._note, "write", self._writer.write, data)

    def close(self) -> StoredFile:
        if self._stored is None:  # further calls do nothing, so they are not measured
            self._stored = measured(self._note, "close", self._writer.close)
        return self._stored


class MeteredFile(ReadableFile):
    """See `base.ReadableFile`."""

    def __init__(self, file: ReadableFile, note: Note) -> None:
        self.size = file.size
        self._file = file
        self._note = note

    def read(self, offset: int, length: int, /) -> bytes:
        return measured(self._note, "read", self._file.read, offset, length)

    def fileno(self) -> int | None:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
