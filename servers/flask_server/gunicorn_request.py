"""One request under gunicorn: the head is parsed from its bytes, and the body is framed by our own streams.

gunicorn's parser has other codes and checks in another order, so it is not used. Its connection handling, its
responses and its environ are used as they are.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import SocketUnreader

from ..contract.capture import Capture
from ..contract.limits import MIB, Limits
from ..contract.problems import Problem
from ..contract.remembered import KnownHeads
from ..flask_reading.chunks import ChunkedStream
from ..flask_reading.head import join_lines
from ..flask_reading.wire_head import KnownHead, WireHead
from .pace import Pace

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_READ = 65536


class PeerClosed(Exception):
    """The peer ended the connection before a head was complete, so no response can be sent."""


class HeadReader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads from one connection: heads without waiting, bodies with the idle time-out.

    The `capture` gets what the parsers get.
    """

    def __init__(
        self,
        sock: Any,
        limits: Limits,
        capture: Capture | None = None,
        known: KnownHeads[KnownHead] | None = None,
    ) -> None:
        super().__init__(sock)
        self._known = known
        self.limits = limits
        self.capture = capture
        self.deadline = float("inf")  # of the head at hand, on the monotonic clock
        self.wire = WireHead(limits, known)

    def gather(self) -> bool:
        """Read what has arrived of a head. Returns whether the head is complete.

        Raises Problem for a bad head, PeerClosed and OSError.
        """
        self.sock.setblocking(False)
        for data in self._arrived():
            if not self.wire.begun:
                self.deadline = time.monotonic() + self.limits.head_timeout
            if self._feed_head(data):
                return True
            self._check_deadline()  # here too: a peer may never pause
        self._check_deadline()
        return False

    def _feed_head(self, data: bytes) -> bool:
        if self.capture is None:
            return self.wire.feed(data)
        behind = 0
        try:
            if is_complete := self.wire.feed(data):
                behind = len(self.wire.rest)
        finally:
            self.capture.feed(data[: len(data) - behind])
        return is_complete

    def _check_deadline(self) -> None:
        if time.monotonic() > self.deadline:
            raise late_head(self.limits)

    def _arrived(self) -> Iterator[bytes]:
        if held := self.take_buffered():
            yield held
        with suppress(BlockingIOError):
            while data := self.sock.recv(_READ):
                self._note_read(data)
                yield data
            raise PeerClosed

    def _note_read(self, data: bytes) -> None:
        if self.capture is not None:
            self.capture.read(len(data))

    def take_head(self) -> WireHead:
        """The complete head. What came behind it is read next."""
        wire, self.wire = self.wire, WireHead(self.limits, self._known)
        self.deadline = float("inf")
        self.unread(wire.rest)
        if self.capture is not None and wire.head is not None:
            self.capture.head_complete(wire.head)
        self.sock.settimeout(self.limits.send_timeout)
        return wire

    def receive(self, size: int) -> bytes:
        """1 to `size` bytes, or `b""` when the peer has closed. Raises OSError, TimeoutError among them."""
        received: bytes = self.take_buffered()
        if received:
            self.unread(received[size:])
            received = received[:size]
        else:
            self.sock.settimeout(self.limits.body_idle_timeout)
            received = self.sock.recv(size)
            self.sock.settimeout(self.limits.send_timeout)
            self._note_read(received)
        if self.capture is not None:
            self.capture.feed(received)
        return received


def late_head(limits: Limits) -> Problem:
    """The problem for a head that took too long."""
    what = f"the head was not complete after {limits.head_timeout} s"
    return Problem("request_timeout", what, rule=None)  # B3 is about bodies


class RequestBody:
    """`wsgi.input`, framed by Content-Length or by chunks. A read returns what has arrived.

    The 100 (Continue) is sent with the first read, when the application wants the body. It is not sent when
    the application refuses the head (B37, B39). `head` is for the application, which must not read it again
    from the environ.
    """

    def __init__(self, reader: HeadReader, wire: WireHead) -> None:
        assert wire.head is not None and wire.line is not None
        self.head = wire.head
        self.failed = False  # read by gunicorn: it is not known where the next request begins
        self._reader = reader
        self._left = wire.head.content_length or 0
        self._chunks: ChunkedStream | None = None
        if wire.head.chunked:
            has_type = "content-type" in wire.head.fields
            self._chunks = ChunkedStream(
                reader.receive, reader.limits, has_type=has_type, check_rate=Pace(reader.limits).check
            )
        self._continue_pending = "expect" in wire.head.fields and not wire.line.http_1_0

    @property
    def capture(self) -> Capture | None:
        """The history's part in this connection."""
        return self._reader.capture

    @property
    def behind(self) -> int:
        """How many bytes behind the body were read with it. Valid when it has `ended`."""
        return 0 if self._chunks is None else len(self._chunks.rest)

    @property
    def ended(self) -> bool:
        """Whether the whole body was read."""
        return self._left == 0 if self._chunks is None else self._chunks.ended

    def read(self, size: int = MIB) -> bytes:
        """1 to `size` bytes, or `b""` at the end and when the peer ended early. Raises Problem, OSError."""
        if self.ended:
            return b""
        try:
            if self._continue_pending:
                self._continue_pending = False
                self._reader.sock.sendall(CONTINUE)
            return self._read(size)
        except BaseException:
            self.failed = True
            raise

    def _read(self, size: int) -> bytes:
        if self._chunks is None:
            data = self._reader.receive(min(size, self._left))
            self._left -= len(data)
            return data
        data = self._chunks.read(size)
        if self._chunks.ended:
            self._reader.unread(self._chunks.rest)
        return data


class StrictRequest(Request):  # type: ignore[misc]
    """A request whose head was parsed by `WireHead`. gunicorn makes its environ from it."""

    unreader: HeadReader

    def parse(self, unreader: HeadReader) -> bytes:
        """Copy the head that was gathered."""
        self.wire = wire = unreader.take_head()
        assert wire.line is not None
        self.method = wire.line.method
        self.uri = wire.raw_target
        self.path, _, self.query = wire.line.target.origin.partition("?")
        self.fragment = ""
        self.version = (1, 0) if wire.line.http_1_0 else (1, 1)  # 1.2 is treated as 1.1 (R9)
        self.headers = [(name.upper(), join_lines(name, values)) for name, values in wire.fields.items()]
        return b""

    def set_body_reader(self) -> None:
        """Frame the body as the head says."""
        self.body = RequestBody(self.unreader, self.wire)

    def should_close(self) -> bool:
        """Whether the connection ends after this request: an unread body, HTTP/1.0, or `close` (B45).

        `close` may stand anywhere in the list. What follows a CONNECT may be meant for a tunnel, so it is
        never read (R7, H054).
        """
        options = {option.strip(" \t").lower() for option in self._connection().split(",")}
        if (
            self.method == "CONNECT"
            or self.must_close
            or not self.body.ended
            or self.body.failed
            or "close" in options
        ):
            return True
        return self.version == (1, 0) and "keep-alive" not in options

    def _connection(self) -> str:
        return next((value for name, value in self.headers if name == "CONNECTION"), "")


class StrictParser(Parser):  # type: ignore[misc]
    """gunicorn's iterator over the requests of one connection, with our request class and our reader."""

    mesg_class = StrictRequest

    def __init__(
        self,
        cfg: Any,
        sock: Any,
        client: Any,
        limits: Limits,
        capture: Capture | None = None,
        known: KnownHeads[KnownHead] | None = None,
    ) -> None:
        super().__init__(cfg, sock, client)
        self.unreader = HeadReader(sock, limits, capture, known)
