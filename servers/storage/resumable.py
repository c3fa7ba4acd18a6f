"""The interface of uploads that come in pieces, each piece in a request of its own.

Two requests for one upload may overlap: a client whose connection broke comes back before the server knows.
So each request *takes over* the upload. From then on every call of an earlier request raises TakenOver: a
request writes its bytes behind all that was there when it took over, or not at all. What it has written
stays, so an offset that it tells holds even then.

An offset is told only after `sync`: then the bytes before it survive a crash of the machine (`safe`), or of
the process (`fast`).
"""

import json
import re
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from errno import EIO
from typing import Any, Final, Protocol, Self

from .base import StoredFile

ID: Final = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """The name of a new upload: 128 random bits, because who knows it may continue the upload."""
    return secrets.token_hex(16)


class TakenOver(Exception):
    """Another request has taken over the upload, or has removed it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an upload besides its bytes.

    `length` is the number of bytes that it will have, or None if that is not known yet. `notes` belong to the
    one who created it. `stored` is the file that it has become, or None while it is not complete.
    """

    length: int | None = None
    notes: str = ""
    stored: StoredFile | None = None

    def as_json(self) -> bytes:
        """All of it, for `of_json`."""
        stored = None if self.stored is None else [self.stored.sha256, self.stored.size]
        return json.dumps({"length": self.length, "notes": self.notes, "stored": stored}).encode("ascii")

    @classmethod
    def of_json(cls, data: bytes) -> Self:
        """What `as_json` has written. Raises OSError if it is damaged."""
        try:
            members: dict[str, Any] = json.loads(data)
            stored = members["stored"]
            return cls(members["length"], members["notes"], None if stored is None else StoredFile(*stored))
        except (ValueError, TypeError, KeyError):
            raise OSError(EIO, "what is known of an upload is damaged") from None


class ResumableUpload(AbstractContextManager["ResumableUpload"], Protocol):
    """An upload that one request has taken over. Only one thread may use it at a time.

    Its methods raise TakenOver, and OSError as those of a `Store` do.
    """

    id: str
    known: Known
    offset: int
    """How many bytes it has. After an OSError it may be too small, and the upload must be closed."""
    touched: float
    """When its last byte was written, or else when it was created, in seconds since 1970."""

    @property
    def age(self) -> float:
        """How long ago it was touched, in seconds."""
        return time.time() - self.touched

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        """Write `data` behind the other bytes. The buffer may be reused afterwards."""

    def sync(self) -> None:
        """Make all bytes durable, so that `offset` may be told. Waits for the disk.

        That another request has taken over matters only if some of them were not written yet.
        """

    def set_length(self, length: int) -> None:
        """Keep the length of an upload that had none. It is durable afterwards."""

    def finish(self) -> StoredFile:
        """Publish all bytes as a file, as `Upload.publish` does, and forget them here.

        What is known of the upload stays, until it is removed or is old. May be called again.
        """

    def remove(self) -> None:
        """Remove the upload. A file that it has become stays."""

    def close(self) -> None:
        """End what this request does with it. Its bytes stay. Never raises. May be called twice."""

    def __exit__(self, *error: object) -> None:
        self.close()


class Resumables(Protocol):
    """All uploads of one store that come in pieces. Any thread, process and host may use them at a time.

    Its methods raise OSError.
    """

    def create(self, known: Known) -> ResumableUpload:
        """A new upload without bytes, taken over. It is durable."""

    def take_over(self, upload_id: str) -> ResumableUpload | None:
        """The upload with this name, or None if there is none. Earlier requests cannot change it any more."""

    def remove_older(self, seconds: float) -> int:
        """Remove the uploads that nobody has touched for so long, complete or not. Returns how many."""
