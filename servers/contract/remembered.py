"""Results that are remembered: clients send the same heads, lines and header blocks again and again.

What was refused is not remembered. The memory that clients can fill is bounded.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import Generic, TypeVar

Text = TypeVar("Text", str, bytes)
Result = TypeVar("Result")

MOST_RESULTS = 256
"""So many results of each kind are remembered."""

MOST_OF_A_LINE = 512
"""A longer line is parsed anew each time."""

MOST_OF_A_HEAD = 1024
"""A longer head, or header block of a part, is parsed anew each time."""


def remembered(parse: Callable[[Text], Result]) -> Callable[[Text], Result]:
    """Remember what `parse` returned for the short inputs that it got last. The results must be immutable.

    What it raised is not remembered, because a Problem gets its place from the caller.
    """
    parse_short = lru_cache(MOST_RESULTS)(parse)

    @wraps(parse)
    def parse_any(data: Text) -> Result:
        return parse_short(data) if len(data) <= MOST_OF_A_LINE else parse(data)

    return parse_any


class KnownHeads(Generic[Result]):
    """What was read of the heads, of requests or of parts, that came last, by their bytes.

    Only heads that were accepted are in it, and what was read of them is immutable. All connections of a
    process share it, and any thread may use it.
    """

    def __init__(self) -> None:
        self._heads: dict[bytes, Result] = {}
        self._lock = Lock()

    def find(self, data: bytes) -> Result | None:
        """What was read of exactly these bytes."""
        return self._heads.get(data)

    def add(self, data: bytes, head: Result) -> None:
        """Remember it, and forget the oldest one if there are too many."""
        if len(data) > MOST_OF_A_HEAD:
            return
        with self._lock:
            if data not in self._heads and len(self._heads) >= MOST_RESULTS:
                del self._heads[next(iter(self._heads))]
            self._heads[data] = head
