"""The bytes of one request on the wire, as far as they are kept: the head, 64 KiB behind it, the last 256."""

from typing import NamedTuple

from .body_sample import KEPT_BODY

MOST_READS = 200
"""The offsets of so many reads are kept."""

_TAIL = 256
# The head has limits of its own, so all of it is kept, and what came with its last read.
_UNKNOWN = 1 << 62


class KeptWire(NamedTuple):
    """The bytes of one request. `pieces` are its first bytes, `tail` its last ones if they are not there too.

    `reads` are the offsets at which reads began, and `head` is the length of the head, 0 without one.
    """

    pieces: list[bytes]
    tail: bytes
    total: int
    head: int
    reads: list[int]


class KeptBytes:
    """The requests of one connection, one after the other. Between two requests nothing is kept.

    `total` is how many bytes of the request at hand the parser got, those of the next request included.
    """

    __slots__ = ("_beyond", "_head", "_last", "_pieces", "_reads", "_received", "_room", "_tail", "total")

    def __init__(self) -> None:
        self._reads: list[int] = []
        self._received = 0
        self._clear()

    def _clear(self) -> None:
        self.total = 0
        self._pieces: list[bytes] = []
        self._room = _UNKNOWN
        self._head = 0
        self._last = self._beyond = self._tail = b""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a request has arrived."""
        return not self.total and not self._received

    def read(self, size: int) -> None:
        """So many bytes have arrived in one read."""
        if size and len(self._reads) < MOST_READS:
            self._reads.append(self._received)
        self._received += size

    def feed(self, data: bytes) -> None:
        """The parser gets these bytes."""
        start, self.total = self.total, self.total + len(data)
        self._last = data
        if self.total <= self._room:
            self._pieces.append(data)
        else:
            self._split(data, max(0, self._room - start))

    def _split(self, data: bytes, room: int) -> None:
        """Keep the first `room` bytes, and the last ones for the tail."""
        if room:
            self._pieces.append(data[:room])
        if self._beyond:
            self._tail = (self._tail + self._beyond[-_TAIL:])[-_TAIL:]
        self._beyond = data[room:] if room else data

    def head_complete(self, behind: int) -> None:
        """The head has ended before the last `behind` of the bytes so far."""
        self._head = self.total - behind
        self._room = self._head + KEPT_BODY
        if self.total > self._room:
            data = b"".join(self._pieces)
            self._pieces = [data[: self._room]]
            self._beyond = data[self._room :]

    def snapshot(self) -> tuple[list[bytes], int]:
        """The first bytes so far, and the length of the head. Any thread may ask."""
        return list(self._pieces), self._head

    def cut(self, behind: int = 0, *, fed_again: bool = False) -> KeptWire:
        """The request is over, and the last `behind` bytes belong to the next one.

        It begins with them, unless they will be `fed_again`.
        """
        total = self.total - behind
        pieces, tail = self._pieces, b""
        if total > self._room:
            tail = (self._tail + self._beyond[: len(self._beyond) - behind][-_TAIL:])[-_TAIL:]
        elif behind:
            pieces = [b"".join(pieces)[:total]]
        wire = KeptWire(pieces, tail, total, self._head, self._cut_reads(total, behind))
        rest = self._last[len(self._last) - behind :] if behind and not fed_again else b""
        self._clear()
        if rest:
            self.feed(rest)
        return wire

    def _cut_reads(self, total: int, behind: int) -> list[int]:
        reads = self._reads
        if not behind and self._received == total:
            self._reads, self._received = [], 0
            return reads
        self._reads = [read - total for read in reads if read >= total]
        self._received -= total
        if self._received > 0 and self._reads[:1] != [0]:
            self._reads.insert(0, 0)
        return [read for read in reads if read < total]
