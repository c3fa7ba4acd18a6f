"""Many files, broken and stalled uploads: descriptors, temporary files and bytes (H071 to H118, H159)."""

import hashlib
import os
import random
import re
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from clients.http1.response_parser import Response
from tests.advisories.assertions import Linear, Refused, accepted, intact, nothing_stored, refused
from tests.advisories.attacks import Attack
from tests.advisories.measures import MIB, Memory, descriptors
from tests.advisories.messages import file, form, get, multipart, sized, text
from tests.advisories.target import Target
from tests.patience import eventually

_NOW = struct.pack("ii", 1, 0)
_STAGED = re.compile(r"[0-9]+-[0-9a-f]{32}")
# A connection, and what an upload holds at once: its folder, its first file, the file being written (H071).
_DESCRIPTORS_AN_UPLOAD = 5
# The row asks for 50 connections with 1000 files each: 50,000 files to create, to link and to unlink.
_TOGETHER = 4
_FILES = 500


def many_files(target: Target) -> None:
    """H071: several requests at once, each with hundreds of files of one byte: few descriptors are open."""
    request = form(*(file(b"f", b"%d" % at, b"%c" % (at % 256)) for at in range(_FILES)))
    with ThreadPoolExecutor(_TOGETHER) as pool:
        # Until now a worker may not have opened all that it keeps open.
        first = form(*[file(b"f", b"a", b"x")] * 50)
        for talk in [pool.submit(target.talk, first, half_close=True) for _ in range(_TOGETHER)]:
            assert talk.result().only().status == 200
        before = most = descriptors(target.pid)
        talks = [pool.submit(target.talk, request, half_close=True) for _ in range(_TOGETHER)]
        while not all(talk.done() for talk in talks):
            most = max(most, descriptors(target.pid))
            time.sleep(0.02)
    for talk in talks:
        response = talk.result().only()
        assert response.status == 200, response.body
        assert len(response.json()["files"]) == _FILES
    # One more for the pulse's connection, and an upload that /healthz tries.
    assert most <= before + (_TOGETHER + 1) * _DESCRIPTORS_AN_UPLOAD + 1, (
        f"{most} descriptors, {before} before"
    )
    # A request of the pulse may be under way at each look; a leak would be at least one for each upload.
    assert eventually(lambda: descriptors(target.pid) <= before + 2)
    assert eventually(lambda: not target.temporary())


def broken_off(target: Target) -> None:
    """H098: uploads cut at a random byte, by RST and by FIN: nothing is stored, nothing is left."""
    rng = random.Random(98)
    contents = [rng.randbytes(size) for size in (10, 100_000, 300_000)]
    request = form(*(file(b"f", b"a", content) for content in contents))
    accepted(target, get())
    stored, before = target.stored(), descriptors(target.pid)
    for count in range(60):
        with target.connect() as connection:
            connection.sendall(request[: rng.randrange(1, len(request) - 10)])
            if count % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
    assert eventually(lambda: not target.temporary()), target.temporary()
    assert eventually(lambda: descriptors(target.pid) <= before)
    assert target.stored() == stored
    intact(target, accepted(target, request), *contents)


def limit_in_the_middle(target: Target) -> None:
    """H099: a limit that is hit in part three of five: what the first two had stored is gone."""
    files = [file(b"f", b"a", b"99-%d" % at) for at in range(4)]
    request = form(*files[:2], text(b"t", b"x" * (MIB + 1)), *files[2:])
    stored = target.stored()
    for _ in range(20):
        refused(target.talk(request, half_close=True).only(), 413, "field_too_large")
    assert eventually(lambda: not target.temporary()), target.temporary()
    assert target.stored() == stored
    accepted(target, form(*files[:2], text(b"t", b"x"), *files[2:]))


def stalled(target: Target) -> None:
    """H109: uploads that stall for three seconds, while others come and go: all are complete and exact."""
    contents = [random.Random(at).randbytes(200_000) for at in range(20)]
    with ThreadPoolExecutor(len(contents)) as pool:
        talks = [pool.submit(target.talk, _stalling(content), half_close=True) for content in contents]
        while not all(talk.done() for talk in talks):
            other = b"meanwhile"
            intact(target, accepted(target, form(file(b"f", b"b", other))), other)
    for talk, content in zip(talks, contents, strict=True):
        intact(target, talk.result().only(), content)


def _stalling(content: bytes) -> Iterator[bytes]:
    request = form(file(b"f", b"a", content))
    yield request[:100_000]
    time.sleep(3.0)
    yield request[100_000:]


class LargeFiles:
    """H110: large files at once; that /healthz is answered meanwhile is what `alive` asserts."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size

    def __call__(self, target: Target) -> None:
        block = random.Random(110).randbytes(MIB)
        sha256 = hashlib.sha256(block * (self._size // MIB)).hexdigest()
        memory = Memory(target.pid)
        with ThreadPoolExecutor(self._count) as pool:
            talks = [
                pool.submit(target.talk, self._pieces(block), half_close=True, seconds=100)
                for _ in range(self._count)
            ]
            for talk in talks:
                response = talk.result().only()
                assert response.status == 200, response.body
                assert response.json()["files"][0]["sha256"] == sha256
        assert memory.growth() <= 64, f"grew by {memory.growth():.1f} MiB"

    def _pieces(self, block: bytes) -> Iterator[bytes]:
        head, _, tail = form(file(b"f", b"a", b"\0data\0")).partition(b"\0data\0")
        length = len(head.partition(b"\r\n\r\n")[2]) + self._size + len(tail)
        yield re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % length, head)
        for _ in range(self._size // MIB):
            yield block
        yield tail


def equal_names(count: int) -> bytes:
    """H113: so many files of one name."""
    return form(*(file(b"f", b"same.txt", b"%d" % at) for at in range(count)))


def no_name_before_its_time(target: Target) -> None:
    """H159: a first file has no name before it is complete, later ones one that cannot be guessed."""
    accepted(target, form(file(b"f", b"a", b"x")))
    request = form(file(b"f", b"a", b"1" * 300_000), file(b"g", b"b", b"2" * 300_000))
    with target.connect() as connection:
        connection.sendall(request[:200_000])
        time.sleep(0.3)
        if _has_unnamed_files(target):
            assert eventually(lambda: not target.temporary())  # /healthz tries an upload, too
        connection.sendall(request[200_000:-100_000])
        assert eventually(lambda: any(path.is_file() for path in target.temporary()))
        names = {path.parent.name for path in target.temporary() if path.is_file()}
        assert all(map(_STAGED.fullmatch, names)), names
    assert eventually(lambda: not target.temporary()), target.temporary()


class GetWithForm:
    """H118: a GET to an echo path is read as a POST is, and nothing of it is written, not even meanwhile."""

    def __call__(self, target: Target) -> Response:
        contents = (b"1" * 300_000, b"2" * 300_000)
        body = multipart(file(b"f", b"a", contents[0]), file(b"g", b"b", contents[1]))
        request = sized(b"/page", body, b"Content-Type: multipart/form-data; boundary=B", method=b"GET")
        accepted(target, get())
        stored, before = target.stored(), descriptors(target.pid)
        with target.connect() as connection:
            connection.sendall(request[:-100_000])
            time.sleep(0.3)
            # /healthz tries an upload, too: it comes and goes. A stalled one stays until it is timed out.
            assert eventually(lambda: not target.temporary(), seconds=3), target.temporary()
            assert eventually(lambda: descriptors(target.pid) <= before + 2, seconds=3)
        files = [{"size": len(content), "href": None} for content in contents]
        response = accepted(target, request, {"method": "GET", "files": files})
        nothing_stored(target, stored)
        return response


def _forms_in_a_get() -> Iterator[Attack]:
    yield Attack("H118", "echo", GetWithForm(), tier=1)
    lost = b"/files/" + b"0" * 64
    for name, path, status, code in (
        ("upload", b"/upload/", 405, "method_not_allowed"),
        ("files", lost, 404, "not_found"),
    ):
        post = form(file(b"f", b"a", b"118"), target=path)
        refusal = Refused(post.replace(b"POST", b"GET", 1), status, code, form(file(b"f", b"a", b"x")))
        yield Attack("H118", name, refusal, tier=1)


def _has_unnamed_files(target: Target) -> bool:
    try:
        os.close(os.open(target.backend.store, os.O_WRONLY | os.O_TMPFILE))
    except OSError:
        return False
    return True


UPLOADS: tuple[Attack, ...] = (
    Attack("H071", "4-times-500-files", many_files, variant="fast"),
    Attack("H098", "broken-off", broken_off),
    Attack("H099", "limit-in-the-middle", limit_in_the_middle),
    Attack("H109", "stalled", stalled),
    # 20 files of 100 MiB are two gigabytes of disk: CI has a sixteenth of that.
    Attack("H110", "8-times-16-mib", LargeFiles(8, 16 * MIB), variant="fast"),
    Attack("H110", "20-times-100-mib", LargeFiles(20, 100 * MIB), soak=True),
    # Few files at a time: above a hundred the file system costs more than twice as much for twice as many.
    Attack("H113", "cost-disk", Linear(equal_names, 15, repeat=6, attempts=12), variant="fast"),
    Attack("H113", "cost-memory", Linear(equal_names, 120, repeat=2), variant="memory"),
    *_forms_in_a_get(),
    Attack("H159", "no-name", no_name_before_its_time),
)
