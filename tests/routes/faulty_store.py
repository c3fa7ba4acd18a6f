"""A store that records its steps and can fail in one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from servers.storage.base import FileWriter, ReadableFile, StoredFile, WithoutLimits
from servers.storage.memory import MemoryStore, MemoryUpload, MemoryWriter
from servers.storage.resumable import Resumables


@dataclass
class FaultyStore(WithoutLimits):
    """`fail` is the number (from 0) of the step that raises `error`. With None, every step succeeds."""

    fail: int | None = None
    error: BaseException = field(default_factory=lambda: OSError(5, "broken"))
    steps: list[str] = field(default_factory=list)
    aborts: int = 0
    files: MemoryStore = field(default_factory=MemoryStore)

    def step(self, name: str) -> None:
        """Record the step `name`. Raises `error` if this is the step number `fail`."""
        self.steps.append(name)
        if self.fail == len(self.steps) - 1:
            raise self.error

    def begin(self) -> "FaultyUpload":
        self.step("begin")
        return FaultyUpload(self)

    def open(self, sha256: str) -> ReadableFile | None:
        self.step("open")
        return self.files.open(sha256)

    @property
    def resumables(self) -> Resumables:
        return self.files.resumables

    def scratch(self) -> BinaryIO:
        self.step("scratch")
        return self.files.scratch()

    def is_writable(self) -> bool:
        return self.fail is None

    def clean(self) -> int:
        return 0

    def names(self) -> Iterator[str]:
        return self.files.names()


class FaultyUpload(MemoryUpload):
    def __init__(self, store: FaultyStore) -> None:
        super().__init__(store.files)
        self._faulty = store

    def new_file(self) -> MemoryWriter:
        self._faulty.step("new_file")
        writer: FileWriter = super().new_file()
        return _FaultyWriter(self._faulty, writer)  # type: ignore[return-value]

    def publish(self) -> None:
        self._faulty.step("publish")
        super().publish()

    def abort(self) -> None:
        self._faulty.aborts += 1
        super().abort()


class _FaultyWriter:
    def __init__(self, store: FaultyStore, writer: FileWriter) -> None:
        self._store = store
        self._writer = writer

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._store.step("write")
        self._writer.write(data)

    def close(self) -> StoredFile:
        self._store.step("close")
        return self._writer.close()

    def discard(self) -> None:
        self._store.step("discard")
        self._writer.discard()
