"""Sends a message to one server and keeps what comes back, within time limits and in bounded memory.

A server may respond before it has read the whole request, and then close. So each wait for room is also a
wait for received bytes, and what came can still be read when the sending breaks.
"""

import hashlib
import http.client
import io
import re
import select
import socket
import time
from contextlib import suppress
from typing import Any, TypeAlias, cast

from ..contract.peers import Peer
from .message import Message
from .outcome import MAX_ANSWER, Outcome

_CONNECT_SECONDS = 5.0
_SEND_SECONDS = 30.0  # without progress
_RESPONSE_SECONDS = 60.0  # from the last byte of the request to that of the response
_STATE_SECONDS = 1.0
_OPEN_SECONDS = 0.5  # how long a message that may be cut waits for its response before the sending ends
_BLOCK = 64 * 1024
_MOST_AHEAD = 256 * 1024  # so much of a response is read while the request is sent
# Any 1xx responses, and the beginning of a final one (RFC 9110 15.2).
_FINAL = re.compile(rb"(?:HTTP/1\.[01] 1[0-9]{2}[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)*HTTP/1\.[01] [2-5]")
_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


_Stream: TypeAlias = "io.BufferedReader[_Line]"


def deliver(message: Message, peer: Peer) -> Outcome:
    """Send the message to a server and read its response. Never raises for what the server does."""
    for stored in message.before:
        outcome = _exchange(stored, peer)
        if outcome.status != 200:
            return Outcome(
                peer.name,
                outcome.ms,
                error=f"no file could be stored first: {outcome.error or outcome.status}",
            )
    return _exchange(message, peer)


def responds(peer: Peer) -> bool:
    """Whether a server answers GET /healthz within a second, whatever the answer is."""
    request = f"GET /healthz HTTP/1.0\r\nHost: {peer.url.removeprefix('http://')}\r\n\r\n"
    try:
        with socket.create_connection(peer.address, timeout=_STATE_SECONDS) as sock:
            sock.sendall(request.encode("ascii"))
            return sock.recv(len(b"HTTP/1.")) != b""
    except OSError:
        return False


def _exchange(message: Message, peer: Peer) -> Outcome:
    started = time.monotonic()
    found: dict[str, Any] = {}
    try:
        with socket.create_connection(peer.address, timeout=_CONNECT_SECONDS) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            _converse(_Line(sock), message, found)
    except TimeoutError as error:
        found["error"] = str(error)
    except http.client.HTTPException as error:
        found["error"] = f"not a response: {type(error).__name__} {error}".strip()
    except OSError as error:
        found["error"] = error.strerror or str(error)
    return Outcome(peer.name, round((time.monotonic() - started) * 1000, 1), **found)


def _converse(line: "_Line", message: Message, found: dict[str, Any]) -> None:
    """Send the message and read the responses into `found`."""
    _send(line, message)
    line.deadline = time.monotonic() + _RESPONSE_SECONDS
    if message.verbatim:
        line.wait(_OPEN_SECONDS)
        line.shut()
    stream: _Stream = io.BufferedReader(line)
    _read_first(stream, message.methods[0], found)
    for method in message.methods[1:]:
        if not stream.peek(1):
            break
        response = _begun(stream, method)
        _read_body(response)
        found["more"] = (*found.get("more", ()), response.status)


def _send(line: "_Line", message: Message) -> None:
    """Send all pieces, or until the server takes no more."""
    for piece in message.pieces:
        if piece.pause:
            line.wait(piece.pause)
        for block in piece.blocks():
            if not line.send(block, stop=not message.verbatim):
                return


def _read_first(stream: _Stream, method: str, found: dict[str, Any]) -> None:
    if not stream.peek(1):
        found |= {"error": "the connection was closed without a response", "closed": True}
        return
    response = _begun(stream, method)
    found["status"] = response.status
    found["content_type"] = response.getheader("Content-Type")
    found["answer"], found["size"], found["sha256"] = _read_body(response, found)


def _begun(stream: _Stream, method: str) -> http.client.HTTPResponse:
    """The final response. http.client itself leaves out only 100 (RFC 9110 15.2)."""
    while True:
        response = http.client.HTTPResponse(cast(socket.socket, _Shared(stream)), method=method)
        response.begin()
        if response.status >= 200:
            return response


def _read_body(
    response: http.client.HTTPResponse, found: dict[str, Any] | None = None
) -> tuple[bytes, int, str]:
    """The first bytes of the body, its size and its hash. `found` gets the first bytes if the rest is cut."""
    digest = hashlib.sha256()
    kept, size = bytearray(), 0
    try:
        # A chunk is kept when it comes. `read1` of Python 3.11 does not count a body with a length.
        while block := (response.read1 if response.chunked else response.read)(_BLOCK):
            digest.update(block)
            size += len(block)
            kept += block[: MAX_ANSWER - len(kept)]
    finally:
        if found is not None:
            found["answer"], found["size"] = bytes(kept), size
    if response.length:  # Content-Length announced more
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(kept), size, digest.hexdigest()


class _Shared:
    """What HTTPResponse needs of a socket. Several responses read from one stream, which stays open."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def makefile(self, *_: object) -> Any:
        """The stream, for a response that closes it at its end."""
        return _Borrowed(self._stream)


class _Borrowed(io.BufferedIOBase):
    """A stream that is not closed together with this object."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._stream.read(size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._stream.read1(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._stream.readline(-1 if size is None else size)

    def peek(self, size: int = 0, /) -> bytes:
        return self._stream.peek(size)


class _Line(io.RawIOBase):
    """A non-blocking connection: sends while it receives, and is read as a stream until `deadline`."""

    def __init__(self, sock: socket.socket) -> None:
        self.deadline = 0.0
        self._socket = sock
        self._received = bytearray()
        self._ended = False
        self._poll = select.poll()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read what has come, and wait for it. Raises TimeoutError at the deadline."""
        while not self._received and not self._ended:
            if not self._receive(self.deadline - time.monotonic()):
                raise TimeoutError(f"no whole response within {_RESPONSE_SECONDS:g} s")
        view = memoryview(buffer)
        count = min(len(view), len(self._received))
        view[:count] = self._received[:count]
        del self._received[:count]
        return count

    def send(self, data: bytes, *, stop: bool) -> bool:
        """Send `data`; False when the server takes no more, and with `stop` when its response has begun.

        Raises TimeoutError when nothing could be sent for 30 seconds.
        """
        view = memoryview(data)
        while view:
            events = self._ready(select.POLLOUT | self._interest(), _SEND_SECONDS)
            if not events:
                raise TimeoutError(f"the server took no bytes for {_SEND_SECONDS:g} s")
            if events & ~select.POLLOUT and self._interest():
                self._receive(0)
                if self._ended or (stop and _FINAL.match(self._received)):
                    return False
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                continue
            except _BROKEN:
                return False
        return True

    def wait(self, seconds: float) -> None:
        """Wait for received bytes."""
        if not self._received and not self._ended:
            self._receive(seconds)

    def shut(self) -> None:
        """End the sending."""
        with suppress(OSError):  # the server may have closed already
            self._socket.shutdown(socket.SHUT_WR)

    def _interest(self) -> int:
        return select.POLLIN if not self._ended and len(self._received) < _MOST_AHEAD else 0

    def _receive(self, seconds: float) -> bool:
        """Wait for bytes and take them; False if none came in time."""
        if not self._ready(select.POLLIN, seconds):
            return False
        try:
            data = self._socket.recv(_BLOCK)
        except BlockingIOError:
            return True
        except _BROKEN:
            data = b""
        self._received += data
        self._ended = not data
        return True

    def _ready(self, events: int, seconds: float) -> int:
        self._poll.register(self._socket, events)
        ready = self._poll.poll(max(seconds, 0) * 1000)
        return ready[0][1] if ready else 0
