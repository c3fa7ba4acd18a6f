"""The least rate of a body: an idle time-out alone could be outwitted for ever, byte by byte (section 5)."""

import time

from ..contract.limits import Limits
from ..contract.problems import Problem


class Pace:
    """Judges one body from now on. Sizes are in bytes, of what the framing has let through."""

    def __init__(self, limits: Limits) -> None:
        self._least = limits.min_body_rate * limits.body_rate_window
        self._window = limits.body_rate_window
        self._end = time.monotonic() + self._window
        self._before = 0  # the size when the window began

    def check(self, size: int) -> None:
        """Something arrived; `size` is all of the body until now.

        Raises Problem `request_timeout` at the end of a window that had too little.
        """
        now = time.monotonic()
        if now < self._end:
            return
        if size - self._before < self._least:
            raise Problem("request_timeout", f"less than {self._least} bytes in {self._window} s")
        self._end, self._before = now + self._window, size
