"""How often a transfer is tried again, and when."""

from collections.abc import Callable
from time import sleep
from typing import TypeVar

from ..http1.errors import ClientError, Unreachable
from ..http1.retrying import seconds_before_retry
from .requester import Gone, Refused

_Result = TypeVar("_Result")

IDLE_SECONDS = 60.0
"""A connection on which nothing passes for so long is given up, and the transfer goes on with another one."""


class Retries:
    """Counts the failures since a transfer last got further; more than `most` in a row end it.

    The first one is followed by another try at once. Before each further one it waits, from 1 s to a minute,
    or as long as Retry-After says, and calls `say` with a sentence about it.
    """

    def __init__(self, most: int, say: Callable[[str], object]) -> None:
        self._most = most
        self._say = say
        self._failed = 0

    def got_further(self) -> None:
        """The transfer has got further: the count begins anew."""
        self._failed = 0

    def wait_after(self, error: ClientError) -> None:
        """Wait before the next try. Raises `error` if it is the last one, or another try would not help."""
        response = error.response if isinstance(error, Refused) else None
        if isinstance(error, Refused):
            may_be_over = error.transient or isinstance(error, Gone)
        else:
            may_be_over = isinstance(error, Unreachable)
        self._failed += 1
        if not may_be_over or self._failed > self._most:
            raise error
        asked = response is not None and response.header("retry-after") is not None
        if self._failed == 1 and not asked:
            return
        wait = seconds_before_retry(max(1, self._failed - 1), response)
        self._say(f"retry {self._failed} of {self._most} in {wait:g} s: {error}")
        sleep(wait)

    def until_done(self, action: Callable[[], _Result]) -> _Result:
        """The result of the first call of `action` that does not fail. Raises its last error."""
        while True:
            try:
                return action()
            except (Refused, Unreachable) as error:
                self.wait_after(error)
