"""The response under way on one connection: pieces, each made after the socket has taken the one before."""

import fcntl
import select
import socket
import struct
import sys
import termios
import time
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from ..contract.responses import Event, FileSlice, Response
from .loop import Loop
from .responses import pieces_of

if TYPE_CHECKING:
    from .observer import Observer

# After so many sends it is the turn of the other connections.
_STEPS_A_TURN = 64
# A thread sends a file for so long at most, and waits so long for a client that has read too little.
_SENDING_SECONDS = 0.05
_PATIENCE_MS = 2
_SO_NWRITE = 0x1024  # <sys/socket.h> of macOS; Python has no name for it


class Progress(Enum):
    """Why sending stopped."""

    SENT = "the whole response is sent"
    PAUSES = "the next piece is not due yet"
    BLOCKED = "the socket takes no more, or it is the turn of other connections"
    MUST_READ = "the next piece must be read from the disk"


class Outbox:
    """Sends one response after another.

    `closes` says whether the connection ends after this response. `sent` is how many bytes of it the socket
    has taken. `resume_at` is the time of `time.monotonic` when the next piece is due; it is set when `send`
    returns PAUSES.
    """

    def __init__(self, sock: socket.socket, observer: "Observer | None" = None) -> None:
        self.closes = False
        self.sent = 0
        self.resume_at = 0.0
        self.unsent = UnsentBytes(sock)
        self._socket = sock
        self._observer = observer
        self._wait = 0.0
        self._is_full = False
        self._outgoing = memoryview(b"")
        self._response: Response | None = None
        self._file: FileSlice | None = None
        self._pieces: Iterator[Event] = iter(())

    def begin(self, response: Response, head: bytes, *, chunked: bool, closes: bool) -> None:
        """Start the next response. The one before must be sent completely."""
        self.closes = closes
        self.sent = 0
        self._response = response
        if isinstance(response.body, FileSlice) and not response.head_only:
            self._file = response.body
        self._pieces = pieces_of(response, head, chunked=chunked)

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
                self.sent += count
                self._outgoing = self._outgoing[count:]
            elif self._wait:
                self.resume_at, self._wait = time.monotonic() + self._wait, 0.0
                return Progress.PAUSES
            elif self._is_full:
                self._is_full = False
                break
            elif self._file is not None and self._file.must_read:
                return Progress.MUST_READ
            else:
                piece = next(self._pieces, None)
                if self._observer:
                    self._observer.sending(piece)
                if piece is None:
                    self._response, self._file, self._pieces = None, None, iter(())
                    return Progress.SENT
                self._outgoing, self._wait = memoryview(piece.data), piece.wait
        self.unsent.made_progress()
        return Progress.BLOCKED

    def read(self) -> None:
        """Read the next block of the file, after `send` has returned MUST_READ. Waits for the disk.

        Where the system can send the file by itself, and nobody watches its bytes, it does. Raises OSError.
        """
        file = self._file
        assert file is not None
        if self._observer is not None or file.descriptor is None:
            file.read_ahead()
            return
        until = time.monotonic() + _SENDING_SECONDS
        while file.descriptor is not None and time.monotonic() < until:
            try:
                self.sent += file.send(self._socket.fileno())
            except BlockingIOError:
                if not _takes_more(self._socket):
                    self._is_full = True
                    return

    def close(self, loop: Loop) -> None:
        """Send nothing more, and close the file or the stream of the response."""
        response, self._response = self._response, None
        if response is not None:
            close_response(response, loop)


def _takes_more(sock: socket.socket) -> bool:
    """Whether the client has read enough within a moment. Back in the event loop, this takes longer."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(_PATIENCE_MS))


def close_response(response: Response, loop: Loop) -> None:
    """Close the stream, or in a thread the file, of a response that is not sent to its end."""
    if not isinstance(response.body, FileSlice):
        response.close()
    elif (file := response.body.detach()) is not None:
        loop.in_thread(file.close, lambda _: None)


class UnsentBytes:
    """The bytes that the kernel holds because the client has not taken them.

    The kernel holds megabytes for a slow client, and calls the socket writable only when a third of them is
    gone. Until then only this number shows whether the client still reads.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._size = 0

    def made_progress(self) -> bool:
        """Whether there are fewer than at the last call."""
        before, self._size = self._size, _unsent_by(self._socket)
        return self._size < before


def _unsent_by(sock: socket.socket) -> int:
    if sys.platform == "darwin":
        return sock.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
    held = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))  # SIOCOUTQ, tcp(7)
    size: int = struct.unpack("i", held)[0]
    return size
