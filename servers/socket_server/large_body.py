"""Receives a large body in the thread that parses, hashes and writes it.

To hand each piece from the event loop to a thread and back takes longer than to receive it. So a thread goes
on with the connection while its client sends, for some milliseconds at a time. Nobody else uses the
connection meanwhile. A client that sends nothing for a moment is waited for by the event loop again.
"""

import select
import socket
import time
from collections.abc import Callable, Iterator

from ..contract.exchange import Exchange
from .inbox import PIECE, Inbox

# Other uploads wait for a thread at most about so long, once for each that is before them.
_SECONDS = 0.02
# Back in the event loop, a pause of the client costs more than this.
_PATIENCE_MS = 2
READ_SIZE = 512 * 1024
"""Bytes of one read, at most."""


class LargeBody:
    """A body that goes to `exchange`. `note` gets each piece of it, and `arrived` what each read returned."""

    def __init__(
        self,
        sock: socket.socket,
        inbox: Inbox,
        exchange: Exchange,
        *,
        arrived: Callable[[bytes], None],
        note: Callable[[memoryview], None],
    ) -> None:
        self._socket = sock
        self._inbox = inbox
        self._exchange = exchange
        self._arrived = arrived
        self._note = note

    def store(self, first: memoryview) -> float:
        """Handle `first`, which is noted already, and what the client sends for a short time.

        Returns how many seconds were spent waiting for the client. Waits for the disk. Raises Problem, and
        OSError if the client has gone.
        """
        waited = 0.0
        end = time.monotonic() + _SECONDS
        self._exchange.feed(first, *self._at_hand(PIECE - len(first)))
        while self._inbox.needs_data and (now := time.monotonic()) < end:
            if not self._receive():
                is_there = _has_more(self._socket)
                waited += time.monotonic() - now
                if not is_there:
                    break
            elif pieces := list(self._at_hand(PIECE)):
                self._exchange.feed(*pieces)
        return waited

    def _at_hand(self, size: int) -> Iterator[memoryview]:
        for piece in self._inbox.more_of_body(size):
            self._note(piece)
            yield piece

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return False
        self._arrived(data)
        return True


def _has_more(sock: socket.socket) -> bool:
    """Whether the client sends within a moment."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(_PATIENCE_MS))
