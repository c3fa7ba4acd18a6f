"""Sends a request made by hand on a socket and reads the response, both at the same time.

A server may refuse an upload before it has read it. The response then comes during the sending, or the
sending breaks. In both cases the client stops, reads the response, and does not call the server unreachable.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator

from .conversation import Conversation, connect
from .digest import Block
from .errors import BadResponse, Unreachable, UsageError
from .incoming_response import IncomingResponse
from .request import OnBlock, Request, build_request
from .request_url import RequestUrl
from .response_parser import Response
from .upload_call import Call
from .verify_upload import verify_upload
from .wire import Wire, WireSocket, watch_tls

# A client does not wait for 100 (Continue) for ever (RFC 9110, section 10.1.1). curl waits for 1 s, too.
CONTINUE_SECONDS = 1.0


def send(call: Call, wire: Wire, *, cafile: str | None = None, on_block: OnBlock | None = None) -> Response:
    """Send a call through `wire` and check the response against it. Raises as `request` does.

    `cafile` has the certificates to trust instead of the system's.
    """
    request = build_request(**call.arguments())
    with SocketConnection(request, wire, cafile) as connection:
        connection.send(on_block)
        while (response := connection.incoming.final()) is None:
            connection.receive()
    verify_upload(response, request.body)
    return response


def dry_run(call: Call, write: Callable[[Block], None]) -> None:
    """Give to `write` all bytes that `send` would send. No connection is made."""
    request = build_request(**call.arguments())
    write(request.head())
    for block in request.blocks():
        write(block)


class SocketConnection:
    """One request and its response on a connection of their own, which is opened here.

    A context manager that closes it. `incoming` is what has come of the response. Raises Unreachable for
    every failure of the connection, and UsageError for a `cafile` without certificates.
    """

    def __init__(
        self, request: Request, wire: Wire, cafile: str | None = None, *, streamed: bool = False
    ) -> None:
        self._request = request
        self._wire = wire
        self.incoming = IncomingResponse(request, wire, streamed=streamed)
        with self._failures():
            self._connection = _connect(request.url, wire, cafile)
        self._conversation = Conversation(
            self._connection, wire, self.incoming.feed, stop=lambda: self.incoming.parser.begun
        )

    def __enter__(self) -> SocketConnection:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def send(self, on_block: OnBlock | None = None) -> None:
        """Send the whole request, unless a final response begins before that or the peer takes no more."""
        if self._send(self._request.head()) and self._may_send_body():
            for block in self._request.blocks(on_block):
                if not self._send(block):
                    break

    def receive(self, seconds: float | None = None) -> None:
        """Wait for bytes of the response, at most `seconds`, and read them."""
        with self._failures():
            self._conversation.receive(seconds)

    def _send(self, block: Block) -> bool:
        with self._failures():
            return self._conversation.send(block)

    def _may_send_body(self) -> bool:
        """With an expectation: wait for 100 (Continue), a final response, or CONTINUE_SECONDS."""
        if (self._request.field("expect") or b"").lower() != b"100-continue":
            return True
        parser = self.incoming.parser
        patience = time.monotonic() + CONTINUE_SECONDS
        while not parser.responses.continues and (left := patience - time.monotonic()) > 0:
            self.receive(left)
            if self.incoming.ended or parser.begun:
                return False
        return True

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Says in words what went wrong on the connection."""
        try:
            yield
        except TimeoutError as error:
            raise too_late(self._request.url, self._wire, error, self.incoming) from None
        except OSError as error:
            raise Unreachable(f"no response from {self._request.url.authority}: {reason(error)}") from None


def _connect(url: RequestUrl, wire: Wire, cafile: str | None) -> socket.socket:
    """A non-blocking, watched connection. Also raises TimeoutError at the deadline."""
    context = trusted_context(cafile) if url.scheme == "https" else None
    try:
        connection = connect(url.host, url.port, wire)
        if context is None:
            connection = WireSocket.adopt(connection, wire)
        else:
            with connection:  # wrap_socket takes the descriptor over; when it fails, this closes it
                connection = watch_tls(context).wrap_socket(connection, server_hostname=url.host)
            connection.wire = wire  # type: ignore[attr-defined]  # a WireTLSSocket, unknown to the stubs
    except TimeoutError:
        raise
    except OSError as error:
        raise Unreachable(f"cannot connect to {url.authority}: {reason(error)}") from None
    connection.setblocking(False)
    return connection


def trusted_context(cafile: str | None) -> ssl.SSLContext:
    """A client's TLS context with the certificates of `cafile`, or of the system."""
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise UsageError(f"cannot use the certificates of {cafile}: {reason(error)}") from None


def too_late(
    url: RequestUrl, wire: Wire | None, error: TimeoutError, incoming: IncomingResponse | None
) -> Unreachable:
    """The error for a time limit that has passed, ours or the kernel's; BadResponse inside of a response."""
    limit = f"within {wire.max_time:g} s" if wire and wire.max_time else f"({reason(error)})"
    if incoming is not None and (unfinished := incoming.parser.responses.unfinished):
        return BadResponse(f"no whole response from {url.authority} {limit}: {unfinished}")
    return Unreachable(f"no response from {url.authority} {limit}")


def reason(error: OSError) -> str:
    """What an error says, without its number and its place in a source file."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    return error.strerror or str(error)
