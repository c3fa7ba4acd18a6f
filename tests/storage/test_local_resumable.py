"""Uploads in pieces in a local store: what crashes, failing calls and other processes leave (X02, X07)."""

import errno
import os
import time
from pathlib import Path

import pytest

from servers.storage.local import LocalStore
from servers.storage.local_resumable import LocalResumable
from servers.storage.resumable import Known, ResumableUpload, TakenOver
from tests.storage.syscalls import Syscalls
from tests.storage.uploads import content_of, sha256, upload

CONTENT = b"hello world"
NAME = sha256(CONTENT)


def folder_of(root: Path, created: ResumableUpload) -> Path:
    return root / "resumable" / created.id


def taken_over(store: LocalStore, upload_id: str) -> LocalResumable:
    taken = store.resumables.take_over(upload_id)
    assert taken is not None
    return taken


@pytest.fixture
def begun(store: LocalStore) -> LocalResumable:
    """An upload with all its bytes, which is not finished."""
    created = store.resumables.create(Known(len(CONTENT), "notes"))
    created.append(CONTENT)
    created.sync()
    return created


def test_bytes_are_synced_before_sync_returns_and_not_with_fast(root: Path, syscalls: Syscalls) -> None:
    for durable in (True, False):
        store = LocalStore(root, durable=durable)
        with store.resumables.create(Known()) as created:
            created.append(CONTENT)
            inode = (folder_of(root, created) / "data").stat().st_ino
            with syscalls:
                created.sync()
            synced = [call for call in syscalls.calls if call.name == "fsync" and call.inode == inode]
            assert bool(synced) is durable
            syscalls.calls.clear()


def test_a_name_is_durable_before_it_is_told(root: Path, syscalls: Syscalls) -> None:
    store = LocalStore(root)
    with syscalls:
        created = store.resumables.create(Known(5))
    folder = folder_of(root, created)
    synced = {call.inode for call in syscalls.calls if call.name == "fsync"}
    wanted = {path.stat().st_ino for path in (folder / "known", folder, folder.parent, root)}
    assert wanted <= synced
    created.close()


def test_files_are_for_the_owner_alone(root: Path, begun: LocalResumable) -> None:
    folder = folder_of(root, begun)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_process_that_was_killed_when_it_had_published_is_followed_by_one_that_ends_it(
    root: Path, store: LocalStore, begun: LocalResumable
) -> None:
    """The file that has its public name is never written to again."""
    os.link(folder_of(root, begun) / "data", root / "files" / NAME)
    with taken_over(store, begun.id) as upload:
        assert upload.known.stored is not None
        assert upload.known.stored.sha256 == NAME
        with pytest.raises(RuntimeError):
            upload.append(b"more")
    assert content_of(store, NAME) == CONTENT
    assert not (folder_of(root, begun) / "data").exists()


def test_another_process_goes_on_and_hashes_what_it_has_not_seen(root: Path, store: LocalStore) -> None:
    created = store.resumables.create(Known())
    others = [LocalStore(root), LocalStore(root), store]
    for number, piece in enumerate((b"hello", b" ", b"world")):
        with taken_over(others[number], created.id) as upload:
            upload.append(piece)
    with taken_over(others[0], created.id) as upload:
        assert upload.finish().sha256 == NAME
    with pytest.raises(TakenOver):
        created.append(b"late")


def test_a_damaged_file_of_the_same_name_is_replaced(
    root: Path, store: LocalStore, begun: LocalResumable
) -> None:
    upload(store, CONTENT)
    (root / "files" / NAME).write_bytes(b"damaged")
    with begun:
        assert begun.finish().sha256 == NAME
    assert content_of(store, NAME) == CONTENT
    assert sorted(path.name for path in folder_of(root, begun).iterdir()) == ["known", "writer"]


@pytest.mark.parametrize("name", ["known", "data"])
def test_an_upload_whose_files_are_damaged_is_an_error(
    root: Path, store: LocalStore, begun: LocalResumable, name: str
) -> None:
    path = folder_of(root, begun) / name
    if name == "known":
        path.write_bytes(b"{}")
    else:
        path.unlink()
    with pytest.raises(OSError):
        store.resumables.take_over(begun.id)


def test_a_folder_of_a_process_that_was_killed_when_it_had_just_begun_is_no_upload(
    root: Path, store: LocalStore
) -> None:
    folder = root / "resumable" / ("0" * 32)
    folder.mkdir(parents=True)
    assert store.resumables.take_over("0" * 32) is None
    assert store.resumables.remove_older(3600) == 0
    assert store.resumables.remove_older(-1) == 1
    assert not folder.exists()


def test_what_nobody_here_has_written_is_not_removed(
    root: Path, store: LocalStore, begun: LocalResumable
) -> None:
    (folder_of(root, begun) / "mine").touch()
    (root / "resumable" / "mine").mkdir()
    assert store.resumables.remove_older(-1) == 0
    assert (folder_of(root, begun) / "mine").exists()
    assert (root / "resumable" / "mine").exists()


def test_taking_an_upload_over_does_not_make_it_younger(
    root: Path, store: LocalStore, begun: LocalResumable
) -> None:
    old = time.time() - 1000
    for name in ("data", "known"):
        os.utime(folder_of(root, begun) / name, (old, old))
    with taken_over(store, begun.id) as upload:
        assert upload.age > 999
    assert store.resumables.remove_older(2000) == 0
    assert store.resumables.remove_older(900) == 1


def test_an_upload_that_is_being_written_is_not_removed(store: LocalStore, begun: LocalResumable) -> None:
    with begun._turn():
        assert store.resumables.remove_older(-1) == 0
    assert store.resumables.remove_older(-1) == 1


def test_a_store_that_is_gone_is_an_error(root: Path, store: LocalStore, begun: LocalResumable) -> None:
    root.rename(root.with_name("moved"))
    for call in (
        lambda: store.resumables.create(Known()),
        lambda: store.resumables.take_over(begun.id),
        lambda: store.resumables.remove_older(1),
    ):
        with pytest.raises(OSError):
            call()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_each_call_of_the_end_may_fail_and_a_later_request_ends_it(
    root: Path, syscalls: Syscalls, error: int
) -> None:
    """A file whose end has failed is not stored, or its upload is complete."""
    failed = 0
    for number in range(200):
        store = LocalStore(root)
        content = CONTENT + b" %d %d" % (error, number)
        created = store.resumables.create(Known(len(content)))
        created.append(content)
        syscalls.calls.clear()
        syscalls.fail(number, error)
        with syscalls:
            try:
                created.finish()
            except OSError:
                failed += 1
                ended = False
            else:
                ended = True
        syscalls.before = lambda call: None
        created.close()
        if not ended:
            stored = content_of(store, sha256(content))
            with taken_over(store, created.id) as upload:
                assert (stored is not None) <= (upload.known.stored is not None)
                assert upload.offset == len(content)
                assert upload.finish().sha256 == sha256(content)
        assert content_of(store, sha256(content)) == content
        if len(syscalls.calls) <= number:
            break
    assert 10 < failed < 200


def test_a_write_that_fails_in_the_middle_tells_no_wrong_offset(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = store.resumables.create(Known())
    real, calls = os.pwrite, 0

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.ENOSPC, "full")
        return real(fd, data[:4], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with created, pytest.raises(OSError):
        created.append(CONTENT)
    monkeypatch.setattr(os, "pwrite", real)
    with taken_over(store, created.id) as upload:
        assert upload.offset == 4
        upload.append(CONTENT[4:])
        assert upload.finish().sha256 == NAME
