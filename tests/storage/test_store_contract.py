"""What every store guarantees (contract section 7)."""

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from servers.metrics import MeteredStore
from servers.storage import SCHEMES, Store, StoredFile, open_store
from servers.storage.local import LocalStore
from servers.storage.memory import MemoryStore
from tests.object_store import BUCKET, ObjectStore
from tests.storage.uploads import add, content_of, sha256, upload

NOTHING = sha256(b"")


@pytest.fixture(params=["file", "memory", "s3", "metered"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "metered":
        return MeteredStore(LocalStore(tmp_path / "store"), lambda *_: None)
    if request.param != "s3":
        return open_store(
            {"file": f"file:{tmp_path}/store", "memory": "memory:"}[request.param], durable=True
        )
    objects: ObjectStore = request.getfixturevalue("object_store")
    for name, value in objects.environ.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{BUCKET}/{secrets.token_hex(8)}", durable=True)


def test_every_scheme_is_under_test() -> None:
    assert set(SCHEMES) == {"file", "memory", "s3"}


def test_a_published_file_is_read_back_by_its_hash(store: Store) -> None:
    (stored,) = upload(store, b"content")
    assert stored == StoredFile(sha256(b"content"), 7)
    assert content_of(store, stored.sha256) == b"content"
    assert list(store.names()) == [stored.sha256]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_all_files_of_an_upload_are_published(store: Store, count: int) -> None:
    contents = [b"%d" % number for number in range(count)]
    stored = upload(store, *contents)
    assert [content_of(store, file.sha256) for file in stored] == contents
    assert sorted(store.names()) == sorted(map(sha256, contents))


def test_nothing_is_visible_before_it_is_published(store: Store) -> None:
    with store.begin() as begun:
        for content in (b"first", b"second"):
            add(begun, content)
            assert list(store.names()) == []
            assert store.open(sha256(content)) is None
        begun.publish()
        assert sorted(store.names()) == sorted([sha256(b"first"), sha256(b"second")])


def test_an_empty_file_is_a_file(store: Store) -> None:
    assert upload(store, b"") == [StoredFile(NOTHING, 0)]
    assert content_of(store, NOTHING) == b""


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_file_is_written_in_pieces_of_every_type(
    store: Store, kind: Callable[[bytes], bytes | bytearray | memoryview]
) -> None:
    with store.begin() as begun:
        writer = begun.new_file()
        for piece in (b"a" * 70_000, b"", b"b", b"c" * 3):
            writer.write(kind(piece))
        stored = writer.close()
        begun.publish()
    assert content_of(store, stored.sha256) == b"a" * 70_000 + b"bccc"
    assert stored.size == 70_004


def test_a_written_buffer_may_be_reused_at_once(store: Store) -> None:
    with store.begin() as begun:
        writer = begun.new_file()
        buffer = bytearray(b"content")
        writer.write(buffer)
        buffer[:] = b"other bytes now"
        assert writer.close().sha256 == sha256(b"content")
        begun.publish()
    assert content_of(store, sha256(b"content")) == b"content"


def test_the_same_content_twice_in_a_request_is_one_file(store: Store) -> None:
    first, other, second = upload(store, b"same", b"other", b"same")
    assert first == second
    assert sorted(store.names()) == sorted({first.sha256, other.sha256})
    assert content_of(store, first.sha256) == b"same"


def test_content_that_is_stored_already_is_published_again(store: Store) -> None:
    upload(store, b"old")
    upload(store, b"new", b"old")
    upload(store, b"old")
    assert sorted(store.names()) == sorted([sha256(b"new"), sha256(b"old")])
    assert content_of(store, sha256(b"old")) == b"old"


@pytest.mark.parametrize("closed", [0, 1, 2, 3])
@pytest.mark.parametrize("half_written", [False, True])
def test_leaving_without_publish_leaves_nothing(store: Store, closed: int, half_written: bool) -> None:
    with store.begin() as begun:
        for number in range(closed):
            add(begun, b"%d" % number)
        if half_written:
            begun.new_file().write(b"half")
    assert list(store.names()) == []


def test_an_exception_aborts_the_upload_and_is_raised(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as begun:
        add(begun, b"content")
        raise ZeroDivisionError
    assert list(store.names()) == []


def test_abort_is_safe_twice_and_after_publish(store: Store) -> None:
    with store.begin() as begun:
        add(begun, b"kept")
        begun.publish()
        begun.abort()
        begun.abort()
    assert list(store.names()) == [sha256(b"kept")]


@pytest.mark.parametrize("dropped", [0, 1, 2])
@pytest.mark.parametrize("closed", [False, True])
def test_a_discarded_file_does_not_count(store: Store, dropped: int, closed: bool) -> None:
    contents = [b"0", b"1", b"2"]
    with store.begin() as begun:
        for number, content in enumerate(contents):
            writer = begun.new_file()
            writer.write(content)
            if number != dropped or closed:
                writer.close()
            if number == dropped:
                writer.discard()
                writer.discard()
        begun.publish()
        writer.discard()
    del contents[dropped]
    assert sorted(store.names()) == sorted(map(sha256, contents))


@pytest.mark.parametrize("dropped", [0, 1])
def test_discarding_one_of_two_equal_files_keeps_the_other(store: Store, dropped: int) -> None:
    with store.begin() as begun:
        writers = []
        for _ in range(2):
            writers.append(begun.new_file())
            writers[-1].write(b"same")
            writers[-1].close()
        writers[dropped].discard()
        begun.publish()
    assert list(store.names()) == [sha256(b"same")]


def test_a_second_close_returns_the_same(store: Store) -> None:
    with store.begin() as begun:
        writer = begun.new_file()
        writer.write(b"content")
        assert writer.close() == writer.close() == StoredFile(sha256(b"content"), 7)
        begun.publish()
        assert writer.close() == StoredFile(sha256(b"content"), 7)


def test_calls_in_the_wrong_order_are_refused(store: Store) -> None:
    with store.begin() as begun:
        writer = begun.new_file()
        with pytest.raises(RuntimeError):
            begun.new_file()
        with pytest.raises(RuntimeError):
            begun.publish()
        writer.close()
        with pytest.raises(RuntimeError):
            writer.write(b"late")
        dropped = begun.new_file()
        dropped.discard()
        with pytest.raises(RuntimeError):
            dropped.write(b"late")
        with pytest.raises(RuntimeError):
            dropped.close()
        begun.publish()
        for call in (begun.publish, begun.new_file):
            with pytest.raises(RuntimeError, match="published"):
                call()
    assert list(store.names()) == [NOTHING]


def test_an_aborted_upload_accepts_no_more_calls(store: Store) -> None:
    begun = store.begin()
    writer = begun.new_file()
    begun.abort()
    for call in (begun.publish, begun.new_file, writer.close, lambda: writer.write(b"late")):
        with pytest.raises(RuntimeError, match=r"aborted|discarded"):
            call()
    assert list(store.names()) == []


@pytest.mark.parametrize(
    ("offset", "length", "piece"),
    [(0, 10, b"0123456789"), (0, 0, b""), (3, 4, b"3456"), (8, 10, b"89"), (10, 1, b""), (99, 1, b"")],
)
def test_a_range_is_read_from_its_offset(store: Store, offset: int, length: int, piece: bytes) -> None:
    (stored,) = upload(store, b"0123456789")
    file = store.open(stored.sha256)
    assert file is not None
    with file:
        assert file.size == 10
        assert file.read(offset, length) == piece


def test_a_closed_file_cannot_be_read(store: Store) -> None:
    (stored,) = upload(store, b"content")
    file = store.open(stored.sha256)
    assert file is not None
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(0, 1)


NO_HASHES = ["", ".", "..", "a", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "g", "0" * 64 + "\n", "\u0660" * 64]
NO_HASHES += [
    f"../files/{NOTHING}",
    "/etc/passwd",
    f"{NOTHING}/",
    NOTHING.upper(),
    f"{NOTHING}\0",
    f" {NOTHING}",
]


@pytest.mark.parametrize("name", NO_HASHES)
def test_a_name_that_is_not_a_hash_finds_no_file(store: Store, name: str) -> None:
    upload(store, b"")
    assert store.open(name) is None  # H150, H151, H152


def test_an_unknown_hash_finds_no_file(store: Store) -> None:
    assert store.open(NOTHING) is None


def test_a_new_store_is_writable_and_clean(store: Store) -> None:
    assert store.is_writable()
    assert store.clean() == 0
    assert list(store.names()) == []


def test_uploads_of_many_threads_are_independent(store: Store) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                upload(store, b"shared", b"%d %d" % (number, turn), b"%d" % turn)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    contents = {b"shared"} | {b"%d" % turn for turn in range(10)}
    contents |= {b"%d %d" % (number, turn) for number in range(8) for turn in range(10)}
    assert sorted(store.names()) == sorted(map(sha256, contents))
    assert {content_of(store, name) for name in store.names()} == contents


class TestOpenStore:
    """The specification of a store on the command line."""

    @pytest.mark.parametrize("prefix", ["", "file:", "FILE:"])
    def test_a_path_is_a_local_directory(self, tmp_path: Path, prefix: str) -> None:
        store = open_store(f"{prefix}{tmp_path}/a/b", durable=False)
        assert isinstance(store, LocalStore)
        upload(store, b"content")
        assert (tmp_path / "a/b/files" / sha256(b"content")).read_bytes() == b"content"

    def test_a_path_with_a_colon_may_follow_a_slash(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert isinstance(open_store("./a:b", durable=True), LocalStore)
        assert (tmp_path / "a:b/files").is_dir()

    def test_memory_is_a_new_store_each_time(self) -> None:
        store = open_store("memory:", durable=True)
        assert isinstance(store, MemoryStore)
        upload(store, b"content")
        assert list(open_store("memory:", durable=True).names()) == []

    @pytest.mark.parametrize(
        "spec", ["", "file:", "memory:x", "s4://bucket", "s3:bucket", "s3://", "a:b", "http:x\ny"]
    )
    def test_an_invalid_store_is_refused(self, spec: str) -> None:
        with pytest.raises(ValueError, match=r"store"):
            open_store(spec, durable=True)

    def test_the_message_for_an_unknown_scheme_lists_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"scheme s4 \(known: file:, memory:, s3:"):
            open_store("s4://bucket", durable=True)

    def test_a_relative_path_stays_where_it_was_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = open_store("store", durable=True)
        monkeypatch.chdir("/")
        upload(store, b"content")
        assert len(list((tmp_path / "store/files").iterdir())) == 1
