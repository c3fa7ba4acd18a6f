"""How fast a client must send a body (contract section 5): an idle time-out and a minimum rate."""

from ..contract.limits import Limits


class BodyPace:
    """Checks one body. The caller passes all times, from one clock. They are in seconds, and sizes in bytes.

    `min_body_rate` must hold in each window of `body_rate_window` seconds; the first one begins at `now`.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._idle_at = 0.0
        self._window_start = now
        self._window_size = 0  # the size of the body when the window began

    def wait(self, now: float) -> float:
        """A read is waited for from `now` on. Returns when to call `check`."""
        self._idle_at = now + self._limits.body_idle_timeout
        return self._next_check()

    def check(self, now: float, size: int) -> float | None:
        """When to check again, after `size` bytes have come in all; None when the client is too slow."""
        wanted = self._limits.min_body_rate * self._limits.body_rate_window
        if now >= self._idle_at or size - self._window_size < wanted:
            return None
        self._window_start, self._window_size = now, size
        return self._next_check()

    def exclude(self, seconds: float) -> None:
        """Exclude `seconds` of server work from the client's rate."""
        self._window_start += seconds

    def _next_check(self) -> float:
        if not self._limits.body_rate_window:
            return self._idle_at  # without a window there is no minimum rate
        return min(self._idle_at, self._window_start + self._limits.body_rate_window)
