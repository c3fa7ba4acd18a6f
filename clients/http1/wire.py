"""Sockets that keep a deadline and show every byte that passes. Both clients use them."""

from __future__ import annotations

import contextlib
import errno
import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from .digest import Block

_SEND_BYTES = 1 << 20
_PEEK_BYTES = 65536
_INTERIM_SECONDS = 0.05
# Any 1xx responses, and the beginning of a final one                      RFC 9110, section 15.2
_FINAL_RESPONSE = re.compile(
    rb"(?:HTTP/1\.[01] 1[0-9]{2}[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)*HTTP/1\.[01] [2-5]"
)


Listener: TypeAlias = Callable[[Block], None]


class Wire:
    """A time limit for a connection, in seconds from now, and listeners that get every byte that passes.

    `idle_time` is a limit for the time in which no byte passes, in seconds. `sent` counts the bytes of the
    request that have been sent. `waited` says whether nothing could be read yet when the last bytes were
    asked for.
    """

    def __init__(
        self,
        max_time: float | None = None,
        on_sent: Listener | None = None,
        on_received: Listener | None = None,
        *,
        idle_time: float | None = None,
    ) -> None:
        self.max_time = max_time
        self.idle_time = idle_time
        self.sent = 0
        self.waited = True
        self.on_sent = on_sent
        self.on_received = on_received
        self._active = time.monotonic()
        self._deadline = None if max_time is None else self._active + max_time

    def listen(self, on_received: Listener) -> None:
        """Add a listener, which gets received bytes after the one that is there."""
        first = self.on_received

        def both(block: Block) -> None:
            if first is not None:
                first(block)
            on_received(block)

        self.on_received = both

    def passed(self) -> None:
        """Bytes have passed: the idle time begins again."""
        if self.idle_time is not None:
            self._active = time.monotonic()

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, None when there is none. Raises TimeoutError when it has passed."""
        quiet = None if self.idle_time is None else self._active + self.idle_time
        deadlines = [each for each in (self._deadline, quiet) if each is not None]
        if not deadlines:
            return None
        left = min(deadlines) - time.monotonic()
        if left > 0:
            return left
        if self._deadline is None or (quiet is not None and quiet < self._deadline):
            raise TimeoutError(f"nothing came or went for {self.idle_time:g} s")
        raise TimeoutError(f"the time limit of {self.max_time:g} s has passed")

    def shorten(self, seconds: float) -> None:
        """Move the deadline to `seconds` from now, unless it is earlier."""
        soon = time.monotonic() + seconds
        self._deadline = soon if self._deadline is None else min(self._deadline, soon)


if TYPE_CHECKING:
    _Base = socket.socket
else:
    _Base = object


class _Watched(_Base):
    """Mixed into a socket class: each operation ends at the deadline, and the listeners get its bytes."""

    wire = Wire()

    def send(self, data: Any, flags: int = 0, /) -> int:
        self._keep_deadline()
        try:
            count = super().send(data, flags)
        except ssl.SSLEOFError:
            # TLS has its own error for it. At a broken pipe, urllib3 and this project read the response.
            raise BrokenPipeError(errno.EPIPE, "Broken pipe") from None
        self.wire.sent += count
        self.wire.passed()
        if self.wire.on_sent:
            self.wire.on_sent(memoryview(data)[:count])
        return count

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view[:_SEND_BYTES], flags) :]

    def recv(self, size: int = 65536, flags: int = 0, /) -> bytes:
        self._keep_deadline()
        self.wire.waited = not self._is_readable()
        data = super().recv(size, flags)
        self.wire.passed()
        if self.wire.on_received:
            self.wire.on_received(data)
        return data

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self._keep_deadline()
        self.wire.waited = not self._is_readable()
        # For 0 a TLS socket reads nothing, and a plain socket as much as fits.
        count = super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)
        self.wire.passed()
        if self.wire.on_received:
            self.wire.on_received(memoryview(buffer)[:count])
        return count

    def _is_readable(self) -> bool:
        if self.fileno() < 0:
            return True  # reading a closed socket fails at once
        poll = select.poll()
        poll.register(self, select.POLLIN)
        return bool(poll.poll(0))

    def _keep_deadline(self) -> None:
        if self.gettimeout() == 0:
            return  # the caller of a non-blocking socket waits for the deadline elsewhere
        remaining = self.wire.remaining
        if remaining is not None:
            self.settimeout(remaining)


class WireSocket(_Watched, socket.socket):
    """A plain connection that is watched."""

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all. Raises BrokenPipeError when the peer has responded, and urllib3 then reads the response.

        requests alone would go on sending and wait forever, because the server no longer reads.
        """
        view = memoryview(data).cast("B")
        while view:
            self._wait_for_room()
            with contextlib.suppress(BlockingIOError):
                view = view[self.send(view[:_SEND_BYTES], flags | socket.MSG_DONTWAIT) :]

    def _wait_for_room(self) -> None:
        """Return when something can be sent; BrokenPipeError when a final response or the end has come."""
        poll = select.poll()
        poll.register(self, select.POLLIN | select.POLLOUT)
        while True:
            remaining = self.wire.remaining
            ready = poll.poll(None if remaining is None else remaining * 1000)
            events = ready[0][1] if ready else 0
            if events & ~select.POLLOUT and self._has_responded():
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")
            if events & select.POLLOUT:
                return
            if events:
                time.sleep(_INTERIM_SECONDS)  # an interim response, which is left unread, makes poll return

    def _has_responded(self) -> bool:
        """Whether the peer has begun its final response, or ended; the bytes stay in the socket."""
        data = socket.socket.recv(self, _PEEK_BYTES, socket.MSG_PEEK)
        return not data or _FINAL_RESPONSE.match(data) is not None

    @classmethod
    def adopt(cls, connection: socket.socket, wire: Wire) -> WireSocket:
        """Take over an open socket."""
        timeout = connection.gettimeout()
        adopted = cls(fileno=connection.detach())
        adopted.settimeout(timeout)
        adopted.wire = wire
        return adopted


class WireTLSSocket(_Watched, ssl.SSLSocket):
    """A TLS connection that is watched: what passes is the plain text. A context makes it."""

    def _is_readable(self) -> bool:
        return self.pending() > 0 or super()._is_readable()


def watch_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """`context`, whose sockets are WireTLSSocket from now on."""
    context.sslsocket_class = WireTLSSocket
    return context
