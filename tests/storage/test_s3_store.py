"""The store in a bucket: what is staged, what is confirmed, what is left and who removes it."""

import os
import secrets
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from errno import EFBIG, EIO
from pathlib import Path

import pytest

from servers.storage import open_store, s3_session, s3_upload
from servers.storage.s3 import S3Store
from servers.storage.s3_client import ObjectHead, S3Client
from servers.storage.s3_objects import S3Objects
from servers.storage.s3_place import PART, S3Place
from servers.storage.s3_upload import S3Writer
from tests.object_store import BUCKET, ObjectFiles, ObjectStore
from tests.patience import eventually
from tests.storage.uploads import add, content_of, sha256, upload

MIB = 1024 * 1024
LARGE = os.urandom(1024) * (2 * PART // 1024) + b"the end"


_PROJECT = Path(__file__).resolve().parents[2]
_KILLED = """
import os, signal, sys
from servers.storage.s3_place import S3Place
from servers.storage.s3_session import S3Session

session = S3Session(S3Place.of(sys.argv[1]))
session.stage(b"complete")
_, parts = session.stage_parts()
parts.write(bytes(9 * 1024 * 1024))
parts.stop()
os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass
class _Bucket:
    """A store in a bucket, its place, and what a stranger finds there."""

    place: S3Place
    store: S3Store
    files: ObjectFiles


@pytest.fixture
def bucket(object_store: ObjectStore) -> _Bucket:
    prefix = secrets.token_hex(8)
    place = object_store.place(prefix)
    return _Bucket(place, S3Store(place), object_store.files(prefix))


def test_a_large_file_comes_in_parts_and_nothing_is_left_of_them(bucket: _Bucket) -> None:
    client = S3Client(bucket.place)
    with bucket.store.begin() as begun:
        writer = begun.new_file()
        for offset in range(0, len(LARGE), 300_001):
            writer.write(LARGE[offset : offset + 300_001])
        assert [upload.key.startswith("staging/") for upload in client.uploads("")] == [True]
        stored = writer.close()
        assert bucket.files.names() == []
        begun.publish()
    assert (stored.sha256, stored.size) == (sha256(LARGE), len(LARGE))
    assert bucket.files.content(stored.sha256) == LARGE
    assert bucket.files.leftovers() == []


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART])
def test_files_around_the_size_of_a_part_are_stored_whole(bucket: _Bucket, size: int) -> None:
    content = secrets.token_bytes(size)
    upload(bucket.store, content)
    assert bucket.files.content(sha256(content)) == content
    assert bucket.files.leftovers() == []


def test_of_many_small_files_only_as_much_as_a_part_stays_in_memory(bucket: _Bucket) -> None:
    contents = [bytes([number]) * (PART // 2) for number in range(5)]
    with bucket.store.begin() as begun:
        writers = []
        for content in contents:
            writer = begun.new_file()
            assert isinstance(writer, S3Writer)
            writers.append(writer)
            writer.write(content)
            writer.close()
        assert sum(writer.in_memory for writer in writers) <= PART
        begun.publish()
    assert sorted(bucket.files.names()) == sorted(map(sha256, contents))
    assert bucket.files.leftovers() == []


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("end", ["abort", "discard"])
def test_a_large_file_that_is_given_up_leaves_nothing(bucket: _Bucket, end: str, closed: bool) -> None:
    with bucket.store.begin() as begun:
        writer = begun.new_file()
        writer.write(LARGE)
        if closed:
            writer.close()
        begun.abort() if end == "abort" else writer.discard()
        assert bucket.files.leftovers() == []
    assert bucket.files.names() == []


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"small", id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.soak(seconds=5))],
)
def test_eight_uploads_of_one_content_at_once_are_one_object(bucket: _Bucket, content: bytes) -> None:
    together = threading.Barrier(8)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with bucket.store.begin() as begun:
                add(begun, content)
                together.wait(60)
                begun.publish()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert bucket.files.names() == [sha256(content)]
    assert bucket.files.content(sha256(content)) == content
    assert bucket.files.leftovers() == []


@pytest.mark.parametrize(
    ("content", "damage"),
    [(b"small", b""), (b"small", b"Small"), (LARGE, b"other"), (LARGE, LARGE[::-1])],
    ids=["small, shorter", "small, as long", "large, shorter", "large, as long"],
)
def test_a_damaged_object_under_the_name_is_replaced(bucket: _Bucket, content: bytes, damage: bytes) -> None:
    S3Objects(bucket.place).put(f"files/{sha256(content)}", damage)
    upload(bucket.store, content)
    assert content_of(bucket.store, sha256(content)) == content


def test_an_object_without_our_checksums_is_read_before_it_is_used(
    bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the store had none, or had stored the file in other parts."""
    head = S3Client.head

    def without(client: S3Client, key: str) -> ObjectHead | None:
        found = head(client, key)
        return None if found is None else ObjectHead(found.size, None)

    monkeypatch.setattr(S3Client, "head", without)
    S3Objects(bucket.place).put(f"files/{sha256(LARGE)}", LARGE[:-1] + b"!")
    upload(bucket.store, LARGE, b"small")
    assert bucket.files.content(sha256(LARGE)) == LARGE
    assert bucket.files.content(sha256(b"small")) == b"small"


def test_a_copy_that_the_store_did_not_make_is_not_acknowledged(
    bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Objects, "copy", lambda objects, source, target: None)
    with pytest.raises(OSError, match="does not have what was stored"):
        upload(bucket.store, LARGE)
    assert bucket.files.names() == bucket.files.leftovers() == []


def test_a_staged_object_that_has_vanished_fails_the_upload_before_anything_is_named(bucket: _Bucket) -> None:
    with bucket.store.begin() as begun:
        add(begun, b"small")
        add(begun, LARGE)
        client = S3Client(bucket.place)
        for listed in list(client.objects("staging/")):
            client.delete(listed.key)
        with pytest.raises(OSError, match="lost a part"):
            begun.publish()
    assert bucket.files.names() == []


def test_a_file_that_is_too_large_to_be_copied_is_refused(
    bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_upload, "LARGEST", PART)
    with pytest.raises(OSError, match="at most") as caught:
        upload(bucket.store, LARGE)
    assert caught.value.errno == EFBIG
    assert bucket.files.leftovers() == []


class TestSweep:
    """Who removes what processes that were killed have staged."""

    @staticmethod
    def _leave(bucket: _Bucket) -> None:
        """Let a process stage an object and half an upload, and kill itself."""
        environ = os.environ | {
            "AWS_ACCESS_KEY_ID": bucket.place.keys.access_key,
            "AWS_SECRET_ACCESS_KEY": bucket.place.keys.secret_key,
            "AWS_ENDPOINT_URL": bucket.place.endpoint,
        }
        place = f"//{bucket.place.bucket}/{bucket.place.prefix}"
        command = [sys.executable, "-c", _KILLED, place]
        killed = subprocess.run(command, env=environ, cwd=_PROJECT, timeout=60)
        assert killed.returncode == -signal.SIGKILL

    def test_nothing_of_a_living_process_is_removed(self, bucket: _Bucket) -> None:
        with bucket.store.begin() as begun:
            add(begun, LARGE)
            begun.new_file().write(LARGE)
            before = bucket.files.leftovers()
            assert len(before) == 2
            assert S3Store(bucket.place).clean() == 0
            assert bucket.files.leftovers() == before

    def test_what_has_no_lease_of_the_last_minute_is_removed(
        self, bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload(bucket.store, b"kept")
        self._leave(bucket)
        monkeypatch.setattr(s3_session, "LEASE_SECONDS", -10.0)
        assert bucket.store.clean() == 2
        assert bucket.files.leftovers() == []
        assert _staging(bucket) == []
        assert bucket.files.names() == [sha256(b"kept")]
        assert bucket.store.clean() == 0

    def test_what_has_no_lease_at_all_is_removed(self, bucket: _Bucket) -> None:
        self._leave(bucket)
        client = S3Client(bucket.place)
        for key in _staging(bucket):
            if key.endswith("/lease"):
                client.delete(key)
        assert bucket.store.clean() == 2
        assert bucket.files.leftovers() == []

    def test_a_lease_ends_after_the_last_upload(
        self, bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_session, "RENEW_SECONDS", 0.01)
        with bucket.store.begin() as begun:
            add(begun, LARGE)
            assert any(key.endswith("/lease") for key in _staging(bucket))
            begun.publish()
        assert eventually(lambda: _staging(bucket) == [])

    def test_what_cannot_be_removed_now_is_removed_later(
        self, bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_session, "RENEW_SECONDS", 0.01)
        delete, failed = S3Client.delete, threading.Event()

        def fails_once(client: S3Client, key: str) -> None:
            if not failed.is_set():
                failed.set()
                raise OSError(EIO, "not now")
            delete(client, key)

        monkeypatch.setattr(S3Client, "delete", fails_once)
        upload(bucket.store, LARGE)
        assert failed.is_set()
        assert eventually(lambda: _staging(bucket) == [])


def _staging(bucket: _Bucket) -> list[str]:
    return [listed.key for listed in S3Client(bucket.place).objects("staging/")]


class TestReading:
    """Files are read in ranges."""

    def test_a_range_asks_the_store_for_its_bytes_only(
        self, bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload(bucket.store, LARGE)
        asked = _count_reads(monkeypatch)
        file = bucket.store.open(sha256(LARGE))
        assert file is not None
        with file:
            assert file.read(PART - 3, 10) == LARGE[PART - 3 : PART + 7]
        assert asked == [(PART - 3, 10)]

    def test_a_file_that_is_read_to_its_end_takes_few_requests(
        self, bucket: _Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload(bucket.store, LARGE)
        asked = _count_reads(monkeypatch)
        block = 64 * 1024
        file = bucket.store.open(sha256(LARGE))
        assert file is not None
        with file:
            read = b"".join(file.read(offset, block) for offset in range(0, len(LARGE), block))
        assert read == LARGE
        assert len(asked) < len(LARGE) // MIB + 10
        assert sum(length for _, length in asked) == len(LARGE)


def _count_reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    asked: list[tuple[int, int]] = []
    read = S3Objects.read

    def counted(objects: S3Objects, key: str, offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return read(objects, key, offset, length)

    monkeypatch.setattr(S3Objects, "read", counted)
    return asked


class TestTrouble:
    """A store that is not there, does not allow it, or does not respond."""

    def test_a_bucket_that_is_missing_is_no_missing_file(self, object_store: ObjectStore) -> None:
        place = S3Place.of("//no-such-bucket/a", object_store.environ)
        with pytest.raises(OSError, match="404 NoSuchBucket"):
            S3Store(place)
        with pytest.raises(OSError, match="responded with 404"):
            S3Client(place).head("files/a")

    def test_wrong_keys_are_refused(self, object_store: ObjectStore) -> None:
        environ = object_store.environ | {"AWS_SECRET_ACCESS_KEY": "wrong"}
        with pytest.raises(OSError, match="403 SignatureDoesNotMatch"):
            S3Store(S3Place.of(f"//{BUCKET}/a", environ))

    def test_an_existing_store_is_one_that_a_start_has_made(self, object_store: ObjectStore) -> None:
        place = object_store.place(secrets.token_hex(8))
        with pytest.raises(FileNotFoundError, match=r"has no object .*/wireproof-store"):
            S3Store(place, existing=True)
        S3Store(place)
        S3Store(place, existing=True)

    def test_nothing_listens_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("servers.storage.s3_client._FIRST_PAUSE", 0.0)
        environ = {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        with pytest.raises(OSError, match="does not respond"):
            S3Store(S3Place.of("//bucket", environ))

    @pytest.mark.parametrize("option", [{"min_free": 1}, {"expire": 1}])
    def test_limits_of_local_stores_are_refused(self, option: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="lifecycle"):
            open_store("s3://bucket", durable=True, **option)  # type: ignore[arg-type]


@pytest.mark.soak(seconds=30)
def test_an_upload_goes_on_when_the_store_comes_back_and_fails_when_it_does_not() -> None:
    objects = ObjectStore()
    try:
        objects.start()
        store = S3Store(objects.place("a"))
        with store.begin() as begun:
            writer = begun.new_file()
            writer.write(LARGE)
            objects.kill()
            assert not store.is_writable()
            again = threading.Timer(1.0, objects.start)
            again.start()
            writer.write(LARGE)
            writer.close()
            begun.publish()
            again.join()
        assert list(store.names()) == [sha256(LARGE + LARGE)]
        objects.kill()
        with pytest.raises(OSError, match="does not respond"):
            upload(store, LARGE + LARGE + LARGE)
        objects.start()
        assert list(store.names()) == [sha256(LARGE + LARGE)]
    finally:
        objects.stop()
