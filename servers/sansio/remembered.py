"""Results that are remembered: a client sends the same lines and header blocks in every request."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Text = TypeVar("Text", str, bytes)
Result = TypeVar("Result")

MOST_BYTES = 512
"""Longer inputs are parsed anew each time."""

MOST_RESULTS = 256
"""So many results of each function are remembered: those that were used last."""


def remembered(parse: Callable[[Text], Result]) -> Callable[[Text], Result]:
    """Remember what `parse` returned for its last short inputs. The results must be immutable.

    What it raised is not remembered, because a Problem gets its place from the caller. The memory that a
    client can fill is bounded by `MOST_BYTES` and `MOST_RESULTS`.
    """
    parse_short = lru_cache(MOST_RESULTS)(parse)

    @wraps(parse)
    def parse_any(data: Text) -> Result:
        return parse_short(data) if len(data) <= MOST_BYTES else parse(data)

    return parse_any
