"""How fast a client has to be (contract section 5): reads of a body, a minimum rate, and who reads at all."""

import fcntl
import socket
import struct
import termios

from ..contract.limits import Limits


class BodyPace:
    """Judges one body by the times that it is told, in seconds of one clock; sizes are in bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle_at = 0.0
        self._window_start = 0.0
        self._window_size = 0

    def begin(self, now: float, size: int = 0) -> None:
        """A body begins, or a new window in which `min_body_rate` has to hold."""
        self._window_start, self._window_size = now, size

    def wait(self, now: float) -> float:
        """The next read is waited for from now on; when to look again."""
        self._idle_at = now + self._limits.body_idle_timeout
        return self._next_look()

    def look_again(self, now: float, size: int) -> float | None:
        """When to look again after the time that was told, `size` bytes having come; None: it is too slow."""
        wanted = self._limits.min_body_rate * self._limits.body_rate_window
        if now >= self._idle_at or size - self._window_size < wanted:
            return None
        self.begin(now, size)
        return self._next_look()

    def excuse(self, seconds: float) -> None:
        """So much time was ours, not the client's."""
        self._window_start += seconds

    def _next_look(self) -> float:
        if not self._limits.body_rate_window:
            return self._idle_at  # no window, no rate
        return min(self._idle_at, self._window_start + self._limits.body_rate_window)


class Backlog:
    """What was sent and the client has not taken.

    The kernel holds megabytes for a slow client and calls the socket writable when a third of them is gone:
    in between, only this tells a client that reads from one that does not.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._size = 0

    def shrinks(self) -> bool:
        """Whether it became smaller since the last call (Linux: SIOCOUTQ, tcp(7))."""
        held = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        before, self._size = self._size, struct.unpack("i", held)[0]
        return self._size < before
