"""One process at an object store: its requests, and what it has begun there and not finished.

The keys of a store, below its prefix:

    wireproof-store              the marker of the store
    probe                        an empty object, which is written again and again to see whether that works
    files/SHA256                 the stored files
    staging/OWNER/lease          shows that a process uses what is below `staging/OWNER/`
    resumable/ID/...             an upload that comes in pieces, see `s3_resumable`
    staging/OWNER/N              a file until it is published, and the key of its multipart upload

A lease. Before a process stages anything, it writes a lease. It writes it again every 10 seconds while
something is staged, and removes it then. An OWNER is never used again. The time of a lease is the time of the
store, so the clocks of hosts do not matter. What has no lease of the last 60 seconds belongs to a process
that has ended, and `sweep` removes it. If its process was only suspended, its upload fails: it finds its
staged object missing before it acknowledges anything.

What a process cannot remove while the store does not respond, it removes with one of its next leases.
"""

import os
import secrets
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Final

from .s3_client import S3Client
from .s3_objects import PartsWriter, S3Objects
from .s3_place import S3Place

STAGING: Final = "staging/"
LEASE_SECONDS = 60.0
RENEW_SECONDS = 10.0
_LEASE: Final = "/lease"


class S3Session:
    """What one process does at one store. Any of its threads may use it."""

    def __init__(self, place: S3Place) -> None:
        self.client: Final = S3Client(place)
        self.objects: Final = S3Objects(place)
        self._lock: Final = threading.Lock()
        self._owner = ""
        self._leased = False
        self._count = 0
        self._staged: set[str] = set()  # all of them belong to the owner
        self._left: set[str] = set()  # those that could not be removed
        self._renewal: threading.Thread | None = None  # the owner is in use while it runs

    def stage_parts(self) -> tuple[str, PartsWriter]:
        """A new staging key, and a multipart upload to it. Raises OSError."""
        key = self._new_key()
        return key, self.objects.parts(key)

    def stage(self, content: bytes | bytearray) -> str:
        """Store an object under a new staging key, which is returned. Raises OSError."""
        key = self._new_key()
        try:
            self.objects.put(key, content)
        except OSError:
            self.remove(key)
            raise
        return key

    def remove(self, key: str) -> None:
        """Remove what is staged under a key, now, or later if the store does not respond. Never raises."""
        with suppress(OSError):
            _remove(self.client, key)
            self._forget(key)
            return
        with self._lock:
            self._left.add(key)

    def _new_key(self) -> str:
        with self._lock:
            if self._renewal is None:
                self._owner = f"{STAGING}{os.getpid()}-{secrets.token_hex(16)}"
                self._leased = False
                self._renewal = threading.Thread(target=self._renew, name="lease", daemon=True)
                self._renewal.start()
            self._count += 1
            owner, key = self._owner, f"{self._owner}/{self._count}"
            self._staged.add(key)
        if not self._leased:  # several threads may write it at the same time
            try:
                self.client.put(owner + _LEASE, b"")
            except BaseException:
                self._forget(key)
                raise
            self._leased = True
        return key

    def _forget(self, key: str) -> None:
        with self._lock:
            self._staged.discard(key)
            self._left.discard(key)

    def _renew(self) -> None:
        while True:
            threading.Event().wait(RENEW_SECONDS)
            with self._lock:
                if not self._staged:
                    self._renewal = None
                    break
                left = list(self._left)
            with suppress(OSError):
                self.client.put(self._owner + _LEASE, b"")
                for key in left:
                    _remove(self.client, key)
                    self._forget(key)
        with suppress(OSError):
            self.client.delete(self._owner + _LEASE)


def sweep(client: S3Client) -> int:
    """Remove what processes that have ended have staged. Returns how many files. Raises OSError."""
    # The leases are listed last. So what was seen before had its lease then, or its process has ended.
    uploads = {upload.key for upload in client.uploads(STAGING)}
    listed = list(client.objects(STAGING))
    earliest = client.store_time - timedelta(seconds=LEASE_SECONDS)
    leases = {object_.key: object_.modified for object_ in listed if object_.key.endswith(_LEASE)}
    staged = uploads | {object_.key for object_ in listed if object_.key not in leases}
    in_use = {lease.removesuffix(_LEASE) for lease, modified in leases.items() if modified >= earliest}
    stale = sorted(key for key in staged if _owner(key) not in in_use)
    for key in stale:
        _remove(client, key)
    for lease in leases:
        if _owner(lease) not in in_use:
            client.delete(lease)
    return len(stale)


def _owner(key: str) -> str:
    return key.rpartition("/")[0]


def _remove(client: S3Client, key: str) -> None:
    """Abort the multipart upload to a staging key, and remove its object. Raises OSError."""
    for upload in list(client.uploads(key)):
        if upload.key == key:
            client.abort(upload)
    client.delete(key)
