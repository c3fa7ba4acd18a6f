"""A digest of a body that costs nothing on a gigabyte: of its first 64 KiB, and of samples behind them."""

import hashlib

KEPT_BODY = 64 * 1024
"""So many bytes behind the head of a request are kept."""

_SAMPLE = 256


class BodySample:
    """Call `feed` with the pieces of a body, without chunked coding. `size` is their length so far."""

    __slots__ = ("_hash", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes."""
        view = memoryview(data)
        start, self.size = self.size, self.size + len(view)
        if start < KEPT_BODY:
            self._hash.update(view[: KEPT_BODY - start])
        block = max(start - start % KEPT_BODY, KEPT_BODY)
        while block < self.size:
            self._hash.update(view[max(0, block - start) : max(0, block + _SAMPLE - start)])
            block += KEPT_BODY

    def digest(self) -> bytes:
        """The digest of what was sampled. For at most 64 KiB it is the SHA-256 of the body."""
        return self._hash.digest()
