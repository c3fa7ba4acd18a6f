"""The response under way on one connection: pieces, each made after the client has taken the one before."""

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Generator, Iterator
from enum import Enum

from ..contract.responses import Event
from .observer import Observer

# After so many sends it is the turn of the other connections.
_STEPS_A_TURN = 64


class Progress(Enum):
    """Why sending stopped."""

    SENT = "the whole response is sent"
    PAUSES = "the next piece is not due yet"
    BLOCKED = "the socket takes no more, or it is the turn of other connections"


class Outbox:
    """Sends one response after another.

    `closes` says whether the connection ends after this response. `resume_at` is the time of
    `time.monotonic` when the next piece is due; it is set when `send` returns PAUSES.
    """

    def __init__(self, sock: socket.socket, observer: Observer | None = None) -> None:
        self.closes = False
        self.resume_at = 0.0
        self.unsent = UnsentBytes(sock)
        self._socket = sock
        self._observer = observer
        self._wait = 0.0
        self._outgoing = memoryview(b"")
        self._pieces: Iterator[Event] = iter(())

    def begin(self, pieces: Iterator[Event], *, closes: bool) -> None:
        """Start the next response. The one before must be sent completely."""
        self._pieces = pieces
        self.closes = closes

    def send(self) -> Progress:
        """Send as much as the socket takes.

        Raises OSError, and whatever making a piece raises.
        """
        for _ in range(_STEPS_A_TURN):
            if self._outgoing:
                try:
                    count = self._socket.send(self._outgoing)
                except BlockingIOError:
                    break
                self._outgoing = self._outgoing[count:]
            elif self._wait:
                self.resume_at, self._wait = time.monotonic() + self._wait, 0.0
                return Progress.PAUSES
            else:
                piece = next(self._pieces, None)
                if self._observer:
                    self._observer.sending(piece)
                if piece is None:
                    self._pieces = iter(())
                    return Progress.SENT
                self._outgoing, self._wait = memoryview(piece.data), piece.wait
        self.unsent.made_progress()
        return Progress.BLOCKED

    def close(self) -> None:
        """Send nothing more, and close the generator that makes the pieces."""
        if isinstance(self._pieces, Generator):
            self._pieces.close()


class UnsentBytes:
    """The bytes that the kernel holds because the client has not taken them.

    The kernel holds megabytes for a slow client, and calls the socket writable only when a third of them is
    gone. Until then only this number shows whether the client still reads.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._size = 0

    def made_progress(self) -> bool:
        """Whether there are fewer than at the last call (Linux: SIOCOUTQ, tcp(7))."""
        held = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        before, self._size = self._size, struct.unpack("i", held)[0]
        return self._size < before
