"""What every store guarantees for uploads that come in pieces."""

import hashlib
import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers.contract.limits import Limits
from servers.settings import start_upkeep
from servers.storage import Store, open_store
from servers.storage.memory import MemoryStore
from servers.storage.resumable import Known, ResumableUpload, TakenOver, new_id
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually, patient
from tests.storage.uploads import content_of, sha256, upload

PART = 6 * 1024 * 1024


@pytest.fixture(params=["file", "memory", "s3"])
def spec(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "s3":
        return {"file": f"file:{tmp_path}/store", "memory": "memory:"}[request.param]
    objects: ObjectStore = request.getfixturevalue("object_store")
    for name, value in objects.environ.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


@pytest.fixture
def store(spec: str) -> Store:
    return open_store(spec, durable=True)


def taken_over(store: Store, upload_id: str) -> ResumableUpload:
    upload = store.resumables.take_over(upload_id)
    assert upload is not None
    return upload


def test_a_new_upload_has_no_bytes_and_what_is_known_of_it(store: Store) -> None:
    with store.resumables.create(Known(9, "the notes é")) as created:
        pass
    with taken_over(store, created.id) as upload:
        assert (upload.offset, upload.known) == (0, Known(9, "the notes é"))
        assert upload.age < patient(60)


def test_pieces_become_one_file(store: Store) -> None:
    content = random.Random(1).randbytes(PART + 100_000)
    with store.resumables.create(Known()) as created:
        created.append(content[:5])
    offset = 5
    with taken_over(store, created.id) as upload:
        upload.sync()
    for size in (1, 70_000, len(content)):
        with taken_over(store, created.id) as upload:
            offset = upload.offset
            upload.append(memoryview(content)[offset : offset + size])
            upload.sync()
    with taken_over(store, created.id) as upload:
        assert upload.offset == len(content)
        assert list(store.names()) == []
        stored = upload.finish()
        assert upload.finish() == stored
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert content_of(store, stored.sha256) == content
    with taken_over(store, created.id) as upload:
        assert (upload.offset, upload.known.length) == (len(content), len(content))
        assert upload.known.stored == stored
        assert upload.finish() == stored
        with pytest.raises(RuntimeError):
            upload.append(b"more")


def test_an_upload_without_bytes_is_an_empty_file(store: Store) -> None:
    with store.resumables.create(Known(0)) as created:
        assert created.finish().sha256 == sha256(b"")
    assert content_of(store, sha256(b"")) == b""


def test_content_that_is_stored_already_is_published_again(store: Store) -> None:
    (stored,) = upload(store, b"content")
    with store.resumables.create(Known()) as created:
        created.append(b"content")
        assert created.finish() == stored
    assert content_of(store, stored.sha256) == b"content"


def test_synced_bytes_are_there_for_who_takes_over_while_it_is_open(store: Store) -> None:
    created = store.resumables.create(Known())
    created.append(b"synced")
    created.sync()
    with taken_over(store, created.id) as upload:
        assert upload.offset == 6


@pytest.mark.parametrize("call", ["append", "set_length", "finish", "remove"])
def test_who_was_taken_over_can_do_nothing_more(store: Store, call: str) -> None:
    created = store.resumables.create(Known())
    created.append(b"first")
    created.sync()
    with taken_over(store, created.id) as upload:
        with pytest.raises(TakenOver):
            if call == "append":
                created.append(b"late")
                created.sync()  # a bucket keeps a small piece in memory until then
            elif call == "set_length":
                created.set_length(9)
            else:
                getattr(created, call)()
        created.close()
        upload.append(b" second")
        stored = upload.finish()
    assert content_of(store, stored.sha256) == b"first second"


def test_who_was_taken_over_may_tell_what_it_has_written(store: Store) -> None:
    """A slow look at an upload does not fail because somebody has come after it."""
    created = store.resumables.create(Known())
    created.append(b"first")
    created.sync()
    look = taken_over(store, created.id)
    with taken_over(store, created.id) as upload:
        upload.append(b" second")
        upload.sync()
        look.sync()
        assert look.offset == 5
        assert upload.offset == 12


def test_writers_at_the_same_time_never_interleave(store: Store) -> None:
    """Each writes a piece of its own letter. Who was not taken over has told its offset, and it holds."""
    created = store.resumables.create(Known())
    created.close()
    told: list[tuple[int, int, bytes]] = []
    lock = threading.Lock()
    count = 12

    def write(number: int) -> None:
        letter = bytes([97 + number])
        try:
            with taken_over(store, created.id) as upload:
                begin = upload.offset
                for _ in range(4):
                    upload.append(letter * 25)
                upload.sync()
                with lock:
                    told.append((begin, upload.offset, letter))
        except TakenOver:
            pass

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(write, range(count)))
    with taken_over(store, created.id) as upload:
        size = upload.offset
        content = content_of(store, upload.finish().sha256)
    assert content is not None
    assert len(content) == size
    for begin, end, letter in told:
        assert content[begin:end] == letter * 100
    assert size >= 100 * len(told)


def test_a_length_that_comes_later_is_kept(store: Store) -> None:
    with store.resumables.create(Known(None, "notes")) as created:
        created.set_length(5)
        assert created.known == Known(5, "notes")
    with taken_over(store, created.id) as upload:
        assert upload.known == Known(5, "notes")


def test_a_removed_upload_is_gone_and_its_file_stays(store: Store) -> None:
    with store.resumables.create(Known()) as created:
        created.append(b"content")
        stored = created.finish()
        created.remove()
    assert store.resumables.take_over(created.id) is None
    assert content_of(store, stored.sha256) == b"content"


def test_a_removed_upload_leaves_no_bytes(store: Store) -> None:
    with store.resumables.create(Known()) as created:
        created.append(b"content")
        created.sync()
        created.remove()
    assert store.resumables.take_over(created.id) is None
    assert list(store.names()) == []


@pytest.mark.parametrize("name", ["", "x", "..", "0" * 31, "0" * 33, "A" * 32, "../files", "0" * 32])
def test_no_other_name_is_an_upload(store: Store, name: str) -> None:
    assert store.resumables.take_over(name) is None


def test_old_uploads_are_removed_and_young_ones_stay(store: Store) -> None:
    with store.resumables.create(Known()) as created:
        created.append(b"content")
        created.sync()
    with store.resumables.create(Known()) as complete:
        complete.append(b"stored")
        complete.finish()
    assert store.resumables.remove_older(3600) == 0
    assert taken_over(store, created.id).offset == 7
    # The times of an object store are whole seconds.
    assert store.resumables.remove_older(-2) == 2
    assert store.resumables.take_over(created.id) is None
    assert store.resumables.take_over(complete.id) is None
    assert content_of(store, sha256(b"stored")) == b"stored"


def test_a_server_removes_old_uploads_now_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servers.settings._EXPIRE_SECONDS", 0.01)

    class Swept(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.asked: list[float] = []
            self.resumables.remove_older = self._note  # type: ignore[method-assign]

        def _note(self, seconds: float) -> int:
            self.asked.append(seconds)
            return 0

    store = Swept()
    start_upkeep(store, Limits(resume_timeout=1))
    assert eventually(lambda: len(store.asked) >= 2)
    assert set(store.asked) == {1}
    monkeypatch.undo()  # its thread goes on, an hour apart


def test_an_upload_without_a_name_of_ours_is_not_made(store: Store) -> None:
    assert store.resumables.take_over(new_id()) is None
    assert store.resumables.remove_older(-2) == 0


def test_a_closed_upload_takes_no_calls(store: Store) -> None:
    created = store.resumables.create(Known())
    created.close()
    created.close()
    with pytest.raises(RuntimeError):
        created.append(b"x")
    with pytest.raises(RuntimeError):
        created.sync()
