"""The minimum rate of a body (contract section 5). One byte at a time would defeat an idle time-out alone."""

import time

from ..contract.limits import Limits
from ..contract.problems import Problem


class Pace:
    """Checks the rate of one body, from now on. Sizes are in bytes, chunked coding removed."""

    def __init__(self, limits: Limits) -> None:
        self._least = limits.min_body_rate * limits.body_rate_window
        self._window = limits.body_rate_window
        self._end = time.monotonic() + self._window
        self._before = 0  # the size when the window began

    def check(self, size: int) -> None:
        """Call this when bytes have arrived. `size` is how much of the body has come in all.

        Raises Problem `request_timeout` at the end of a window in which too little came.
        """
        now = time.monotonic()
        if now < self._end:
            return
        if size - self._before < self._least:
            what = f"less than {self._least} bytes in {self._window} s"
            raise Problem("request_timeout", what, rule="B3")
        self._end, self._before = now + self._window, size
