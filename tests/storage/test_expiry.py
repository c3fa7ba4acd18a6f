"""`--expire`: old files are removed, and never one that an upload adopts or a client reads."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from servers.storage.local import LocalStore
from tests.storage.syscalls import Call, Syscalls, open_descriptors
from tests.storage.uploads import add, content_of, sha256, upload

DAY = 24 * 3600.0


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root, expire=3)


def make_old(root: Path, content: bytes, days: float = 4) -> None:
    """Move the modification time of a stored file back."""
    then = time.time() - days * DAY
    os.utime(root / "files" / sha256(content), (then, then))


def test_only_files_older_than_the_limit_are_removed(store: LocalStore, root: Path) -> None:
    upload(store, b"new", b"young", b"old", b"older")
    for content, days in ((b"young", 2.99), (b"old", 3.01), (b"older", 400.0)):
        make_old(root, content, days)
    assert store.expire() == 2
    assert sorted(store.names()) == sorted([sha256(b"new"), sha256(b"young")])
    assert store.expire() == 0


def test_without_the_setting_nothing_expires(root: Path) -> None:
    store = LocalStore(root)
    upload(store, b"old")
    make_old(root, b"old", 100_000 / 24)
    assert (store.expires, store.expire()) == (False, 0)
    assert list(store.names()) == [sha256(b"old")]


def test_an_upload_of_the_same_content_makes_a_file_young_again(store: LocalStore, root: Path) -> None:
    upload(store, b"content")
    make_old(root, b"content")
    inode = (root / "files" / sha256(b"content")).stat().st_ino
    upload(store, b"content")
    assert store.expire() == 0
    assert (root / "files" / sha256(b"content")).stat().st_ino == inode


def test_the_age_counts_from_the_end_of_the_upload(store: LocalStore, root: Path) -> None:
    with store.begin() as begun:
        for content in (b"without a name", b"staged"):
            add(begun, content)
        then = time.time() - 4 * DAY
        for path in (root / "staging").glob("*/*"):
            os.utime(path, (then, then))
        begun.publish()
    assert store.expire() == 0


def test_what_the_store_did_not_make_stays(store: LocalStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"of somebody else")
    files = root / "files"
    (files / "notes.txt").write_bytes(b"")
    (files / ("a" * 64)).symlink_to(outside)
    (files / ("b" * 64)).mkdir()
    then = time.time() - 9 * DAY
    for path in (outside, files / "notes.txt", files / ("b" * 64)):
        os.utime(path, (then, then))
    os.utime(files / ("a" * 64), (then, then), follow_symlinks=False)
    before = sorted(root.rglob("*"))
    assert store.expire() == 0
    assert sorted(root.rglob("*")) == before
    assert outside.exists()


def test_a_file_that_is_read_is_read_to_its_end(store: LocalStore, root: Path) -> None:
    upload(store, b"content")
    make_old(root, b"content")
    file = store.open(sha256(b"content"))
    assert file is not None
    with file:
        assert store.expire() == 1
        assert file.read(0, 99) == b"content"
    assert store.open(sha256(b"content")) is None


@pytest.mark.parametrize("at", ["scandir", "flock", "stat", "unlink"])
def test_a_file_that_is_adopted_meanwhile_stays(
    store: LocalStore, root: Path, syscalls: Syscalls, at: str
) -> None:
    """An upload comes just before each call. Where it can no longer adopt the file, it stores its own."""
    upload(store, b"content", b"other")
    make_old(root, b"content")
    adopted: list[Call] = []

    def before(call: Call) -> None:
        if call.name == at and not adopted:
            adopted.append(call)
            if at in ("stat", "unlink"):  # the lock is held: an upload would wait for it
                return
            upload(LocalStore(root), b"content")

    syscalls.before = before
    with syscalls:
        removed = store.expire()
    assert adopted
    assert removed == (at in ("stat", "unlink"))
    upload(store, b"content")
    assert content_of(store, sha256(b"content")) == b"content"


# Makes its own file old, and uploads it again, which must adopt it or store it anew.
OWN_FILE = """
import os, sys, time
from pathlib import Path
from servers.storage.local import LocalStore
root = Path(sys.argv[1])
store = LocalStore(root, durable=False)
content = sys.argv[2].encode()
old = time.time() - 9 * 86400
for _ in range(1000):
    with store.begin() as upload:
        writer = upload.new_file()
        writer.write(content)
        name = writer.close().sha256
        upload.publish()
    assert (root / "files" / name).read_bytes() == content, "acknowledged and lost"
    os.utime(root / "files" / name, (old, old))
"""


def test_nothing_acknowledged_is_lost_while_files_expire(root: Path) -> None:
    store = LocalStore(root, durable=False, expire=3)
    rivals = [
        subprocess.Popen([sys.executable, "-c", OWN_FILE, str(root), name], cwd=PROJECT_ROOT)
        for name in ("a", "b")
    ]
    removed = 0
    try:
        while any(rival.poll() is None for rival in rivals):
            removed += store.expire()
        assert [rival.wait(60) for rival in rivals] == [0, 0]
    finally:
        for rival in rivals:
            rival.kill()
    assert removed > 0


def test_one_process_at_a_time_looks_for_old_files(store: LocalStore, root: Path) -> None:
    upload(store, b"content")
    make_old(root, b"content")
    marker = os.open(root / "wireproof-store", os.O_RDONLY)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX)
        assert store.expire() == 0
    finally:
        os.close(marker)
    assert store.expire() == 1


def test_in_a_store_that_was_replaced_nothing_expires(store: LocalStore, root: Path, tmp_path: Path) -> None:
    upload(store, b"content")
    root.rename(tmp_path / "aside")
    other = LocalStore(root)
    upload(other, b"content")
    make_old(root, b"content")
    with pytest.raises(OSError, match="another folder"):
        store.expire()
    assert list(other.names()) == [sha256(b"content")]


@pytest.mark.parametrize("failing", ["open", "flock", "scandir", "unlink"])
def test_a_failure_leaves_no_descriptor_and_is_raised(
    store: LocalStore, root: Path, syscalls: Syscalls, failing: str
) -> None:
    upload(store, b"content")
    make_old(root, b"content")
    descriptors = open_descriptors()
    syscalls.fail_call(failing, errno.EIO)
    with syscalls, pytest.raises(OSError, match="Input/output"):
        store.expire()
    assert open_descriptors() == descriptors
    assert store.expire() == 1
