"""A large file takes no more memory than a small one: it streams in, and it streams out again.

Linux only: memory is what /proc says of every process of a backend, in bytes.
"""

import base64
import contextlib
import hashlib
import http.client
import random
import re
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from clients.http1.response_parser import Response, read_responses
from clients.launch import RunningBackend, start
from tests.conftest import BACKEND_NAMES
from tests.patience import patient

MIB = 1024 * 1024
CEILING = 32 * MIB
PIECE = 8 * MIB
WORKERS = 2
# A leader and its workers; `flask run` is one process.
PROCESSES = {"socket": 1 + WORKERS, "flask": 1, "gunicorn": 1 + WORKERS, "fastapi": 1}
SECONDS = 60.0
# One of each framing, and both readings; the soak run takes all.
DAILY = {("socket", "file"), ("gunicorn", "chunked-form")}
BOUNDARY = b"ef0479c6edb2827623ed87f943bafa08"
BEGIN = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n' % BOUNDARY
END = b"\r\n--%s--\r\n" % BOUNDARY
BLOCK = random.Random("memory").randbytes(MIB)


@pytest.fixture
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBackend]:
    """A backend of its own: its peak is that of this test alone."""
    env = {"WIREPROOF_WORKERS": str(WORKERS)}
    with start(request.param, store=tmp_path / "store", env=env) as started:
        yield started


def each_backend_and_framing() -> pytest.MarkDecorator:
    pairs = [
        pytest.param(name, framing, marks=() if (name, framing) in DAILY else pytest.mark.soak(seconds=10))
        for name in BACKEND_NAMES
        for framing in ("form", "chunked-form", "file", "pieces", "checked-pieces")
    ]
    return pytest.mark.parametrize(("backend", "framing"), pairs, indirect=["backend"])


@each_backend_and_framing()
def test_a_file_of_256_mib_stays_within_32_mib(backend: RunningBackend, framing: str) -> None:
    assert_flat(backend, framing, 256 * MIB)


@pytest.mark.soak(seconds=60)
@pytest.mark.timeout(600)
@each_backend_and_framing()
def test_a_file_of_2_gib_stays_within_32_mib(backend: RunningBackend, framing: str) -> None:
    assert_flat(backend, framing, 2048 * MIB)


def assert_flat(backend: RunningBackend, framing: str, size: int) -> None:
    """Upload and read back `size` bytes: no more than the ceiling above what an idle backend has."""
    for _ in range(8):  # small ones first: every worker has imported what it needs
        check_there_and_back(backend, framing, 1000)
    idle = settled(backend)
    check_there_and_back(backend, framing, size)
    peaks = {pid: memory(pid, "VmHWM") for pid in processes_of(backend)}
    assert peaks.keys() == idle.keys(), "a process has come or gone"
    before, grown = sum(idle.values()), sum(peaks.values()) - sum(idle.values())
    figures = f"{size // MIB} MiB: {before / MIB:.1f} MiB idle, {grown / MIB:.1f} MiB more at the peak"
    print(f"{backend.name}, {framing}, {figures}")
    assert grown <= CEILING, figures


def settled(backend: RunningBackend) -> Mapping[int, int]:
    """What each process has once all workers are there and nothing changes any more."""
    deadline = time.monotonic() + 20
    before: Mapping[int, int] = {}
    while time.monotonic() < deadline:
        now = {pid: memory(pid, "VmRSS") for pid in processes_of(backend)}
        if now == before and len(now) == PROCESSES[backend.name]:
            return now
        before = now
        time.sleep(0.3)
    raise AssertionError(f"{backend.name} does not settle: {before}")


def check_there_and_back(backend: RunningBackend, framing: str, size: int) -> None:
    """Upload `size` bytes, read them back, and compare."""
    sha256 = hashlib.sha256()
    for block in blocks(size):
        sha256.update(block)
    send = upload_in_pieces if "pieces" in framing else upload
    entry = send(backend, framing, size).json()["files"][0]
    assert (entry["size"], entry["sha256"]) == (size, sha256.hexdigest())
    assert download(backend, entry["href"]) == sha256.hexdigest()
    (stored,) = [path for path in backend.store.rglob(f"*{entry['sha256']}*") if path.is_file()]
    stored.unlink()


def blocks(size: int) -> Iterator[bytes]:
    """A file of `size` bytes, at most 1 MiB at a time; no two blocks are the same."""
    for begin in range(0, size, MIB):
        block = begin.to_bytes(8, "big") + BLOCK[8:]
        yield block[: size - begin]


def upload(backend: RunningBackend, framing: str, size: int) -> Response:
    head, body = framed(framing, size)
    with socket.create_connection((backend.host, backend.port), timeout=patient(SECONDS)) as connection:
        connection.sendall(head)
        for block in body:
            connection.sendall(block)
        received = b""
        while data := connection.recv(65536):
            received += data
    (response,) = read_responses(received, (b"POST",), ended=True).complete
    assert response.status == 200, response.body
    return response


def upload_in_pieces(backend: RunningBackend, framing: str, size: int) -> Response:
    """By tus; on one connection as long as the server lets it live. The response describes the file."""
    response = asked(backend, b"POST /resumable/", b"Upload-Length: %d\r\n" % size)
    path = str(response.header("location")).encode("ascii")
    for begin in range(0, size, PIECE):
        piece = b"".join(blocks(size)) if size < PIECE else piece_at(begin, size)
        fields = b"Upload-Offset: %d\r\nContent-Type: application/offset+octet-stream\r\n" % begin
        if framing == "checked-pieces":
            checksum = base64.b64encode(hashlib.sha1(piece, usedforsecurity=False).digest())
            fields += b"Upload-Checksum: sha1 %s\r\n" % checksum
        assert asked(backend, b"PATCH " + path, fields, piece).status == 204
    return asked(backend, b"GET " + path, b"")


def piece_at(begin: int, size: int) -> bytes:
    """The bytes of the file from `begin` on, which is a multiple of the size of a block."""
    numbers = range(begin // MIB, min(begin + PIECE, size) // MIB)
    return b"".join((number * MIB).to_bytes(8, "big") + BLOCK[8:] for number in numbers)


def asked(backend: RunningBackend, line: bytes, fields: bytes, body: bytes = b"") -> Response:
    host = b"HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\nTus-Resumable: 1.0.0\r\n"
    head = b"%s %s%sContent-Length: %d\r\n\r\n" % (line, host, fields, len(body))
    with socket.create_connection((backend.host, backend.port), timeout=patient(SECONDS)) as connection:
        connection.sendall(head + body)
        received = b""
        while data := connection.recv(65536):
            received += data
    (response,) = read_responses(received, (line.split()[0],), ended=True).complete
    return response


def framed(framing: str, size: int) -> tuple[bytes, Iterator[bytes]]:
    """The head, and the body as it goes over the wire."""
    host = b"HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n"
    form_type = b"Content-Type: multipart/form-data; boundary=%s\r\n" % BOUNDARY
    match framing:
        case "file":
            return b"PUT /upload/large.bin %sContent-Length: %d\r\n\r\n" % (host, size), blocks(size)
        case "form":
            length = len(BEGIN) + size + len(END)
            return b"POST /upload/ %s%sContent-Length: %d\r\n\r\n" % (host, form_type, length), form(size)
        case _:
            head = b"POST /upload/ %s%sTransfer-Encoding: chunked\r\n\r\n" % (host, form_type)
            return head, chunks(form(size))


def form(size: int) -> Iterator[bytes]:
    yield BEGIN
    yield from blocks(size)
    yield END


def chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def download(backend: RunningBackend, href: str) -> str:
    """The hash of what is read back, which is not held here either."""
    sha256 = hashlib.sha256()
    connection = http.client.HTTPConnection(backend.host, backend.port, timeout=patient(SECONDS))
    with contextlib.closing(connection):
        connection.request("GET", href, headers={"Connection": "close"})
        response = connection.getresponse()
        assert response.status == 200
        while data := response.read(MIB):
            sha256.update(data)
    return sha256.hexdigest()


def processes_of(backend: RunningBackend) -> list[int]:
    """The pids of the backend's leader and of all its descendants: they share a session (proc(5), stat)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if int(fields[3]) == backend.pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def memory(pid: int, field: str) -> int:
    """`VmRSS` (now) or `VmHWM` (at its peak) of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    kibibytes: Mapping[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", status, re.MULTILINE))
    return int(kibibytes[field]) * 1024
