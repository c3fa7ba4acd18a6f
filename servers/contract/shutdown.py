"""How a server stops: how long it announces that, and how long it then waits for its requests.

A load balancer must know that a server leaves before the server stops accepting. So `/healthz` is 503 from
the announcement on, while everything else is served as before. The server stops accepting after `delay`.
"""

import mmap


class Shutdown:
    """One for all processes of a server: those that are forked after it was made see the announcement.

    `delay` is how long the server goes on after the announcement, and `grace` how long it then waits for the
    requests that it has begun; both in seconds.
    """

    def __init__(self, delay: float = 0.0, grace: float = 30.0) -> None:
        self.delay = delay
        self.grace = grace
        # An anonymous mapping that is shared with forked processes. It is filled with zeros.
        self._announced = mmap.mmap(-1, 1)

    @property
    def announced(self) -> bool:
        """Whether the server is about to stop."""
        return self._announced[0] != 0

    def announce(self) -> None:
        """From now on `/healthz` is 503, and each response is the last one of its connection."""
        self._announced[0] = 1
