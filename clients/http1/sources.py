"""Where bytes to send come from: memory, files, text, and streams of unknown length.

A source is read in blocks, so that memory does not grow with its size. A block of a file is a view of a
buffer that is used again after MAX_PENDING further blocks.
"""

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import IO, Any, ClassVar

from .digest import MAX_PENDING, Block
from .encode import as_utf8
from .errors import UploadFailed, UsageError

BLOCK_BYTES = 1 << 20
# What requests reads at a time from a file object without a length, and so the size of its chunks.
STREAM_BLOCK_BYTES = 16384


class Source(ABC):
    """`length` in bytes, None when it is not known; `repeatable`: `blocks` may be called again."""

    length: int | None
    repeatable: ClassVar[bool] = True

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The bytes, from the start. Raises UploadFailed when there are fewer than `length`."""


class BytesSource(Source):
    """Bytes in memory."""

    def __init__(self, data: Block) -> None:
        self._view = memoryview(data).cast("B")
        self.length = self._view.nbytes

    def blocks(self) -> Iterator[Block]:
        for start in range(0, self._view.nbytes, BLOCK_BYTES):
            yield self._view[start : start + BLOCK_BYTES]


class FileSource(Source):
    """The rest of a seekable binary file object, from where it stands now."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell()
        self._size = max(0, file.seek(0, os.SEEK_END) - self._start)
        self.length = self._size
        file.seek(self._start)

    def blocks(self) -> Iterator[Block]:
        self._file.seek(self._start)
        yield from _file_blocks(self._file, self._size, _name_of(self._file))


class PathSource(Source):
    """`length` bytes of a regular file from `start` on, by its path. It is open while it is read only."""

    def __init__(self, path: Path, length: int, start: int = 0) -> None:
        self.path = path
        self.length = self._size = length
        self._start = start

    def blocks(self) -> Iterator[Block]:
        with _open(self.path) as file:
            file.seek(self._start)
            yield from _file_blocks(file, self._size, str(self.path))


class TextSource(Source):
    """The rest of a seekable text file object, as UTF-8. It is read twice: first for its length."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self._start = file.tell()
        self.length = self._size = sum(len(block) for block in self._encoded())
        file.seek(self._start)

    def blocks(self) -> Iterator[Block]:
        self._file.seek(self._start)
        yield from _measured(self._encoded(), self._size, _name_of(self._file))

    def _encoded(self) -> Iterator[bytes]:
        while text := self._file.read(BLOCK_BYTES):
            yield as_utf8(text)


class StreamSource(Source):
    """An iterable of bytes and str, or an object with `read`, that gives its bytes once."""

    repeatable = False

    def __init__(self, stream: Any, length: int | None = None) -> None:
        self._stream = stream
        self.length = length

    def blocks(self) -> Iterator[Block]:
        pieces = _pieces_read(self._stream) if hasattr(self._stream, "read") else iter(self._stream)
        encoded = (as_utf8(piece) if isinstance(piece, str) else piece for piece in pieces)
        if self.length is None:
            yield from (piece for piece in encoded if piece)
        else:
            yield from _measured(encoded, self.length, "the stream")


def source_of(content: Any) -> Source:
    """The source for the content of a file, or for `data`: bytes, str, a file object, an iterable of pieces.

    Anything else is sent as its `str`. A file object that cannot seek has no known length.
    """
    if isinstance(content, Source):
        return content
    if isinstance(content, str):
        return BytesSource(as_utf8(content))
    if isinstance(content, (bytes, bytearray, memoryview)):
        return BytesSource(content)
    if hasattr(content, "read"):
        return _source_of_file(content)
    if isinstance(content, Iterable):
        # As in requests, the length of an iterable is the number of its bytes.
        return StreamSource(content, len(content) if isinstance(content, Sized) else None)
    return BytesSource(as_utf8(str(content)))


def open_path(path: Path) -> Source:
    """The source for a path: a pipe or a device is a stream. Raises UsageError when it cannot be read."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode) or not os.access(path, os.R_OK):
            path.open("rb").close()  # raises with the reason
        if stat.S_ISREG(status.st_mode):
            with path.open("rb", buffering=0) as file:
                # Files in /proc have size 0 although they contain bytes.
                if status.st_size or not file.read(1):
                    return PathSource(path, status.st_size)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return StreamSource(_pieces_of_path(path))


def _pieces_of_path(path: Path) -> Iterator[bytes]:
    with _open(path) as file:
        yield from _pieces_read(file)


def _open(path: Path) -> IO[bytes]:
    """A file that could be read when the request was made. Raises UploadFailed when that has changed."""
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise UploadFailed(f"cannot read {path}: {error.strerror}") from None


def _source_of_file(file: Any) -> Source:
    if not _seekable(file):
        length = getattr(file, "len", None)
        return StreamSource(file, length if isinstance(length, int) else None)
    return TextSource(file) if isinstance(file, io.TextIOBase) else FileSource(file)


def _seekable(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return False


def _pieces_read(file: Any) -> Iterator[Any]:
    try:
        while piece := file.read(STREAM_BLOCK_BYTES):
            yield piece
    except OSError as error:
        raise UploadFailed(f"cannot read {_name_of(file)}: {error.strerror}") from None


def _file_blocks(file: Any, length: int, name: str) -> Iterator[Block]:
    """Exactly `length` bytes of a binary file, as views of buffers used in turn."""
    buffers: list[memoryview] = []
    done = turn = 0
    while done < length:
        if turn <= MAX_PENDING:
            buffers.append(memoryview(bytearray(min(BLOCK_BYTES, length))))
        buffer = buffers[turn % len(buffers)][: length - done]
        try:
            count = file.readinto(buffer) if hasattr(file, "readinto") else _read_into(file, buffer)
        except OSError as error:
            raise UploadFailed(f"cannot read {name}: {error.strerror}") from None
        if not count:
            raise _shrunk(name, done, length)
        yield buffer[:count]
        done += count
        turn += 1


def _read_into(file: Any, buffer: memoryview) -> int:
    data = file.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)


def _measured(blocks: Iterable[bytes], length: int, name: str) -> Iterator[bytes]:
    """`blocks`, which must be `length` bytes together; what comes after them is not sent."""
    done = 0
    for block in blocks:
        kept = block[: length - done]
        if kept:
            yield kept
        done += len(kept)
    if done < length:
        raise _shrunk(name, done, length)


def _shrunk(name: str, done: int, length: int) -> UploadFailed:
    return UploadFailed(f"{name} shrank while it was sent: {done} of {length} bytes were there")


def _name_of(file: Any) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else "a file"
