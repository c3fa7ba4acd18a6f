"""W7: a stored file is sent back, whole and a range of it."""

import contextlib
import hashlib
import re
import socket
import time
from dataclasses import dataclass

from ..launch import HOST
from .answers import Expected, check_answer
from .forked import in_a_fork
from .large_load import LargeFile, Upload, send_large
from .large_workloads import LargeUpload
from .place import remove_files_of
from .samples import MIB, Sample, WrongAnswerError
from .serving import Running
from .small_load import status_and_body
from .small_requests import FILE_FIELD
from .workloads import Bench

_SILENT_SECONDS = 60.0
_READ_BYTES = 1 << 20
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Download(LargeUpload):
    """A file is stored, then sent back, and removed; only sending it back is measured.

    With `ranged` it is the half in the middle of the file.
    """

    family: str = "w7"
    ranged: bool = False

    def warm_up(self, bench: Bench, running: Running) -> Sample:
        """A smaller file."""
        size = min(8 * MIB, bench.size)
        return self._download(bench, running, LargeFile(bench.place.contents, "random", size, "warm-up"))

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One download, and another one whose bytes are hashed."""
        return self._download(bench, running, self.made())

    def _download(self, bench: Bench, running: Running, file: LargeFile) -> Sample:
        number = bench.next_number()
        path = _stored_path(running, file, number)
        first, last = (file.size // 4, file.size * 3 // 4 - 1) if self.ranged else (0, file.size - 1)
        request = _request(path, (first, last) if self.ranged else None)
        before = running.session.usage()
        running.session.reset_peak()
        seconds, received, head, _ = in_a_fork(lambda: _receive(running.port, request, None))
        used = running.session.usage().cpu_seconds - before.cpu_seconds
        peak = running.session.peak_bytes() - before.resident_bytes
        if head[9:12] not in (b"200", b"206") or received != last - first + 1:
            failure = f"{received} bytes of {last - first + 1}; {head[:300].decode('latin-1')}"
            return Sample(0.0, seconds, used, peak, (), errors=1, failure=failure)
        _, _, _, digest = in_a_fork(lambda: _receive(running.port, request, hashlib.sha256()))
        if digest != file.range_sha256(number, first, last):
            raise WrongAnswerError(f"the bytes {first} to {last} of the stored file are other ones")
        remove_files_of(running.store, file.size)
        return Sample(received / MIB, seconds, used, peak, (seconds,))


def _stored_path(running: Running, file: LargeFile, number: int) -> str:
    """Store the content of this number, and return the path at which it can be fetched."""
    server = running.server
    upload = Upload(running.port, server.path, server.form, file, number)
    _, answer = in_a_fork(lambda: send_large(upload))
    if server.form == "raw":
        return upload.target
    _, body = status_and_body(answer) if answer else (0, b"")
    told = check_answer(body, Expected(files=((FILE_FIELD, file.sha256(number)),)))
    files = told["files"]
    entry = files[0] if isinstance(files, list) else files[FILE_FIELD][0]
    return str(entry["href"])


def _request(path: str, span: tuple[int, int] | None) -> bytes:
    ranged = f"Range: bytes={span[0]}-{span[1]}\r\n" if span else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{ranged}\r\n".encode()


def _receive(port: int, request: bytes, digest: "hashlib._Hash | None") -> tuple[float, int, bytes, str]:
    """The seconds, the number of bytes of the body, the head, and the SHA-256 if `digest` is to be updated.

    Without one the kernel drops the bytes, and copies nothing: the receiver costs next to nothing.
    """
    buffer, received, head = bytearray(_READ_BYTES), 0, b""
    flags = 0 if digest else socket.MSG_TRUNC
    with socket.create_connection((HOST, port), timeout=_SILENT_SECONDS) as connection:
        began = time.perf_counter()
        connection.sendall(request)
        while b"\r\n\r\n" not in head and (byte := connection.recv(1)):
            head += byte
        length = _LENGTH.search(head)
        expected = int(length[1]) if length else 0
        with contextlib.suppress(OSError):
            while received < expected and (count := connection.recv_into(buffer, _READ_BYTES, flags)):
                received += count
                if digest:
                    digest.update(memoryview(buffer)[:count])
        seconds = time.perf_counter() - began
    return seconds, received, head, digest.hexdigest() if digest else ""
