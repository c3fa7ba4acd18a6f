"""What one process has counted since it was last asked, in plain numbers."""

import threading
from bisect import bisect_left
from dataclasses import dataclass, field

from ..contract.request_log import RequestRecord
from ..contract.route import METHODS
from .definitions import DURATION, OTHER, STORE_DURATION

_METHODS = frozenset({*METHODS, None})
_REQUEST_BOUNDS = DURATION.bounds
_STORE_BOUNDS = STORE_DURATION.bounds


class Durations:
    """How often each bucket of a histogram was hit, and the sum of all durations in seconds."""

    __slots__ = ("_bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    @property
    def count(self) -> int:
        """How many durations there are."""
        return sum(self.buckets)

    def add(self, seconds: float) -> None:
        """One more duration. A bucket includes its upper bound."""
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds


class RequestTally(Durations):
    """The requests with the same labels. `received` and `sent` are in bytes."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        super().__init__(_REQUEST_BOUNDS)
        self.received = self.sent = 0


RequestKey = tuple[str | None, str | None, int | None, str | None]
"""Route, method, status and code of the problem."""


@dataclass(slots=True)
class Counted:
    """What was counted in some time. The store is measured by operation, its errors by the code, too."""

    requests: dict[RequestKey, RequestTally] = field(default_factory=dict)
    store: dict[str, Durations] = field(default_factory=dict)
    store_errors: dict[tuple[str, str], int] = field(default_factory=dict)


class Tallies:
    """Counts the requests and the operations of the store. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = Counted()

    def request_ended(self, record: RequestRecord, seconds: float) -> None:
        """One more request, see `contract.metrics.Metrics`. Every request pays for it, so it calls little."""
        method = record.method
        if method not in _METHODS:
            method = OTHER  # a token of the client's choice
        key = (record.route, method, record.status, record.code)
        bucket = bisect_left(_REQUEST_BOUNDS, seconds)
        with self._lock:
            tally = self._counted.requests.get(key)
            if tally is None:
                tally = self._counted.requests[key] = RequestTally()
            tally.buckets[bucket] += 1
            tally.total += seconds
            tally.received += record.received
            tally.sent += record.sent

    def store_operation(self, operation: str, seconds: float, code: str | None) -> None:
        """One more operation of the store. `code` is the problem that its failure leads to, if it failed."""
        bucket = bisect_left(_STORE_BOUNDS, seconds)
        with self._lock:
            durations = self._counted.store.get(operation)
            if durations is None:
                durations = self._counted.store[operation] = Durations(_STORE_BOUNDS)
            durations.buckets[bucket] += 1
            durations.total += seconds
            if code is not None:
                errors = self._counted.store_errors
                errors[operation, code] = errors.get((operation, code), 0) + 1

    def take(self) -> Counted:
        """What was counted since the last call."""
        with self._lock:
            taken, self._counted = self._counted, Counted()
        return taken
