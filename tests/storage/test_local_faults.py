"""The local store when system calls fail: no false 2xx, nothing left, and it works again (X05 to X08)."""

import errno
import fcntl
import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from servers.storage.local import LocalStore
from tests.storage.syscalls import Call, Syscalls, open_descriptors
from tests.storage.uploads import add, content_of, sha256, staged, upload

OLD = [b"old", b"also old"]
FILES = [b"one", b"two", b"old", b"three"]
# Calls that only clean up. If one of them fails, the files are safe and the next clean() tries again.
CLEANUP = {"unlink", "rmdir", "scandir", "close"}


def unknown(root: Path) -> list[str]:
    """The names in `files` that are not the hash of their content."""
    return [path.name for path in (root / "files").iterdir() if sha256(path.read_bytes()) != path.name]


def upload_with_discards(store: LocalStore) -> None:
    with store.begin() as begun:
        for content in FILES:
            add(begun, content)
            dropped = begun.new_file()
            dropped.write(b"dropped")
            dropped.discard()
        begun.publish()


def count_calls(tmp_path: Path, work: Callable[[LocalStore], object]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        syscalls = Syscalls(patch)
        store = LocalStore(tmp_path / "counted")
        upload(store, *OLD)
        with syscalls:
            work(store)
        return len(syscalls.calls)


@pytest.mark.parametrize(
    "number_of_error",
    [
        errno.ENOSPC,
        *(
            pytest.param(number, marks=pytest.mark.soak(seconds=10))
            for number in (errno.EIO, errno.EDQUOT, errno.EACCES)
        ),
    ],
)
@pytest.mark.parametrize("work", [lambda store: upload(store, *FILES), upload_with_discards])
def test_a_failure_in_any_call_stores_all_files_or_none(
    tmp_path: Path, number_of_error: int, work: Callable[[LocalStore], object]
) -> None:
    gc.collect()  # descriptors of earlier tests, which would be closed in the middle of this one
    total = count_calls(tmp_path, work)
    assert total > 30
    outcomes = set()
    for number in range(total):
        root = tmp_path / str(number)
        with pytest.MonkeyPatch.context() as patch:
            syscalls = Syscalls(patch)
            store = LocalStore(root)
            upload(store, *OLD)
            descriptors = open_descriptors()
            syscalls.fail(number, number_of_error)
            stored = OLD + FILES
            with syscalls:
                try:
                    work(store)
                except OSError as error:
                    assert error.errno == number_of_error
                    stored = OLD
            failed = syscalls.calls[number]
            # A stored file that cannot be synced is replaced.
            replaced = failed.name == "fsync" and "replace" in syscalls.names()[number:]
            assert stored == OLD or failed.name in CLEANUP or replaced, failed
            assert sorted(store.names()) == sorted(set(map(sha256, stored))), failed
            assert unknown(root) == []
            assert open_descriptors() == descriptors, failed
            assert staged(root) == [] or failed.name in CLEANUP, failed
            store.clean()
            assert staged(root) == [], failed
            upload(store, *FILES)
            assert set(map(sha256, OLD + FILES)) == set(store.names())
            outcomes.add((failed.name, stored == OLD))
        shutil.rmtree(root)
    assert {"open", "write", "fsync", "link", "mkdir", "flock"} <= {name for name, lost in outcomes if lost}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_failing_fsync_is_never_repeated(
    store: LocalStore, tmp_path: Path, syscalls: Syscalls, count: int
) -> None:
    syscalls.fail_call("fsync", errno.EIO)
    with store.begin() as begun, syscalls:
        for number in range(count):
            add(begun, b"%d" % number)
        with pytest.raises(OSError, match="Input/output"):
            begun.publish()
        assert syscalls.names().count("fsync") == 1
        assert "link" not in syscalls.names()
        with pytest.raises(RuntimeError):
            begun.publish()
    assert list(store.names()) == []
    assert staged(tmp_path) == []


def test_after_a_failed_write_nothing_can_be_published(store: LocalStore, syscalls: Syscalls) -> None:
    syscalls.fail_call("write", errno.ENOSPC, after=1)
    with store.begin() as begun, syscalls:
        add(begun, b"first")
        writer = begun.new_file()
        with pytest.raises(OSError, match="No space"):
            writer.write(b"second")
        writer.discard()
        for call in (begun.publish, begun.new_file):
            with pytest.raises(RuntimeError):
                call()
    assert list(store.names()) == []


@pytest.mark.parametrize("failing", ["link", "fsync"])
def test_names_are_taken_back_when_a_later_step_fails(
    store: LocalStore, syscalls: Syscalls, failing: str
) -> None:
    # Two links succeed; or two files are synced, but the folder is not.
    syscalls.fail_call(failing, errno.EIO, after=2)
    files = [b"one", b"two", b"three"] if failing == "link" else [b"one", b"two"]
    with syscalls, pytest.raises(OSError, match="Input/output"):
        upload(store, *files)
    assert syscalls.names().count("link") >= 2
    assert list(store.names()) == []


def test_content_that_came_twice_is_taken_back(store: LocalStore, syscalls: Syscalls) -> None:
    def before(call: Call) -> None:
        if call.name == "link" and call.arguments[1] == sha256(b"other"):
            raise OSError(errno.EIO, "link failed")

    syscalls.before = before
    with syscalls, pytest.raises(OSError, match="link failed"):
        upload(store, b"same", b"same", b"other")
    assert syscalls.names().count("link") == 2
    assert list(store.names()) == []


def test_a_name_that_another_upload_adopted_is_not_taken_back(store: LocalStore, syscalls: Syscalls) -> None:
    def before(call: Call) -> None:
        if call.name == "link" and syscalls.names().count("link") == 2:
            upload(store, b"shared")  # by another client, acknowledged before this upload fails
            raise OSError(errno.EIO, "link failed")

    syscalls.before = before
    with syscalls, pytest.raises(OSError, match="link failed"):
        upload(store, b"shared", b"other")
    assert list(store.names()) == [sha256(b"shared")]


def test_a_file_that_vanishes_while_it_is_adopted_is_stored_again(
    store: LocalStore, tmp_path: Path, syscalls: Syscalls
) -> None:
    upload(store, b"content")

    def before(call: Call) -> None:
        if call.name == "flock":
            (tmp_path / "store/files" / sha256(b"content")).unlink(missing_ok=True)

    syscalls.before = before
    with syscalls:
        upload(store, b"content")
    assert "flock" in syscalls.names()
    assert content_of(store, sha256(b"content")) == b"content"


def test_a_file_that_appears_before_the_link_is_adopted(
    store: LocalStore, tmp_path: Path, syscalls: Syscalls
) -> None:
    inodes = []

    def before(call: Call) -> None:
        if call.name == "link":
            upload(store, b"content")
            inodes.append((tmp_path / "store/files" / sha256(b"content")).stat().st_ino)

    syscalls.before = before
    with syscalls:
        upload(store, b"content")
    assert inodes == [(tmp_path / "store/files" / sha256(b"content")).stat().st_ino]
    assert inodes[0] in [call.inode for call in syscalls.calls if call.name == "fsync"]


@pytest.mark.parametrize("torn", [b"", b"conten", b"content more", b"CONTENT"])
@pytest.mark.parametrize("before", [[], [b"another file first"]])
def test_a_damaged_file_is_replaced(
    store: LocalStore, tmp_path: Path, torn: bytes, before: list[bytes]
) -> None:
    upload(store)
    name = sha256(b"content")
    (tmp_path / "store/files" / name).write_bytes(torn)
    upload(store, *before, b"content")
    assert content_of(store, name) == b"content"
    assert staged(tmp_path) == []


def test_a_stored_file_that_cannot_be_synced_is_replaced(
    store: LocalStore, tmp_path: Path, syscalls: Syscalls
) -> None:
    upload(store, b"content")
    path = tmp_path / "store/files" / sha256(b"content")
    inode = path.stat().st_ino

    def before(call: Call) -> None:
        if call.name == "fsync" and call.inode == inode:
            raise OSError(errno.EIO, "lost")

    syscalls.before = before
    with syscalls:
        upload(store, b"content")
    assert path.stat().st_ino != inode
    assert path.stat().st_ino in [call.inode for call in syscalls.calls if call.name == "fsync"]
    assert path.read_bytes() == b"content"


def test_short_writes_are_completed(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    upload(store, bytes(range(100)), b"second file")
    assert content_of(store, sha256(bytes(range(100)))) == bytes(range(100))
    assert content_of(store, sha256(b"second file")) == b"second file"


def test_a_file_that_takes_no_bytes_ends_the_upload(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda fd, data: 0)
    with pytest.raises(OSError, match="no more bytes"):
        upload(store, b"content")
    assert list(store.names()) == []


def everything_fails(store: LocalStore) -> None:
    assert not store.is_writable()
    for call in (lambda: upload(store, b"x"), store.names, store.clean, lambda: store.open(sha256(b"x"))):
        with pytest.raises(OSError, match=r"\[Errno"):
            call()


def everything_works(store: LocalStore) -> None:
    assert store.is_writable()
    assert store.clean() == 0
    upload(store, b"x", b"y")
    assert content_of(store, sha256(b"x")) == b"x"
    assert sorted(store.names()) == sorted([sha256(b"x"), sha256(b"y")])


def test_a_store_that_vanishes_is_not_created_again_and_works_when_it_is_back(
    store: LocalStore, tmp_path: Path
) -> None:
    (tmp_path / "store").rename(tmp_path / "aside")
    everything_fails(store)
    assert not (tmp_path / "store").exists()
    (tmp_path / "aside").rename(tmp_path / "store")
    everything_works(store)


def test_a_store_replaced_by_a_file_works_when_it_is_back(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "aside")
    (tmp_path / "store").write_bytes(b"")
    everything_fails(store)
    with pytest.raises(NotADirectoryError):
        LocalStore(tmp_path / "store")
    (tmp_path / "store").unlink()
    (tmp_path / "aside").rename(tmp_path / "store")
    everything_works(store)


def test_a_missing_staging_folder_is_created_again(store: LocalStore, tmp_path: Path) -> None:
    upload(store, b"1", b"2")
    shutil.rmtree(tmp_path / "store" / "staging")
    upload(store, b"x", b"y")
    assert {sha256(b"x"), sha256(b"y")} <= set(store.names())
    assert store.clean() == 0


@pytest.mark.parametrize("count", [1, 2])
def test_an_upload_whose_store_vanishes_is_not_acknowledged(
    store: LocalStore, tmp_path: Path, count: int
) -> None:
    with store.begin() as begun:
        for number in range(count):
            add(begun, b"%d" % number)
        shutil.rmtree(tmp_path / "store")
        (tmp_path / "store").mkdir()
        with pytest.raises(FileNotFoundError):
            begun.publish()
    everything_fails(store)


def test_a_request_folder_that_a_clean_removes_is_not_used(
    store: LocalStore, tmp_path: Path, syscalls: Syscalls
) -> None:
    cleaned: list[int] = []

    def before(call: Call) -> None:
        # Between mkdir and flock, another process takes the new folder for stale.
        if call.name == "flock" and not cleaned:
            cleaned.append(store.clean())

    syscalls.before = before
    with syscalls:
        upload(store, b"x", b"y")
    assert cleaned == [1]
    assert sorted(store.names()) == sorted([sha256(b"x"), sha256(b"y")])
    assert staged(tmp_path) == []


def test_a_request_folder_that_a_clean_has_locked_is_not_used(store: LocalStore, syscalls: Syscalls) -> None:
    held: list[int] = []

    def before(call: Call) -> None:
        if call.name == "flock" and not held:
            held.append(os.open(f"/proc/self/fd/{call.arguments[0]}", os.O_RDONLY))
            fcntl.flock(held[0], fcntl.LOCK_EX)

    syscalls.before = before
    with syscalls:
        upload(store, b"x", b"y")
    assert sorted(store.names()) == sorted([sha256(b"x"), sha256(b"y")])
    assert store.clean() == 0
    os.close(held[0])
    assert store.clean() == 1
