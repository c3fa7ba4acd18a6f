"""Sources give their bytes in blocks, once or again, and notice when there are fewer than they said."""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.http1.body import SingleBody
from clients.http1.digest import MAX_PENDING, Digest
from clients.http1.errors import UploadFailed, UsageError
from clients.http1.sources import BLOCK_BYTES, Source, StreamSource, open_path, source_of

DATA = bytes(range(256)) * 5000 * 4  # a few blocks


def read(source: Source) -> bytes:
    return b"".join(bytes(block) for block in source.blocks())


class ShortReads(io.BytesIO):
    """A file that gives less than it is asked for, as pipes and network file systems may."""

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:100_000])


MAKERS: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: DATA,
    "bytearray": lambda path: bytearray(DATA),
    "memoryview of words": lambda path: memoryview(DATA).cast("I"),
    "BytesIO": lambda path: io.BytesIO(DATA),
    "short reads": lambda path: ShortReads(DATA),
    "path": open_path,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_all_bytes_come_in_blocks_and_come_again(maker: Callable[[Path], Any], path: Path) -> None:
    source = source_of(maker(path))
    assert source.length == len(DATA)
    assert source.repeatable
    assert read(source) == DATA
    assert max(len(block) for block in source.blocks()) <= BLOCK_BYTES


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_the_hash_beside_the_sending_is_right(maker: Callable[[Path], Any], path: Path) -> None:
    body = SingleBody(source_of(maker(path)))
    before = body.receipt
    assert b"".join(bytes(block) for block in body.blocks()) == DATA
    assert before is None
    assert body.receipt is not None
    assert (body.receipt.size, body.receipt.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())


@given(st.lists(st.sampled_from([0, 1, 65535, 65536, 200_000]), max_size=12))
def test_a_buffer_may_be_used_again_after_max_pending_further_blocks(sizes: list[int]) -> None:
    buffers = [bytearray(200_000) for _ in range(MAX_PENDING + 1)]
    expected = hashlib.sha256()
    with Digest() as digest:
        for turn, size in enumerate(sizes):
            buffer = buffers[turn % len(buffers)]
            buffer[:size] = bytes([turn + 1]) * size
            expected.update(buffer[:size])
            digest.update(memoryview(buffer)[:size])
        assert (digest.size, digest.hexdigest()) == (sum(sizes), expected.hexdigest())


def test_the_hashing_thread_ends_with_the_digest() -> None:
    def interrupted() -> None:
        with Digest() as digest:
            digest.update(bytes(1 << 20))
            raise KeyError

    before = threading.active_count()
    with pytest.raises(KeyError):
        interrupted()
    assert threading.active_count() == before


def test_a_file_object_is_sent_from_where_it_stands(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(100)
        source = source_of(file)
        assert source.length == len(DATA) - 100
        assert read(source) == read(source) == DATA[100:]


def test_a_text_file_is_sent_as_utf_8_whatever_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"sch\xf6n\r\nend")
    with path.open(encoding="latin-1") as file:
        source = source_of(file)
        assert source.length == len("schön\nend".encode())
        assert read(source) == read(source) == "schön\nend".encode()


def test_a_file_that_shrinks_is_noticed(path: Path) -> None:
    source = open_path(path)
    os.truncate(path, 10)
    with pytest.raises(UploadFailed, match=rf"data.bin shrank while it was sent: 10 of {len(DATA)} bytes"):
        read(source)


def test_a_file_that_has_gone_is_noticed(path: Path) -> None:
    source = open_path(path)
    path.unlink()
    with pytest.raises(UploadFailed, match=r"cannot read .*data\.bin: No such file"):
        read(source)


def test_a_file_that_grows_is_sent_as_far_as_it_was(path: Path) -> None:
    source = open_path(path)
    with path.open("ab") as file:
        file.write(b"more")
    assert read(source) == DATA


def test_a_pipe_is_a_stream_of_unknown_length(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"through the pipe",))
    writer.start()
    source = open_path(path)
    assert (source.length, source.repeatable) == (None, False)
    assert read(source) == b"through the pipe"
    writer.join()


def test_a_file_of_proc_has_bytes_though_its_size_is_0() -> None:
    source = open_path(Path("/proc/self/status"))
    assert source.length is None
    assert read(source).startswith(b"Name:")


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    source = open_path(path)
    assert source.length == 0
    assert read(source) == b""


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        open_path(tmp_path / name)


def test_the_blocks_of_a_stream_are_its_pieces_without_the_empty_ones() -> None:
    def pieces() -> Iterator[bytes | str]:
        yield from (b"a", "ä", b"", b"b")

    assert [bytes(block) for block in StreamSource(pieces()).blocks()] == [b"a", "ä".encode(), b"b"]


def test_a_read_error_is_told_with_the_name_of_the_file() -> None:
    class Broken(io.BytesIO):
        name = "broken.bin"

        def readinto(self, buffer: Any) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(UploadFailed, match=r"cannot read broken\.bin: Input/output error"):
        read(source_of(Broken(b"12345")))
