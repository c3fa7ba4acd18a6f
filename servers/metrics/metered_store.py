"""A store that measures another one: how long its operations take, and which fail."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import BinaryIO

from ..contract.exchange import store_problem
from ..storage.base import FileWriter, ReadableFile, Store, StoredFile, Upload

Note = Callable[[str, float, str | None], None]
"""Gets an operation, how many seconds it took, and the code of the problem if it failed."""


class _Measured:
    """A context in which one operation runs. It is a class because a generator would cost twice as much."""

    __slots__ = ("_begin", "_note", "_operation")

    def __init__(self, note: Note, operation: str) -> None:
        self._note = note
        self._operation = operation

    def __enter__(self) -> None:
        self._begin = perf_counter()

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        code = store_problem(error).code if isinstance(error, OSError) else None
        self._note(self._operation, perf_counter() - self._begin, code)


class MeteredStore:
    """See `base.Store`. Errors of the other store are raised as they are."""

    def __init__(self, store: Store, note: Note) -> None:
        self._store = store
        self._note = note

    def begin(self) -> "MeteredUpload":
        return MeteredUpload(self._store.begin(), self._note)

    def open(self, sha256: str) -> "MeteredFile | None":
        with _Measured(self._note, "open"):
            file = self._store.open(sha256)
        return None if file is None else MeteredFile(file, self._note)

    def scratch(self) -> BinaryIO:
        with _Measured(self._note, "scratch"):
            return self._store.scratch()

    def is_writable(self) -> bool:
        return self._store.is_writable()

    def clean(self) -> int:
        with _Measured(self._note, "clean"):
            return self._store.clean()

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
        with _Measured(self._note, "expire"):
            return self._store.expire()

    def names(self) -> Iterator[str]:
        return self._store.names()


class MeteredUpload(Upload):
    """See `base.Upload`."""

    def __init__(self, upload: Upload, note: Note) -> None:
        self._upload = upload
        self._note = note

    def new_file(self) -> "MeteredWriter":
        with _Measured(self._note, "create"):
            return MeteredWriter(self._upload.new_file(), self._note)

    def publish(self) -> None:
        with _Measured(self._note, "publish"):
            self._upload.publish()

    def abort(self) -> None:
        with _Measured(self._note, "abort"):
            self._upload.abort()


class MeteredWriter:
    """See `base.FileWriter`."""

    def __init__(self, writer: FileWriter, note: Note) -> None:
        self.discard = writer.discard
        self._writer = writer
        self._note = note
        self._stored: StoredFile | None = None

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        with _Measured(self._note, "write"):
            self._writer.write(data)

    def close(self) -> StoredFile:
        if self._stored is None:  # further calls do nothing, so they are not measured
            with _Measured(self._note, "close"):
                self._stored = self._writer.close()
        return self._stored


class MeteredFile(ReadableFile):
    """See `base.ReadableFile`."""

    def __init__(self, file: ReadableFile, note: Note) -> None:
        self.size = file.size
        self._file = file
        self._note = note

    def read(self, offset: int, length: int, /) -> bytes:
        with _Measured(self._note, "read"):
            return self._file.read(offset, length)

    def close(self) -> None:
        self._file.close()
