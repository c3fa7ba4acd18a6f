"""The store in a bucket of an S3-compatible object store (extra `s3`).

`s3_upload` explains how files get there, `s3_session` the keys and who removes what is left. `s3_objects`
moves the bytes of files, and `s3_client` makes all other requests.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from errno import EIO, ENOENT
from typing import BinaryIO, Final

from .base import ReadableFile, WithoutLimits
from .probe import Probe
from .s3_client import S3Client
from .s3_place import S3Place
from .s3_resumable import S3Resumables
from .s3_session import S3Session, sweep
from .s3_upload import FILES, S3Upload

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MARKER: Final = "wireproof-store"
_PROBE: Final = "probe"
_SWEEP_SECONDS: Final = 60.0
# A client reads a file in blocks. A request for each would take longer than its bytes, so more is read at
# once while it goes on, and no more than was sent so far: of a short range little is read in vain.
_MOST_READ: Final = 1024 * 1024


class S3Store(WithoutLimits):
    """Files in a bucket; see `base.Store`. Any number of processes and hosts may share one prefix.

    A process that forks workers may only open the store and `clean` it: see `s3_client`. The store takes no
    more room than the bucket has, and its files do not expire: buckets have quotas and lifecycle rules.
    """

    sweep_seconds = _SWEEP_SECONDS

    def __init__(self, place: S3Place, *, existing: bool = False) -> None:
        """Write the marker of the store if it is missing; with `existing`, it must be there.

        Raises OSError if there is no store, or if it cannot be written to.
        """
        self._place: Final = place
        self._client: Final = S3Client(place)
        self._session: tuple[int, S3Session] | None = None
        self._probe = Probe(self._try_once)
        self.resumables = S3Resumables(self._of_this_process)
        try:
            if not existing:
                self._client.put(_MARKER, b"wireproof\n", only_new=True)
            elif self._client.head(_MARKER) is None:
                raise FileNotFoundError(ENOENT, f"the bucket has no object {place.prefix}{_MARKER}")
            self._client.put(_PROBE, b"")
        finally:
            self._client.close()

    def begin(self) -> S3Upload:
        return S3Upload(self._of_this_process())

    def open(self, sha256: str) -> "S3File | None":
        """The file with this hash, or None if there is none. Raises OSError if the store does not respond."""
        if not _SHA256.fullmatch(sha256):
            return None
        session = self._of_this_process()
        head = session.client.head(FILES + sha256)
        return None if head is None else S3File(session, FILES + sha256, head.size)

    def scratch(self) -> BinaryIO:
        """A file in the temporary folder of the system: nobody else needs it."""
        return tempfile.TemporaryFile(buffering=0)  # the caller closes it

    def is_writable(self) -> bool:
        """Whether an object can be written. Tries it at most once a second, and waits two seconds at most."""
        return self._probe.succeeds()

    def clean(self) -> int:
        """Remove what processes that have ended have staged, on any host. Returns how many files."""
        return sweep(self._client)

    def names(self) -> Iterator[str]:
        """The hashes of all stored files."""
        names = (listed.key.removeprefix(FILES) for listed in self._client.objects(FILES))
        return filter(_SHA256.fullmatch, names)

    def _try_once(self) -> None:
        self._client.put(_PROBE, b"", hurry=True)

    def _of_this_process(self) -> S3Session:
        """The session, which is made by the first use after a fork."""
        if self._session is None or self._session[0] != os.getpid():
            self._session = os.getpid(), S3Session(self._place)
        return self._session[1]


class S3File(ReadableFile):
    """A stored file, open for reading; see `base.ReadableFile`."""

    def __init__(self, session: S3Session, key: str, size: int) -> None:
        """`size` is in bytes."""
        self.size = size
        self._session: S3Session | None = session
        self._key = key
        self._ahead = b""
        self._ahead_at = 0
        self._run = 0  # bytes that were read one after the other

    def read(self, offset: int, length: int, /) -> bytes:
        """`length` bytes from `offset`; fewer only at the end of the file.

        Raises OSError, and ValueError if the file is closed.
        """
        if self._session is None:
            raise ValueError("the file is closed")
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        begin = offset - self._ahead_at
        if not 0 <= begin <= begin + length <= len(self._ahead):
            goes_on = self._run and begin == len(self._ahead)
            self._run = self._run if goes_on else 0
            wanted = min(max(length, min(self._run, _MOST_READ)), self.size - offset)
            self._ahead = self._session.objects.read(self._key, offset, wanted)
            if len(self._ahead) != wanted:
                raise OSError(EIO, "the object store has sent fewer bytes than the file has")
            self._ahead_at, begin = offset, 0
            self._run += wanted
        return self._ahead[begin : begin + length]

    def close(self) -> None:
        self._session = None
        self._ahead = b""
