"""The coarse spans of a long body, noted while it arrives, and packed to a blob."""

import struct
import zlib
from array import array
from collections.abc import Iterator
from enum import Enum

MOST = 200_000
"""At most so many spans are noted. What comes behind them has no role."""


class NotedSpans:
    """Takes the lengths and roles of spans, in order, and merges neighbours of one role."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._numbers: dict[Enum, int] = {}
        self._roles = bytearray()
        self._lengths = array("Q")

    def add(self, role: Enum, length: int) -> None:
        """The next bytes."""
        number = self._numbers.get(role)
        if number is None:
            number = self._numbers[role] = len(self._names)
            self._names.append(role.value)
        roles = self._roles
        if roles and roles[-1] == number:
            self._lengths[-1] += length
        elif len(roles) < MOST:
            roles.append(number)
            self._lengths.append(length)

    def pack(self, start: int) -> bytes:
        """A compact blob of the spans, of which the first begins at `start`."""
        names = "\n".join(self._names).encode()
        head = struct.pack("<QHI", start, len(names), len(self._roles))
        return zlib.compress(head + names + bytes(self._roles) + self._lengths.tobytes(), 1)


def unpack(blob: bytes) -> Iterator[tuple[int, int, str]]:
    """The spans of a blob: start, length and the name of the role."""
    data = zlib.decompress(blob)
    start, size, count = struct.unpack_from("<QHI", data)
    at = struct.calcsize("<QHI")
    names = data[at : at + size].decode().split("\n")
    roles = data[at + size : at + size + count]
    lengths = array("Q", data[at + size + count :])
    for role, length in zip(roles, lengths, strict=True):
        yield start, length, names[role]
        start += length
