"""The writer of the log: what it writes, and that nobody waits for it when nobody takes what it writes."""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from servers.contract.log_writer import BLOCK, MOST_WAITING, LogWriter
from tests.patience import eventually, patient

LINE = "x" * 99 + "\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe as (read end, write end); a test may close either."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def _read_until(reader: int, end: bytes) -> bytes:
    received = b""
    os.set_blocking(reader, False)

    def ended() -> bool:
        nonlocal received
        with suppress(BlockingIOError):
            received += os.read(reader, 1 << 20)
        return end in received

    assert eventually(ended, 2), received[-200:]
    return received


def test_lines_come_whole_and_in_order(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    writer = LogWriter(descriptor)
    lines = [f"line {number} é\n" for number in range(3000)]
    for line in lines:
        writer.write(line)
    assert _read_until(reader, lines[-1].encode()) == "".join(lines).encode()


def test_characters_that_are_no_text_are_escaped(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1])
    writer.write("\udcff\n")
    assert _read_until(pipe[0], b"\n") == b"\\udcff\n"


def test_blocks_end_with_a_line_and_fit_into_a_pipe_as_a_whole(tmp_path: Path) -> None:
    """A pipe takes at most 4,096 bytes as a whole, so the lines of several processes do not mix."""
    sizes = []
    writer = LogWriter(1)
    writer._descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    write = os.write

    def recorded(descriptor: int, data: memoryview) -> int:
        sizes.append((len(data), bytes(data[-1:])))
        return write(descriptor, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servers.contract.log_writer.os.write", recorded)
        for _ in range(500):
            writer.write(LINE)
        writer.drain(patient(10))
    os.close(writer._descriptor)
    assert (tmp_path / "log").read_text() == LINE * 500
    assert all(size <= BLOCK and last == b"\n" for size, last in sizes)
    assert len(sizes) < 50


def test_a_pipe_that_nobody_reads_delays_nobody_and_the_lost_lines_are_counted(
    pipe: tuple[int, int],
) -> None:
    reader, descriptor = pipe
    writer = LogWriter(descriptor)
    count = 3 * MOST_WAITING // len(LINE)
    begin = time.monotonic()
    for _ in range(count):
        writer.write(LINE)
    assert time.monotonic() - begin < patient(5)
    begin = time.monotonic()
    writer.drain(0.1)
    assert time.monotonic() - begin < patient(2)
    received = b""
    os.set_blocking(reader, False)

    def all_are_accounted_for() -> bool:
        nonlocal received
        with suppress(BlockingIOError):
            received += os.read(reader, 1 << 20)
        lost = sum(map(int, re.findall(rb"^(\d+) lines of this log were lost$", received, re.MULTILINE)))
        return received.count(LINE.encode()) + lost == count

    assert eventually(all_are_accounted_for, 2)
    assert MOST_WAITING // len(LINE) <= received.count(LINE.encode()) < count


def test_it_goes_on_when_the_pipe_is_read_again(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    writer = LogWriter(descriptor)
    for _ in range(2 * MOST_WAITING // len(LINE)):
        writer.write(LINE)
    _read_until(reader, b" lost\n")
    writer.write("and on\n")
    _read_until(reader, b"and on\n")


def test_a_reader_that_has_gone_ends_nothing(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    os.close(reader)
    writer = LogWriter(descriptor)
    for _ in range(10):
        writer.write(LINE)
    writer.drain(patient(10))
    assert (writer._waiting, writer._lost) == ([], 10)


def test_a_full_disk_ends_nothing_and_what_was_lost_is_said_when_there_is_room(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    writer = LogWriter(descriptor, lambda count: f"{count} lost\n")
    for _ in range(10):
        writer.write(LINE)
    writer.drain(patient(10))
    with (tmp_path / "log").open("wb") as room:
        os.dup2(room.fileno(), descriptor)
        writer.write("again\n")
        writer.drain(patient(10))
    os.close(descriptor)
    assert (tmp_path / "log").read_text() == "again\n10 lost\n"


def test_a_line_that_was_cut_is_ended_before_the_next_one(tmp_path: Path) -> None:
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LogWriter(log)
    full = iter([5])
    write = os.write

    def cut(descriptor: int, data: memoryview) -> int:
        room = next(full, None) if not (tmp_path / "room").exists() else len(data)
        if room is None:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:room])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servers.contract.log_writer.os.write", cut)
        writer.write("a line that is cut\n")
        writer.drain(patient(10))
        (tmp_path / "room").touch()
        writer.write("the next one\n")
        writer.drain(patient(10))
    os.close(log)
    assert (tmp_path / "log").read_text() == "a lin\nthe next one\n1 lines of this log were lost\n"


def test_a_descriptor_that_others_made_non_blocking_is_waited_for(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    os.set_blocking(descriptor, False)
    assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK
    writer = LogWriter(descriptor)
    for _ in range(5000):
        writer.write(LINE)
    writer.write("last\n")
    assert len(_read_until(reader, b"last\n").splitlines()) == 5001


def test_without_a_descriptor_nothing_is_written() -> None:
    writer = LogWriter(None)
    writer.write(LINE)
    writer.flush()
    writer.drain(0)
    assert writer._waiting == []


def test_a_child_process_writes_its_own_lines_only(pipe: tuple[int, int]) -> None:
    """Lines of the parent that wait at the fork are the parent's."""
    reader, descriptor = pipe
    writer = LogWriter(descriptor)
    writer.write("parent\n")
    pid = os.fork()
    if pid == 0:
        try:
            writer.forget()
            writer.write("child\n")
            writer.drain(patient(20))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    writer.drain(patient(10))
    received = os.read(reader, 1000).decode()
    assert sorted(re.findall(r"\w+\n", received)) == ["child\n", "parent\n"]


def test_without_a_thread_lines_are_lost_and_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_thread: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", no_thread)
    writer = LogWriter(2)
    writer.write(LINE * 2)
    assert (writer._waiting, writer._lost) == ([], 2)
