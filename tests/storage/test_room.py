"""`--min-free`: what must stay free on the file system of the store stays free."""

import os
import threading
from errno import ENOSPC
from pathlib import Path
from types import SimpleNamespace

import pytest

from servers.storage import open_store, room
from servers.storage.base import StoredFile
from servers.storage.local import LocalStore
from servers.storage.resumable import Known
from servers.storage.room import Room
from tests.storage.uploads import add, sha256, upload

MIB = 1024 * 1024


class Disk:
    """A file system with `free` bytes. `asked` counts the calls of statvfs."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    def statvfs(self, _: object) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(f_bavail=self.free, f_frsize=1)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A file system with 10 MiB free, in the place of the real one."""
    disk = Disk(10 * MIB)
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    return disk


def test_an_upload_that_leaves_exactly_the_least_is_taken_and_one_byte_more_is_not(
    root: Path, disk: Disk
) -> None:
    disk.free = 4 * MIB + 10
    store = LocalStore(root, min_free=4 * MIB)
    with pytest.raises(OSError, match="fewer than 4194304 bytes would stay free"):
        upload(store, b"01234567890")
    assert list(store.names()) == []
    upload(store, b"0123456789")
    assert list(store.names()) == [sha256(b"0123456789")]


def test_files_of_one_upload_count_together(root: Path, disk: Disk) -> None:
    disk.free = 4 * MIB + 10
    store = LocalStore(root, min_free=4 * MIB)
    with pytest.raises(OSError, match="would stay free"), store.begin() as begun:
        add(begun, b"012345")
        add(begun, b"678901")
    assert list(store.names()) == []
    upload(store, b"012345")


def test_a_size_that_is_known_is_refused_before_anything_is_written(root: Path, disk: Disk) -> None:
    store = LocalStore(root, min_free=4 * MIB)
    assert store.keeps_free
    store.require_room(6 * MIB)
    store.require_room(6 * MIB)  # it takes none
    with pytest.raises(OSError, match="would stay free"):
        store.require_room(6 * MIB + 1)


def test_without_the_setting_nobody_asks(root: Path, disk: Disk) -> None:
    store = LocalStore(root)
    disk.free = 0
    upload(store, b"content")
    store.require_room(1 << 60)
    assert (store.keeps_free, disk.asked) == (False, 0)


def test_the_file_system_is_asked_at_most_once_a_second(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("servers.storage.room.time.monotonic", lambda: now[0])
    kept = Room(tmp_path, MIB)
    for _ in range(30):
        kept.take(10)
        now[0] += 0.1
    assert disk.asked == 3


def test_what_is_written_between_two_questions_counts(tmp_path: Path, disk: Disk) -> None:
    kept = Room(tmp_path, MIB)
    kept.take(5 * MIB)
    kept.take(4 * MIB)
    with pytest.raises(OSError, match="would stay free"):
        kept.take(1)
    kept.ask_again()
    kept.take(1)


def test_a_refused_upload_does_not_stand_in_the_way_of_the_next(root: Path, disk: Disk) -> None:
    store = LocalStore(root, min_free=4 * MIB)
    with pytest.raises(OSError, match="would stay free"):
        upload(store, bytes(5 * MIB), bytes(2 * MIB))
    upload(store, bytes(6 * MIB))


def test_without_room_the_store_is_not_writable_and_is_readable(
    root: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_TRUST_SECONDS", 0.0)
    store = LocalStore(root, min_free=4 * MIB)
    upload(store, b"content")
    assert store.is_writable()
    disk.free = 4 * MIB
    assert not store.is_writable()
    assert store.open(sha256(b"content")) is not None
    disk.free = 5 * MIB
    assert store.is_writable()


def test_a_start_without_room_says_why(root: Path, disk: Disk) -> None:
    with pytest.raises(OSError, match="fewer than 20971520 bytes would stay free"):
        open_store(str(root), durable=True, min_free=20 * MIB)


def test_a_file_system_that_does_not_say_takes_no_uploads(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(root, min_free=1)

    def fail(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "statvfs", fail)
    with pytest.raises(OSError, match="Input/output"):
        upload(store, b"content")
    assert list(store.names()) == []


@pytest.mark.parametrize(("min_free", "expire"), [(1, 0), (0, 1)])
def test_a_store_in_memory_takes_neither_limit(min_free: int, expire: int) -> None:
    with pytest.raises(ValueError, match="start without --min-free and --expire"):
        open_store("memory:", durable=True, min_free=min_free, expire=expire)


# Large files that are given back.


@pytest.fixture
def slow_closing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Files of 1 byte are large. Closing one waits for this event, as if it took the file system long."""
    go_on = threading.Event()
    close = os.close

    def slowly(fd: int) -> None:
        if threading.current_thread().name == "closing":
            assert go_on.wait(30)
        close(fd)

    monkeypatch.setattr(room, "_LARGE", 1)
    monkeypatch.setattr(os, "close", slowly)
    return go_on


def test_the_answer_to_a_repeated_upload_does_not_wait_until_its_file_is_freed(
    root: Path, slow_closing: threading.Event
) -> None:
    slow_closing.set()
    store = LocalStore(root)
    upload(store, b"content")
    slow_closing.clear()
    assert [file.sha256 for file in upload(store, b"content")] == [sha256(b"content")]
    slow_closing.set()


def test_who_would_be_refused_waits_until_the_files_given_back_are_free(
    root: Path, disk: Disk, slow_closing: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(root, min_free=4 * MIB)
    upload(store, b"content")
    disk.free = 4 * MIB + 6
    threading.Timer(0.1, slow_closing.set).start()
    ask_again = Room.ask_again

    def freed(kept: Room) -> None:
        if threading.current_thread().name == "closing":
            disk.free = 4 * MIB + 7
        ask_again(kept)

    monkeypatch.setattr(Room, "ask_again", freed)
    assert len(upload(store, b"another")) == 1


def test_a_write_for_which_there_is_no_space_waits_too(
    root: Path, slow_closing: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(root)
    upload(store, b"content")
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if not slow_closing.is_set():
            threading.Timer(0.1, slow_closing.set).start()
            raise OSError(ENOSPC, "no space")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    assert len(upload(store, b"another")) == 1


def test_a_piece_for_which_there_is_no_space_waits_too(
    root: Path, slow_closing: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(root)
    upload(store, b"content")
    piece = store.resumables.create(Known())
    write = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        if not slow_closing.is_set():
            threading.Timer(0.1, slow_closing.set).start()
            raise OSError(ENOSPC, "no space")
        return write(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    piece.append(b"another")
    assert piece.finish() == StoredFile(sha256(b"another"), 7)
    piece.close()


def test_a_file_is_closed_at_once_if_no_thread_can_start(
    tmp_path: Path, slow_closing: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    kept = Room(tmp_path, 0)
    fd = os.open(tmp_path, os.O_RDONLY)
    kept.give_back(fd, 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert not kept.wait_for_closing()
