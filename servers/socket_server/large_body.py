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

# Other work of the disk waits for a thread at most about so long, once for each upload that is before it.
_SECONDS = 0.02
# Back in the event loop, a pause of the client costs more than this.
_PATIENCE_MS = 2
# Bytes of one read. Larger reads are faster, since fewer threads wake up, but a process keeps memory for
# them. So an upload is read in larger pieces the more of it has come.
LEAST_READ = 512 * 1024
MOST_READ = 2 * 1024 * 1024
_SHARE = 8  # at most this part of what has come
LITTLE = 64 * 1024
"""What a slower client sends at a time. It is received by the event loop: a thread would only wait for it."""


class LargeBody:
    """A body that goes to `exchange`; `received` bytes of it have come.

    `note` gets each piece of it, and `arrived` what each read returned.
    """

    def __init__(
        self,
        sock: socket.socket,
        inbox: Inbox,
        exchange: Exchange,
        *,
        received: int,
        arrived: Callable[[bytes], None],
        note: Callable[[memoryview], None],
    ) -> None:
        self._socket = sock
        self._inbox = inbox
        self._exchange = exchange
        self._read_size = max(LEAST_READ, min(received // _SHARE, MOST_READ))
        self._arrived = arrived
        self._note = note

    def with_more(self, first: memoryview) -> list[memoryview]:
        """`first`, which is noted already, and what else of the body is at hand, up to about PIECE bytes."""
        return [first, *self._at_hand(PIECE - len(first))]

    def store(self, pieces: list[memoryview], *, receives: bool) -> float:
        """Handle these pieces. With `receives` also what the client sends for a short time.

        Without it the event loop may receive meanwhile. Returns how many seconds were spent waiting for the
        client. Waits for the disk. Raises Problem, and OSError if the client has gone.
        """
        self._exchange.feed(*pieces)
        waited, size = 0.0, LITTLE
        end = time.monotonic() + _SECONDS
        while receives:
            while pieces := list(self._at_hand(PIECE)):  # all that has arrived, before more is received
                self._exchange.feed(*pieces)
            if size < LITTLE or not self._inbox.needs_data or (now := time.monotonic()) >= end:
                break
            if (size := self._receive()) < 0:
                size = LITTLE if not waited and _has_more(self._socket) else 0
                waited += time.monotonic() - now
        return waited

    def _at_hand(self, size: int) -> Iterator[memoryview]:
        for piece in self._inbox.more_of_body(size):
            self._note(piece)
            yield piece

    def _receive(self) -> int:
        """How many bytes came; -1 if there are none yet."""
        try:
            data = self._socket.recv(self._read_size)
        except BlockingIOError:
            return -1
        self._arrived(data)
        return len(data)


def _has_more(sock: socket.socket) -> bool:
    """Whether the client sends within a moment."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(_PATIENCE_MS))
