"""A store whose every call waits: for a time, or until it is released."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from servers.storage.base import FileWriter, ReadableFile, StoredFile, Upload, WithoutLimits
from servers.storage.memory import MemoryStore
from servers.storage.resumable import Resumables
from tests.patience import patient


class HangingDisk:
    """Holds up each call until `released`. `calls` has the name of its thread and of what was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.released = threading.Event()

    def wait(self, call: str) -> None:
        self.calls.append((threading.current_thread().name, call))
        assert self.released.wait(patient(60))


@dataclass
class SlowStore(WithoutLimits):
    """Calls `wait` with the name of each call on the store, on its uploads and on its files."""

    wait: Callable[[str], None]
    files: MemoryStore = field(default_factory=MemoryStore)

    def begin(self) -> Upload:
        self.wait("begin")
        return _SlowUpload(self.files.begin(), self.wait)

    def open(self, sha256: str) -> ReadableFile | None:
        self.wait("open")
        file = self.files.open(sha256)
        return None if file is None else _SlowFile(file, self.wait)

    @property
    def resumables(self) -> Resumables:
        return self.files.resumables

    def scratch(self) -> BinaryIO:
        self.wait("scratch")
        return self.files.scratch()

    def is_writable(self) -> bool:
        self.wait("is_writable")
        return True

    def clean(self) -> int:
        return 0

    def names(self) -> Iterator[str]:
        return self.files.names()


class _SlowUpload(Upload):
    def __init__(self, upload: Upload, wait: Callable[[str], None]) -> None:
        self._upload = upload
        self._wait = wait

    def new_file(self) -> FileWriter:
        self._wait("new_file")
        return _SlowWriter(self._upload.new_file(), self._wait)

    def publish(self) -> None:
        self._wait("publish")
        self._upload.publish()

    def abort(self) -> None:
        self._wait("abort")
        self._upload.abort()


class _SlowWriter:
    def __init__(self, writer: FileWriter, wait: Callable[[str], None]) -> None:
        self._writer = writer
        self._wait = wait

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._wait("write")
        self._writer.write(data)

    def close(self) -> StoredFile:
        self._wait("close")
        return self._writer.close()

    def discard(self) -> None:
        self._wait("discard")
        self._writer.discard()


class _SlowFile(ReadableFile):
    def __init__(self, file: ReadableFile, wait: Callable[[str], None]) -> None:
        self.size = file.size
        self._file = file
        self._wait = wait

    def read(self, offset: int, length: int, /) -> bytes:
        self._wait("read")
        return self._file.read(offset, length)

    def close(self) -> None:
        self._wait("close")
        self._file.close()
