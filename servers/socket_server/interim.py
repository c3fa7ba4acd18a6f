"""Interim responses (RFC 9110 15.2), which go out while a body is still coming."""

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..contract.interim import on_the_wire
from ..sansio.connection import HeadReceived
from .current_request import CurrentRequest
from .inbox import Inbox
from .responses import CONTINUE

if TYPE_CHECKING:
    from .observer import Observer

# They go to an empty send buffer, which has room for more than these, so none is ever sent in part.
_MOST: Final = 64


class Interim:
    """Sends the interim responses of one connection. It never waits, and leaves out what has no room."""

    def __init__(self, sock: socket.socket, observer: "Observer | None") -> None:
        self._socket = sock
        self._observer = observer
        self._request: CurrentRequest | None = None
        self._left = 0

    def let_body_come(self, received: HeadReceived, inbox: Inbox) -> None:
        """Send 100 (Continue) if the client waits for it, and nothing of its body has come (B37)."""
        if received.expects_continue and received.has_body and not inbox.buffered:
            self._send(CONTINUE)
            if self._observer:
                self._observer.continued()

    def tell(self, request: CurrentRequest | None) -> None:
        """Send what the exchange has to say before its response; nothing to HTTP/1.0 (RFC 9110 15.2)."""
        if request is None or request.received.minor_version == 0:
            return
        if request is not self._request:
            self._request, self._left = request, _MOST
        if self._left and (fields := request.exchange.take_interim()) is not None:
            self._left -= 1
            self._send(on_the_wire(fields))
            if self._observer:
                self._observer.told(fields)

    def _send(self, data: bytes) -> None:
        with suppress(BlockingIOError):  # it may be left out (RFC 9110 10.1.1)
            self._socket.send(data)
