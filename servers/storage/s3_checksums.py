"""The SHA-256 of a file, and the checksums by which an object store shows that it has it."""

import base64
import hashlib
from typing import Final

from .s3_place import PART


class Checksums:
    """Counts and hashes the bytes of one file."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: Final = hashlib.sha256()
        self._part: hashlib._Hash | None = None  # the first part is hashed with the whole
        self._in_part = 0
        self._parts: list[bytes] = []

    def update(self, octets: memoryview) -> None:
        """Add the next bytes."""
        self.size += octets.nbytes
        while octets:
            piece = octets[: PART - self._in_part]
            self._whole.update(piece)
            if self._part is not None:
                self._part.update(piece)
            self._in_part += piece.nbytes
            octets = octets[piece.nbytes :]
            if self._in_part == PART:
                self._parts.append((self._part or self._whole).digest())
                self._part, self._in_part = hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of all bytes, in hexadecimal digits."""
        return self._whole.hexdigest()

    def match(self, shown: str | None) -> bool:
        """Whether a checksum is that of all bytes, or that of the parts in which this file was sent."""
        return shown is not None and shown in (_base64(self._whole.digest()), self._of_parts())

    def _of_parts(self) -> str | None:
        """The SHA-256 of the parts' SHA-256s, as S3 shows it: "Checking object integrity", composite."""
        if self.size <= PART or self._part is None:
            return None
        parts = self._parts + ([self._part.digest()] if self._in_part else [])
        return f"{_base64(hashlib.sha256(b''.join(parts)).digest())}-{len(parts)}"


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")
