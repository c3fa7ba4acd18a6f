"""What is to be sent on one connection: pieces, each made only when the client has taken the one before."""

import socket
from collections.abc import Generator, Iterator
from enum import Enum

from ..contract.responses import Event

# One connection does so many steps of sending before the others have their turn.
_STEPS_A_TURN = 64


class Progress(Enum):
    """Why sending stopped."""

    SENT = "all of it is sent"
    PAUSES = "the next piece is not due yet"
    BLOCKED = "the socket takes no more, or it is the others' turn"


class Outbox:
    """Between an answer and the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._wait = 0.0
        self._outgoing = memoryview(b"")
        self._pieces: Iterator[Event] = iter(())

    def begin(self, pieces: Iterator[Event]) -> None:
        """The pieces of the next answer; all of the one before is sent."""
        self._pieces = pieces

    def send(self) -> Progress:
        """Send what the socket takes; after PAUSES, call `take_wait`.

        Raises OSError, and what making a piece raises.
        """
        for _ in range(_STEPS_A_TURN):
            if self._outgoing:
                try:
                    count = self._socket.send(self._outgoing)
                except BlockingIOError:
                    break
                self._outgoing = self._outgoing[count:]
            elif self._wait:
                return Progress.PAUSES
            else:
                piece = next(self._pieces, None)
                if piece is None:
                    self._pieces = iter(())
                    return Progress.SENT
                self._outgoing, self._wait = memoryview(piece.data), piece.wait
        return Progress.BLOCKED

    def take_wait(self) -> float:
        """In how many seconds the next piece is due; it is made in the next `send`, whenever that is."""
        wait, self._wait = self._wait, 0.0
        return wait

    def close(self) -> None:
        """Nothing more is sent: a generator of pieces ends here."""
        if isinstance(self._pieces, Generator):
            self._pieces.close()
