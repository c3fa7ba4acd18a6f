"""Sends a message over a socket and reads the answer, both at the same time.

A server may refuse an upload before it has read it: the answer then comes while we are still sending, or the
sending breaks. Either way we stop, read what the server said, and never confuse it with "unreachable".
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable

from .digest import Block
from .errors import Unreachable, UsageError
from .received_response import ReceivedResponse
from .request import Request, build_request
from .request_url import RequestUrl
from .response_parser import Response
from .upload_call import Call
from .verify_upload import confirm
from .wire import Wire, WireSocket, watch_tls

# RFC 9110, section 10.1.1: a client does not wait for 100 (Continue) for ever. curl waits 1 s, too.
CONTINUE_SECONDS = 1.0
_RECEIVE_BYTES = 1 << 20
_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def send(
    call: Call,
    wire: Wire,
    *,
    cafile: str | None = None,
    on_block: Callable[[int], None] | None = None,
) -> Response:
    """Send a call through `wire` and check the answer against it. Raises as `request` does."""
    message = build_request(**call.arguments())
    response = deliver(message, wire, cafile=cafile, on_block=on_block)
    body = message.body
    confirm(response, body.receipt if body else None, has_body=body is not None)
    return response


def dry_run(call: Call, write: Callable[[Block], None]) -> None:
    """Give to `write` all bytes that `send` would send. Nothing is connected to."""
    message = build_request(**call.arguments())
    write(message.head())
    for block in message.blocks():
        write(block)


def deliver(
    message: Request,
    wire: Wire,
    *,
    cafile: str | None = None,
    on_block: Callable[[int], None] | None = None,
) -> Response:
    """Send `message` on a new connection and return the final answer.

    `cafile` has the certificates to trust instead of the system's; `on_block` is told what has been sent.
    Raises Unreachable when there is no answer, and what the body's source raises.
    """
    try:
        with connect(message.url, wire, cafile) as connection:
            return _Delivery(connection, wire, message).run(on_block)
    except TimeoutError as error:
        raise too_late(message.url, wire, error) from None


def connect(url: RequestUrl, wire: Wire, cafile: str | None = None) -> socket.socket:
    """A non-blocking, watched connection.

    Raises Unreachable, UsageError for a `cafile` without certificates, and TimeoutError at the deadline.
    """
    context = trusted_context(cafile) if url.scheme == "https" else None
    try:
        plain = socket.create_connection((url.host, url.port), timeout=wire.remaining)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _tls(plain, url, wire, context) if context else WireSocket.adopt(plain, wire)
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


def _tls(plain: socket.socket, url: RequestUrl, wire: Wire, context: ssl.SSLContext) -> socket.socket:
    with plain:  # wrap_socket takes the descriptor over; when it fails, this closes it
        connection = watch_tls(context).wrap_socket(plain, server_hostname=url.host)
    connection.wire = wire  # type: ignore[attr-defined]  # a WireTLSSocket, which the stubs cannot know
    return connection


def too_late(url: RequestUrl, wire: Wire | None, error: TimeoutError) -> Unreachable:
    """Our limit has passed, or that of the kernel."""
    limit = f"within {wire.max_time:g} s" if wire and wire.max_time else f"({reason(error)})"
    return Unreachable(f"no answer from {url.authority} {limit}")


def reason(error: OSError) -> str:
    """What an error says, without its number and its place in a source file."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    return error.strerror or str(error)


class _Delivery:
    """One request and its answer on one connection."""

    def __init__(self, connection: socket.socket, wire: Wire, message: Request) -> None:
        self._connection = connection
        self._wire = wire
        self._message = message
        self._received = ReceivedResponse(message)
        self._poll = select.poll()

    def run(self, on_block: Callable[[int], None] | None) -> Response:
        """Send all, unless the answer comes first, and return it."""
        if self._send(self._message.head()) and self._may_send_body():
            for block in self._message.blocks(on_block):
                if not self._send(block):
                    break
        return self._read_answer()

    def _may_send_body(self) -> bool:
        """With an expectation: wait for 100 (Continue), a final answer, or the end of our patience."""
        if (self._message.field("expect") or b"").lower() != b"100-continue":
            return True
        patience = time.monotonic() + CONTINUE_SECONDS
        while not self._received.continues and (left := patience - time.monotonic()) > 0:
            self._wait(select.POLLIN, left)
            if self._receive():
                return False
        return True

    def _send(self, data: Block) -> bool:
        """Send `data`; False as soon as a final answer has begun or the peer takes no more."""
        view = memoryview(data).cast("B")
        while view:
            ready = self._wait(select.POLLIN | select.POLLOUT)
            if ready & ~select.POLLOUT and self._receive():
                return False
            try:
                count = self._connection.send(view)
            except _NOT_YET:
                continue
            except _BROKEN:
                return False
            except OSError as error:
                raise self._lost(error) from None
            self._received.count_sent(view[:count])
            view = view[count:]
        return True

    def _receive(self) -> bool:
        """Take what is there; whether a final answer has begun or the peer has ended."""
        try:
            data = self._connection.recv(_RECEIVE_BYTES)
        except _NOT_YET:
            return False
        except _BROKEN:
            data = b""
        except OSError as error:
            raise self._lost(error) from None
        self._received.add(data)
        return self._received.ended or self._received.begun

    def _read_answer(self) -> Response:
        while (response := self._received.final()) is None:
            self._wait(select.POLLIN)
            self._receive()
        return response

    def _lost(self, error: OSError) -> Exception:
        """What to raise for an error of the connection; our own time limit is told elsewhere."""
        if isinstance(error, TimeoutError):
            return error
        return Unreachable(f"no answer from {self._message.url.authority}: {reason(error)}")

    def _wait(self, events: int, seconds: float | None = None) -> int:
        """The events that are ready, 0 after `seconds`. Raises TimeoutError at the deadline."""
        if (
            events & select.POLLIN
            and isinstance(self._connection, ssl.SSLSocket)
            and self._connection.pending()
        ):
            return select.POLLIN
        remaining = self._wire.remaining
        limits = [limit for limit in (remaining, seconds) if limit is not None]
        self._poll.register(self._connection, events)
        ready = self._poll.poll(min(limits) * 1000 if limits else None)
        return ready[0][1] if ready else 0
