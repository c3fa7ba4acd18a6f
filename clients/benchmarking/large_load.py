"""Sends one large file, with sendfile, so that the sender neither reads nor copies it.

A content is a file of `common` bytes, which all uploads share, and a tail of its own for each upload. The
SHA-256 of the common bytes is computed once and goes on from there with each tail.
"""

import contextlib
import hashlib
import os
import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .small_load import end_of_answer
from .small_requests import BOUNDARY, FILE_FIELD, file_part_head, final_delimiter

Content = Literal["random", "delimiters", "crlf"]
Form = Literal["multipart", "bput", "raw"]

_BLOCK = 1 << 20
_BLOCKS_IN_A_ROW = 8
_TAIL = 32
_SILENT_SECONDS = 60
_READ_BYTES = 1 << 16


def _random_blocks() -> Callable[[int], bytes]:
    blocks = [random.Random(n).randbytes(_BLOCK) for n in range(_BLOCKS_IN_A_ROW)]
    return lambda n: blocks[n % _BLOCKS_IN_A_ROW]


def _repeated(piece: bytes) -> Callable[[int], bytes]:
    block = piece * (_BLOCK // len(piece))
    return lambda n: block


# Near-delimiters: each CR LF could begin the delimiter of the boundary, and is data.
_BLOCKS: dict[Content, Callable[[], Callable[[int], bytes]]] = {
    "random": _random_blocks,
    "delimiters": lambda: _repeated(b"\r\n--"),
    "crlf": lambda: _repeated(b"\r\n"),
}


class LargeFile:
    """A file of `size` bytes in `folder` from which contents of this size are sent.

    `label` tells it from another file of the same content and size.
    """

    def __init__(self, folder: Path, content: Content, size: int, label: str = "file") -> None:
        self.size = size
        self._common = size - _TAIL
        self._path = folder / f"{label}-{content}-{size}"
        self._digest = hashlib.sha256()
        block_of = _BLOCKS[content]()
        with self._path.open("wb") as file:
            for n, offset in enumerate(range(0, self._common, _BLOCK)):
                block = block_of(n)[: self._common - offset]
                file.write(block)
                self._digest.update(block)

    def tail(self, number: int) -> bytes:
        """The last bytes of the content of this number."""
        return f"{number:0{_TAIL}d}".encode()

    def sha256(self, number: int) -> str:
        """The SHA-256 of the content of this number."""
        digest = self._digest.copy()
        digest.update(self.tail(number))
        return digest.hexdigest()

    def range_sha256(self, number: int, first: int, last: int) -> str:
        """The SHA-256 of the bytes `first` to `last` of the content of this number."""
        if (first, last) == (0, self.size - 1):
            return self.sha256(number)
        assert last < self._common, "the tail is no part of a range"
        digest = hashlib.sha256()
        with self._path.open("rb") as file:
            file.seek(first)
            for offset in range(first, last + 1, _BLOCK):
                digest.update(file.read(min(_BLOCK, last + 1 - offset)))
        return digest.hexdigest()

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def send(self, connection: socket.socket, number: int) -> None:
        """Send the content of this number."""
        with self._path.open("rb") as file:
            offset = 0
            while offset < self._common:
                offset += os.sendfile(connection.fileno(), file.fileno(), offset, self._common - offset)
        connection.sendall(self.tail(number))


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of the content `number` of a large file to `path`.

    `form` is a multipart body (with the field `act` that copyparty wants: `bput`) or the file alone, as PUT.
    """

    port: int
    path: str
    form: Form
    file: LargeFile
    number: int

    @property
    def target(self) -> str:
        """The request target: PUT names the file."""
        return f"{self.path}{self.number}.bin" if self.form == "raw" else self.path

    def head_and_end(self) -> tuple[bytes, bytes]:
        """What is sent before the content, and after it."""
        if self.form == "raw":
            return _head("PUT", self.target, "application/octet-stream", self.file.size), b""
        name = b'files"' if self.form == "multipart" else b'f"'
        before = file_part_head(f"{self.number}.bin").replace(FILE_FIELD.encode() + b'"', name, 1)
        if self.form == "bput":
            act = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="act"\r\n\r\nbput\r\n'
            before = act.encode() + before
        after = final_delimiter()
        length = len(before) + self.file.size + len(after)
        return _head("POST", self.target, f"multipart/form-data; boundary={BOUNDARY}", length) + before, after


def _head(method: str, path: str, content_type: str, length: int) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: wireproof-benchmark\r\nAccept: */*\r\n"
        f"Connection: close\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def send_large(upload: Upload) -> tuple[float, bytes]:
    """The seconds from the first byte sent to the last one received, and the whole answer."""
    before, after = upload.head_and_end()
    with socket.create_connection(("127.0.0.1", upload.port), timeout=_SILENT_SECONDS) as connection:
        connection.setblocking(True)  # os.sendfile knows no time-out of Python's
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", _SILENT_SECONDS, 0))
        began = time.perf_counter()
        # A server that refuses may close before it has read everything; its answer says why.
        with contextlib.suppress(OSError):
            connection.sendall(before)
            upload.file.send(connection, upload.number)
            connection.sendall(after)
        answer = _answer(connection)
        return time.perf_counter() - began, answer


def _answer(connection: socket.socket) -> bytes:
    """The whole answer; no bytes when none comes in time."""
    received = b""
    with contextlib.suppress(OSError):
        while data := connection.recv(_READ_BYTES):
            received += data
            if end_of_answer(received) is not None:
                return received
    return received if end_of_answer(received, closed=True) is not None else b""
