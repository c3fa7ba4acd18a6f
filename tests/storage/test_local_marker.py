"""The marker of a store: made once, and another folder in the place of the store is never used."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from servers.storage.local import LocalStore
from servers.storage.local_marker import MARKER
from tests.storage.syscalls import Syscalls
from tests.storage.uploads import content_of, sha256, staged, upload

PROJECT = Path(__file__).resolve().parents[2]


def is_refused(store: LocalStore) -> None:
    """Uploads and reads fail, and nothing of a stored file is said to be missing."""
    assert not store.is_writable()
    for call in (lambda: upload(store, b"x"), lambda: store.open(sha256(b"kept")), store.names, store.clean):
        with pytest.raises(OSError, match=r"\[Errno"):
            call()


def no_longer_there(root: Path) -> None:
    root.rename(root.with_name("aside"))


def bare_mount_point(root: Path) -> None:
    no_longer_there(root)
    root.mkdir()


def bare_mount_point_where_files_were_stored(root: Path) -> None:
    bare_mount_point(root)
    (root / "files").mkdir()
    (root / "files" / sha256(b"old")).write_bytes(b"old")


def another_store(root: Path) -> None:
    no_longer_there(root)
    LocalStore(root)


def copy_with_the_same_identity(root: Path) -> None:
    no_longer_there(root)
    shutil.copytree(root.with_name("aside"), root)


def files_of_another_folder(root: Path) -> None:
    """As if a volume were mounted at `ROOT/files` and not at ROOT."""
    (root / "files").rename(root.with_name("files aside"))
    (root / "files").mkdir()


@pytest.mark.parametrize(
    "replace",
    [
        no_longer_there,
        bare_mount_point,
        bare_mount_point_where_files_were_stored,
        another_store,
        copy_with_the_same_identity,
        files_of_another_folder,
    ],
)
def test_another_folder_in_the_place_of_the_store_is_not_used(
    store: LocalStore, root: Path, replace: Callable[[Path], None]
) -> None:
    upload(store, b"kept")
    replace(root)
    before = sorted(root.rglob("*"))
    is_refused(store)
    assert sorted(root.rglob("*")) == before
    if root.with_name("files aside").exists():
        (root / "files").rmdir()
        root.with_name("files aside").rename(root / "files")
    else:
        shutil.rmtree(root, ignore_errors=True)
        root.with_name("aside").rename(root)
    assert content_of(store, sha256(b"kept")) == b"kept"
    upload(store, b"x")
    assert store.is_writable()


@pytest.mark.parametrize("content", [None, b"", b"0" * 32 + b"\n", b"f" * 100])
def test_another_identity_at_the_same_inode_is_not_the_store(
    store: LocalStore, root: Path, content: bytes | None
) -> None:
    """As if another volume were mounted from the same device: new file systems give the same inodes."""
    before = (root / MARKER).read_bytes()
    if content is None:
        (root / MARKER).unlink()
    else:
        (root / MARKER).write_bytes(content)
    is_refused(store)
    (root / MARKER).write_bytes(before)
    upload(store, b"x")


def test_the_marker_is_private_and_each_store_has_its_own(tmp_path: Path) -> None:
    lines = set()
    for number in range(3):
        for _ in range(2):
            LocalStore(tmp_path / str(number))
            lines.add((tmp_path / str(number) / MARKER).read_bytes())
        assert stat.S_IMODE((tmp_path / str(number) / MARKER).stat().st_mode) == 0o600
        assert staged(tmp_path) == []
    assert sorted(map(len, lines)) == [33, 33, 33]


def test_a_store_without_a_marker_gets_one_and_keeps_its_files(store: LocalStore, root: Path) -> None:
    upload(store, b"kept")
    (root / MARKER).unlink()
    with pytest.raises(FileNotFoundError, match=MARKER):
        LocalStore(root, existing=True)
    assert content_of(LocalStore(root), sha256(b"kept")) == b"kept"
    assert content_of(LocalStore(root, existing=True), sha256(b"kept")) == b"kept"


def test_a_damaged_marker_is_named(root: Path) -> None:
    LocalStore(root)
    (root / MARKER).write_bytes(b"")
    for existing in (False, True):
        with pytest.raises(OSError, match=f"its file {MARKER} is damaged: delete it"):
            LocalStore(root, existing=existing)


@pytest.mark.parametrize("durable", [True, False])
def test_an_existing_store_is_only_looked_at(root: Path, syscalls: Syscalls, durable: bool) -> None:
    LocalStore(root)
    with syscalls:
        LocalStore(root, durable=durable, existing=True)
    assert set(syscalls.names()) <= {"stat", "open", "fstat", "close", "fsync"}


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "fsync", "link"])
def test_a_start_that_fails_leaves_no_marker_and_the_next_one_succeeds(
    root: Path, syscalls: Syscalls, call: str
) -> None:
    root.mkdir()
    syscalls.fail_call(call, errno.EIO)
    with syscalls, pytest.raises(OSError, match="Input/output"):
        LocalStore(root)
    assert not (root / MARKER).exists()
    assert staged(root) == []
    upload(LocalStore(root), b"x")


# Starts at the same moment as others, and prints the identity that it found and kept.
STARTER = """
import sys
from pathlib import Path
from servers.storage import open_store
sys.stdin.readline()
store = open_store(sys.argv[1], durable=True)
assert store.is_writable()
print(Path(sys.argv[1], "wireproof-store").read_text().strip())
"""


def test_of_servers_that_start_at_the_same_time_one_makes_the_marker(root: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(root)]
    pipe = subprocess.PIPE
    starters = [subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    try:
        for starter in starters:
            assert starter.stdin is not None
            starter.stdin.write("now\n")
            starter.stdin.flush()
        said = [starter.communicate(timeout=100)[0] for starter in starters]
    finally:
        for starter in starters:
            starter.kill()
    assert [starter.returncode for starter in starters] == [0] * 6
    assert len(set(said)) == 1
    assert len(said[0].strip()) == 32
    assert staged(root) == []


def test_a_marker_that_another_server_writes_meanwhile_is_kept(root: Path, syscalls: Syscalls) -> None:
    others: list[bytes] = []

    def before(call: object) -> None:
        if not others and syscalls.names()[-1] == "link":
            LocalStore(root)
            others.append((root / MARKER).read_bytes())

    syscalls.before = before
    with syscalls:
        store = LocalStore(root)
    assert [(root / MARKER).read_bytes()] == others
    upload(store, b"x")


def test_the_marker_is_not_read_for_every_upload(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, syscalls: Syscalls
) -> None:
    monkeypatch.setattr("servers.storage.local_marker._TRUST_SECONDS", 60.0)
    upload(store, b"1")
    with syscalls:
        upload(store, b"2")
    assert [call.name for call in syscalls.calls if MARKER in call.arguments[0]] == []
    assert os.listdir(store._folders.files)  # noqa: PTH208
