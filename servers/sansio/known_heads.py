"""Heads that were accepted before: a client sends the same head again and again, so it is parsed once."""

from typing import Generic, TypeVar

Head = TypeVar("Head")

MOST_BYTES = 1024
"""Longer heads are parsed anew each time."""

MOST_HEADS = 256


class KnownHeads(Generic[Head]):
    """What was read of the heads that came last, by their bytes. All connections of a process share it.

    Only heads that were accepted are in it, and what was read of them is immutable. The memory that clients
    can fill is bounded by `MOST_BYTES` and `MOST_HEADS`.
    """

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}

    def find(self, data: bytes) -> Head | None:
        """What was read of exactly these bytes, from the request line to the empty line."""
        return self._heads.get(data)

    def add(self, data: bytes, head: Head) -> None:
        """Remember it, and forget the oldest one if there are too many."""
        if len(data) <= MOST_BYTES:
            if len(self._heads) == MOST_HEADS:
                del self._heads[next(iter(self._heads))]
            self._heads[data] = head
