"""Uploads that come in pieces, in a bucket.

    resumable/ID/known             what is known of the upload
    resumable/ID/writer            a random word of the request that took it over last
    resumable/ID/data/OFFSET       the bytes from OFFSET on, at most 6 MiB; OFFSET has 20 digits

The objects of `data` follow each other without gaps, and their end is the offset. An object is put on the
condition that there is none at its OFFSET, so two requests never write the same place. If there is one with
the same bytes, the answer to a first attempt was lost. What is shorter than
6 MiB is put when the offset has to be told.

Taking over. A request puts its word, and then lists the objects. A request tells an offset only if its word
is still there after its last object was put. So who takes over later has seen this object.

At the end the objects are read, hashed and stored as any other file, see `s3_upload`; then `known` says so,
and they are removed. So each byte passes through the server twice more. Parts of a multipart upload could not
be hashed without that either, and S3 takes no part of fewer than 5 MiB that is not the last.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from errno import EFBIG, EIO
from typing import Final

from .base import StoredFile
from .resumable import ID, Known, ResumableUpload, TakenOver, new_id
from .s3_client import ListedObject
from .s3_place import LARGEST, PART
from .s3_session import S3Session
from .s3_upload import S3Upload

_ROOT: Final = "resumable/"
_BLOCK: Final = 2 * 1024 * 1024


class S3Resumables:
    """The uploads below `resumable/`; see `resumable.Resumables`."""

    def __init__(self, session: Callable[[], S3Session]) -> None:
        """`session` returns the session of the process that calls it."""
        self._session = session

    def create(self, known: Known) -> "S3Resumable":
        if known.length is not None:
            _require_storable(known.length)
        upload = S3Resumable(self._session(), new_id())
        upload.put_word()
        upload.put_known(known)
        return upload

    def take_over(self, upload_id: str) -> "S3Resumable | None":
        if not ID.fullmatch(upload_id):
            return None
        upload = S3Resumable(self._session(), upload_id)
        return upload if upload.take_over() else None

    def remove_older(self, seconds: float) -> int:
        session = self._session()
        listed = list(session.client.objects(_ROOT))
        now = session.client.store_time.timestamp()
        youngest: dict[str, float] = {}
        for entry in listed:
            owner = entry.key.removeprefix(_ROOT).partition("/")[0]
            changed = 0.0 if entry.key.endswith("/writer") else entry.modified.timestamp()
            youngest[owner] = max(changed, youngest.get(owner, 0.0))
        old = {owner for owner, changed in youngest.items() if changed < now - seconds}
        # What is known goes first: without it, nobody takes the upload over.
        for entry in sorted(listed, key=lambda entry: not entry.key.endswith("/known")):
            if entry.key.removeprefix(_ROOT).partition("/")[0] in old:
                session.client.delete(entry.key)
        return len(old)


class S3Resumable(ResumableUpload):
    """One upload; see `resumable.ResumableUpload`. At most `PART` bytes of it are in memory."""

    def __init__(self, session: S3Session, upload_id: str) -> None:
        self.id = upload_id
        self.known = Known()
        self.offset = 0
        self.touched = time.time()
        self._session = session
        self._prefix: Final = f"{_ROOT}{upload_id}/"
        self._word: Final = secrets.token_hex(16).encode("ascii")
        self._held = bytearray()
        self._objects: list[tuple[str, int]] = []  # the keys of the data, and their sizes
        self._closed = False

    def take_over(self) -> bool:
        """Become the only one who may change it. False if there is no such upload. Raises OSError."""
        if self._session.client.head(self._prefix + "known") is None:
            return False
        self.put_word()
        listed = {entry.key: entry for entry in self._session.client.objects(self._prefix)}
        head = listed.get(self._prefix + "known")
        if head is None:
            return False  # removed meanwhile
        # After the listing: who removes the data has written before what the upload has become.
        self.known = Known.of_json(self._session.objects.read(head.key, 0, head.size))
        changed = head.modified.timestamp()
        for entry in self._in_order(listed):
            if entry.key != self._key(self.offset):
                break
            self._objects.append((entry.key, entry.size))
            self.offset += entry.size
            changed = max(changed, entry.modified.timestamp())
        if self.known.stored is not None:
            self.offset = self.known.stored.size
        # The clocks of the hosts do not matter.
        self.touched = time.time() - (self._session.client.store_time.timestamp() - changed)
        return True

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        self._require_open()
        if self.known.stored is not None:
            raise RuntimeError("the upload is complete")
        with memoryview(data) as view, view.cast("B") as octets:
            _require_storable(self.offset + octets.nbytes)
            at = 0
            while at < octets.nbytes:
                piece = octets[at : at + PART - len(self._held)]
                self._held += piece
                at += piece.nbytes
                self.offset += piece.nbytes
                if len(self._held) == PART:
                    self._put_held()
        self.touched = time.time()

    def sync(self) -> None:
        self._require_open()
        if self._held:
            self._put_held()

    def set_length(self, length: int) -> None:
        _require_storable(length)
        self._require_turn()
        self.put_known(replace(self.known, length=length))

    def finish(self) -> StoredFile:
        self.sync()
        if self.known.stored is None:
            stored = self._publish()
            self.put_known(replace(self.known, length=stored.size, stored=stored))
            self._require_turn()  # who has taken it over may be reading the data
            self._remove_data()
        assert self.known.stored is not None
        return self.known.stored

    def remove(self) -> None:
        self._require_turn()
        client = self._session.client
        client.delete(self._prefix + "known")
        for entry in list(client.objects(self._prefix)):
            client.delete(entry.key)

    def close(self) -> None:
        self._closed = True
        self._held = bytearray()

    def put_word(self) -> None:
        """Take it over. Raises OSError."""
        self._session.client.put(self._prefix + "writer", self._word)

    def put_known(self, known: Known) -> None:
        """Keep what is known of it. Raises OSError."""
        self._session.client.put(self._prefix + "known", known.as_json())
        self.known = known

    def _publish(self) -> StoredFile:
        with S3Upload(self._session) as upload:
            writer = upload.new_file()
            for key, size in self._objects:
                for offset in range(0, size, _BLOCK):
                    writer.write(self._session.objects.read(key, offset, min(_BLOCK, size - offset)))
            stored = writer.close()
            if stored.size != self.offset:
                raise OSError(EIO, "the object store has lost a part of the upload")
            upload.publish()
        return stored

    def _remove_data(self) -> None:
        with suppress(OSError):  # what stays is removed with the upload
            for key, _ in self._objects:
                self._session.client.delete(key)
            self._objects.clear()

    def _put_held(self) -> None:
        key, size = self._key(self.offset - len(self._held)), len(self._held)
        self._require_turn()  # else the object might take the place of one of who has taken over
        if not self._session.objects.put_new(key, self._held) and not self._is_put(key):
            raise TakenOver  # another request has put an object there
        self._objects.append((key, size))
        self._held = bytearray()
        self._require_turn()

    def _is_put(self, key: str) -> bool:
        """Whether the object has what is held: it was put, the answer was lost, and it was put again."""
        head = self._session.client.head(key)
        if head is None or head.size != len(self._held):
            return False
        return self._session.objects.read(key, 0, head.size) == self._held

    def _require_turn(self) -> None:
        self._require_open()
        try:
            word = self._session.objects.read(self._prefix + "writer", 0, len(self._word))
        except FileNotFoundError:
            raise TakenOver from None
        if word != self._word:
            raise TakenOver

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the upload is closed")

    def _key(self, offset: int) -> str:
        return f"{self._prefix}data/{offset:020}"

    def _in_order(self, listed: dict[str, ListedObject]) -> list[ListedObject]:
        return [listed[key] for key in sorted(listed) if key.startswith(self._prefix + "data/")]


def _require_storable(size: int) -> None:
    if size > LARGEST:
        raise OSError(EFBIG, f"a file in a bucket has at most {LARGEST} bytes")
