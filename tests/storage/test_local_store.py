"""What only the local store guarantees: order of calls, modes, descriptors, no overwriting."""

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servers.storage import local_upload
from servers.storage.local import LocalStore
from servers.storage.local_folders import Folders
from servers.storage.local_upload import LocalUpload
from tests.storage.syscalls import Syscalls, open_descriptors
from tests.storage.uploads import add, content_of, sha256, staged, upload


@pytest.fixture
def no_unnamed_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without O_TMPFILE."""
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)


class TestOrder:
    """X01, audit step 6: last write, fsync of the file, link, fsync of the folder."""

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_each_file_is_synced_before_it_is_linked_and_the_folder_after(
        self, store: LocalStore, root: Path, syscalls: Syscalls, count: int
    ) -> None:
        contents = [b"content %d" % number for number in range(count)]
        with syscalls:
            upload(store, *contents)
        done = [(call.name, call.inode) for call in syscalls.calls]
        linked = [call.arguments[1] if call.name == "link" else None for call in syscalls.calls]
        folder = (root / "files").stat().st_ino
        syncs = [index for index, call in enumerate(done) if call[0] == "fsync"]
        assert len(syncs) == count + 1
        for content in contents:
            inode = (root / "files" / sha256(content)).stat().st_ino
            write = done.index(("write", inode))
            sync = done.index(("fsync", inode))
            link = linked.index(sha256(content))
            assert write < sync < link < done.index(("fsync", folder))
            assert linked.count(sha256(content)) == 1
        assert max(syncs[:-1]) < min(index for index, call in enumerate(done) if call[0] == "link")

    def test_content_that_is_stored_already_is_synced(
        self, root: Path, store: LocalStore, syscalls: Syscalls
    ) -> None:
        upload(LocalStore(root, durable=False), b"content")
        with syscalls:
            upload(store, b"content")
        inodes = [call.inode for call in syscalls.calls if call.name == "fsync"]
        assert inodes == [
            path.stat().st_ino for path in (root / "files" / sha256(b"content"), root / "files")
        ]
        assert "link" not in syscalls.names()

    def test_the_folders_are_durable_before_the_first_file(self, tmp_path: Path, syscalls: Syscalls) -> None:
        with syscalls:
            LocalStore(tmp_path / "a" / "b")
        inodes = [call.inode for call in syscalls.calls if call.name == "fsync"]
        marker = tmp_path / "a/b/wireproof-store"
        assert inodes == [path.stat().st_ino for path in (tmp_path, tmp_path / "a", marker, tmp_path / "a/b")]

    def test_durable_false_never_syncs(self, root: Path, syscalls: Syscalls) -> None:
        with syscalls:
            store = LocalStore(root, durable=False)
            upload(store, b"one", b"two", b"one")
            upload(store, b"one")
        assert "fsync" not in syscalls.names()
        assert sorted(store.names()) == sorted([sha256(b"one"), sha256(b"two")])

    def test_one_small_file_costs_few_calls(self, store: LocalStore, syscalls: Syscalls) -> None:
        with syscalls:
            upload(store, b"content")
        assert syscalls.names() == [
            *("open", "fstat", "open", "close"),  # the last two read the marker, at most ten times a second
            *("open", "fchmod", "write"),
            *("open", "fstat", "fsync", "link", "fsync"),
            *("close", "close"),
        ]

    def test_an_upload_without_files_costs_nothing(self, store: LocalStore, syscalls: Syscalls) -> None:
        with syscalls:
            upload(store)
        assert syscalls.calls == []


class TestDescriptors:
    """H071, H098: at most four in each request, none afterwards."""

    @pytest.mark.parametrize("durable", [True, False])
    def test_a_request_of_1000_files_holds_four(self, root: Path, durable: bool, syscalls: Syscalls) -> None:
        store = LocalStore(root, durable=durable)
        before = open_descriptors()
        contents = [b"%d" % number for number in range(1000)]
        upload(store, *contents[500:510])
        with syscalls:
            upload(store, *contents)
        assert syscalls.most_descriptors == 4
        assert open_descriptors() == before
        assert len(list(store.names())) == 1000
        assert staged(root) == []

    @pytest.mark.parametrize("count", [1, 3])
    @pytest.mark.parametrize("damaged", [False, True])
    def test_replacing_a_damaged_file_needs_no_more(
        self, store: LocalStore, root: Path, syscalls: Syscalls, count: int, damaged: bool
    ) -> None:
        contents = [b"%d" % number for number in range(count)]
        upload(store, *contents)
        for path in (root / "files").iterdir():
            path.write_bytes(b"torn" if damaged else path.read_bytes())
        with syscalls:
            upload(store, *contents)
        assert ("replace" in syscalls.names()) is damaged
        assert syscalls.most_descriptors <= 4

    def test_a_closed_upload_and_a_closed_file_hold_none(self, store: LocalStore) -> None:
        before = open_descriptors()
        upload(store, b"content", b"more")
        begun = store.begin()
        for _ in range(3):
            begun.new_file().close()
        begun.new_file()
        begun.abort()
        file = store.open(sha256(b"content"))
        assert file is not None
        assert open_descriptors() == before + 1
        file.close()
        assert open_descriptors() == before


class TestStaging:
    """Where the files are until they are published."""

    def test_the_first_file_has_no_name_and_the_others_a_private_folder(
        self, store: LocalStore, root: Path
    ) -> None:
        with store.begin() as begun:
            for expected in ([], [1], [1, 1]):
                begun.new_file().close()
                folders = list((root / "staging").iterdir()) if (root / "staging").exists() else []
                assert [1 for folder in folders for _ in folder.iterdir()] == expected
                assert len(folders) == bool(expected)
        assert staged(root) == []

    def test_the_file_after_a_discarded_first_one_has_no_name(self, store: LocalStore, root: Path) -> None:
        with store.begin() as begun:
            for _ in range(3):
                begun.new_file().discard()
            begun.new_file().close()
            begun.new_file().discard()
            assert len(staged(root)) == 1
            begun.publish()
        assert staged(root) == []

    @pytest.mark.usefixtures("no_unnamed_files")
    def test_without_unnamed_files_all_are_staged(self, store: LocalStore, root: Path) -> None:
        with store.begin() as begun:
            writer = begun.new_file()
            writer.write(b"content")
            assert len(staged(root)) == 2
        assert staged(root) == []
        upload(store, b"content", b"more")
        upload(store, b"content")
        assert sorted(store.names()) == sorted([sha256(b"content"), sha256(b"more")])
        assert staged(root) == []
        assert store.is_writable()

    def test_without_proc_all_are_staged(self, root: Path) -> None:
        with LocalUpload(Folders(root, durable=True), unnamed=False) as begun:
            begun.new_file().close()
            assert len(staged(root)) == 2
            begun.publish()
        assert [path.name for path in (root / "files").iterdir()] == [sha256(b"")]

    def test_the_names_of_request_folders_cannot_be_guessed(self, store: LocalStore, root: Path) -> None:
        names = set()
        for _ in range(50):
            with store.begin() as begun:
                begun.new_file().close()
                begun.new_file().close()
                names.add(staged(root)[0].name)
        assert len(names) == 50
        assert all(len(name.partition("-")[2]) == 32 for name in names)  # H160: 128 bits


class TestNoOverwriting:
    """A stored file keeps its inode."""

    @pytest.mark.parametrize("before", [[], [b"first"]])
    def test_the_stored_inode_stays(self, store: LocalStore, root: Path, before: list[bytes]) -> None:
        upload(store, b"content")
        path = root / "files" / sha256(b"content")
        inode = path.stat().st_ino
        upload(store, *before, b"content")
        assert path.stat().st_ino == inode
        assert path.stat().st_nlink == 1

    def test_a_file_open_for_reading_survives_its_removal(self, store: LocalStore, root: Path) -> None:
        upload(store, b"content")
        file = store.open(sha256(b"content"))
        assert file is not None
        with file:
            (root / "files" / sha256(b"content")).unlink()
            assert file.read(0, 99) == b"content"
        assert store.open(sha256(b"content")) is None


@pytest.fixture(params=[0, 0o022, 0o077, 0o777])
def umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    assert tmp_path.is_dir()  # created before, with the usual umask
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


class TestModes:
    """H161: files 0600 and folders 0700, whatever the umask."""

    @pytest.mark.usefixtures("umask")
    def test_files_and_folders_are_private(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path / "new" / "store")
        with store.begin() as begun:
            for content in (b"one", b"two", b"three"):
                add(begun, content)
                self.assert_private(tmp_path)
            begun.publish()
        assert len(list(store.names())) == 3
        self.assert_private(tmp_path)

    @pytest.mark.usefixtures("umask", "no_unnamed_files")
    def test_staged_files_are_private(self, tmp_path: Path) -> None:
        with LocalStore(tmp_path / "store").begin() as begun:
            begun.new_file()
            self.assert_private(tmp_path)

    @staticmethod
    def assert_private(folder: Path) -> None:
        for path in folder.rglob("*"):
            mode = path.stat().st_mode
            assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), path

    def test_a_root_that_exists_keeps_its_mode(self, root: Path) -> None:
        root.mkdir()
        root.chmod(0o755)
        LocalStore(root)
        assert stat.S_IMODE(root.stat().st_mode) == 0o755


def make_link(path: Path) -> None:
    secret = path.parent.parent / "secret"
    secret.write_bytes(b"content")
    path.symlink_to(secret)


def make_socket(path: Path) -> None:
    # The path of a Unix socket must be short, so bind it in its folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


INTRUDERS: list[Callable[[Path], object]] = [
    make_link,
    lambda path: path.symlink_to("/nowhere"),
    Path.mkdir,
    lambda path: os.mkfifo(path),
    make_socket,
]


class TestIntruders:
    """H153: things in the folders of the store that the store did not create."""

    @pytest.mark.parametrize("make", INTRUDERS)
    @pytest.mark.parametrize("before", [[], [b"first"]])
    def test_only_regular_files_are_served_and_trusted(
        self, store: LocalStore, root: Path, make: Callable[[Path], object], before: list[bytes]
    ) -> None:
        path = root / "files" / sha256(b"content")
        make(path)
        kind = stat.S_IFMT(path.lstat().st_mode)
        descriptors = open_descriptors()
        assert store.open(path.name) is None
        with pytest.raises(OSError, match=r"\[Errno"):
            upload(store, *before, b"content")
        assert stat.S_IFMT(path.lstat().st_mode) == kind
        assert open_descriptors() == descriptors
        assert staged(root) == []
        assert store.open(sha256(b"first")) is None

    def test_a_link_in_the_place_of_the_folder_is_refused(self, store: LocalStore, root: Path) -> None:
        upload(store, b"content")
        (root / "files").rename(root / "elsewhere")
        (root / "files").symlink_to(root / "elsewhere")
        for call in (lambda: store.open(sha256(b"content")), lambda: upload(store, b"more"), store.names):
            with pytest.raises(OSError, match=r"\[Errno"):
                call()
        assert not store.is_writable()

    def test_other_names_are_not_stored_files(self, store: LocalStore, root: Path) -> None:
        upload(store, b"content")
        (root / "files" / "README").write_bytes(b"")
        (root / "files" / f"{sha256(b'')}.part").write_bytes(b"")
        assert list(store.names()) == [sha256(b"content")]


def test_a_large_file_is_written_without_copying_its_buffer(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = bytearray(os.urandom(1 << 20))
    seen = []
    real = os.write

    def write(fd: int, data: memoryview) -> int:
        seen.append(data.obj is buffer)
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    with store.begin() as begun:
        writer = begun.new_file()
        for _ in range(3):
            writer.write(memoryview(buffer)[1:])
        writer.close()
        begun.publish()
    assert seen == [True, True, True]
    assert content_of(store, sha256(bytes(buffer[1:]) * 3)) == bytes(buffer[1:]) * 3


@pytest.mark.parametrize("durable", [True, False])
def test_the_disk_begins_to_write_a_large_file_while_it_is_received(
    root: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda fd, offset, size, _: begun.append((offset, size)))
    monkeypatch.setattr(local_upload, "_WRITE_BACK", 10)
    with LocalStore(root, durable=durable).begin() as upload:
        writer = upload.new_file()
        for size in (4, 7, 9, 25, 3):
            writer.write(bytes(size))
        writer.close()
        upload.publish()
    assert begun == ([(0, 11), (11, 34)] if durable else [])
