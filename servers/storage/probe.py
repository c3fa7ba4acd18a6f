"""Tries now and then whether uploads can be stored."""

import logging
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger("wireproof.storage")

INTERVAL_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0


class Probe:
    """The result of `attempt`, which is called at most once a second. Any thread may ask.

    `attempt` raises OSError if uploads cannot be stored.
    """

    def __init__(self, attempt: Callable[[], None]) -> None:
        self._attempt = attempt
        self._lock = threading.Lock()
        self._again = 0.0  # on the monotonic clock
        self._failure: str | None = None

    def succeeds(self) -> bool:
        """Whether the last attempt succeeded. Waits for an attempt that is under way, at most 5 seconds."""
        # With a disk that does not respond, each thread that waited without end would be lost to the server.
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            return False
        try:
            if time.monotonic() >= self._again:
                self._try()
                self._again = time.monotonic() + INTERVAL_SECONDS
            return self._failure is None
        finally:
            self._lock.release()

    def _try(self) -> None:
        before, self._failure = self._failure, None
        try:
            self._attempt()
        except OSError as error:
            self._failure = error.strerror or "unknown error"
        if self._failure is not None and self._failure != before:
            LOG.error("uploads cannot be stored: %s", self._failure)
        elif self._failure is None and before is not None:
            LOG.warning("uploads can be stored again")
