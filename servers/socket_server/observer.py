"""`--wire`: shows each request as its bytes arrive, what each byte is, and why the request was complete."""

import time
from collections.abc import Callable
from threading import Lock

from ..contract.interim import Fields
from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.responses import Event, Response
from ..sansio.connection import HeadReceived, RequestReader
from ..sansio.parsers import SansIoParsers
from ..sansio.stream import Role
from ..web.observed_parsers import ObservedParsers, ObservedReader
from ..web.spans import SpanBuilder
from .wire.foreign_protocols import foreign_protocol
from .wire.response_drawing import ResponseDrawing
from .wire.screen import Rows, Screen
from .wire.span_drawing import Read, SpanDrawing
from .wire.visible_bytes import visible


class Observer:
    """Shows one connection. Its methods are called in the order of the events, from any thread.

    All times are in seconds since the connection began.
    """

    def __init__(
        self, screen: Screen, number: int, peer: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rows = Rows(screen, number)
        self._clock = clock
        self._begin = clock()
        self._lock = Lock()  # the loop receives ahead while a thread parses or publishes
        self._drawing = SpanDrawing(self._rows)
        self._spans = SpanBuilder(self._drawing.draw)
        self._reads = 0
        self._dropped = 0
        self._complete: HeadReceived | None = None
        self._response: ResponseDrawing | None = None
        self._rows.say("connected", f"from {peer}")

    def reader(self, limits: Limits) -> RequestReader:
        """The reader of this connection's requests."""
        return ObservedReader(limits, self)

    def parsers(self) -> SansIoParsers:
        """The parsers of the bodies of these requests."""
        return ObservedParsers(self)

    def read(self, data: bytes) -> None:
        """One `recv` returned these bytes. b"" means that the client has ended its side."""
        with self._lock:
            self._reads += bool(data)
            self._drawing.read(Read(self._reads, self._spans.received, len(data), self._seconds()))
            self._drawing.draw_reads(self._spans.offset)
            self._spans.receive(data)
            if self._reads == 1 and (what := foreign_protocol(data)) is not None:
                self._rows.say("hint", what, "bold yellow")

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """A parser has consumed these bytes as `role`."""
        with self._lock:
            self._spans.trace(role, data)

    def read_as_form(self) -> None:
        """The body is parsed as a form."""
        with self._lock:
            self._spans.read_as_form()

    def refuse_last(self, problem: Problem) -> None:
        """The reader refuses the line that it has traced last."""
        with self._lock:
            self._spans.refuse_last(problem)

    def waiting(self) -> None:
        """The server waits for more bytes."""
        with self._lock:
            self._spans.settle()
            undecided = self._spans.received - self._spans.offset
            if undecided and not self._drawing.leaves_out:
                self._rows.count(f"{undecided:,} bytes wait for more, since {self._seconds():.3f} s")

    def began(self, received: HeadReceived) -> None:
        """The head is complete and was accepted."""
        with self._lock:
            self._spans.begin_body()

    def continued(self) -> None:
        """A 100 (Continue) was sent."""
        with self._lock:
            self._settle()
            text = "HTTP/1.1 100 Continue: the client waits for it before it sends the body"
            self._rows.say("sent", text, "blue")

    def told(self, fields: Fields) -> None:
        """A 104 (Upload Resumption Supported) was sent."""
        with self._lock:
            self._settle()
            text = ", ".join(f"{name}: {value}" for name, value in fields)
            self._rows.say("sent", f"HTTP/1.1 104 Upload Resumption Supported: {text}", "blue")

    def complete(self, received: HeadReceived) -> None:
        """All bytes of the request are here; `responded` is called next."""
        self._complete = received

    def responded(
        self, response: Response, head: bytes, problem: Problem | None, *, keep_alive: bool
    ) -> None:
        """The response is about to be sent. `problem` is the reason if it refuses the request.

        If the connection does not stay open after a refusal, no byte behind the request is read.
        """
        with self._lock:
            if problem is not None:
                self._spans.refuse(problem)
                if not keep_alive:
                    self._spans.end()
            self._settle()
            if self._complete is not None:
                self._say_why_complete(self._complete)
                self._complete = None
            if problem is not None:
                self._rows.say("refused", visible(str(problem)), "bold red")
            self._response = ResponseDrawing(self._rows, self._seconds, response, head, keep_alive=keep_alive)

    def sending(self, piece: Event | None) -> None:
        """This piece of the response is about to be sent. None means that all pieces are sent."""
        with self._lock:
            assert self._response is not None
            if piece is not None:
                self._response.piece(piece)
                return
            self._response.end()
            self._response = None

    def dropped(self, size: int) -> None:
        """So many bytes came after the last response, and nobody reads them."""
        self._dropped += size

    def closed(self) -> None:
        """The connection is closed."""
        with self._lock:
            self._spans.end()
            self._settle()
            if self._response is not None:
                self._response.cut_off()
            reads = f"{self._reads} read{'s' * (self._reads != 1)}"
            dropped = f"; {self._dropped:,} more bytes came and were dropped" if self._dropped else ""
            self._rows.say("closed", f"{self._seconds():.3f} s, after {reads}{dropped}", "dim")

    def _say_why_complete(self, received: HeadReceived) -> None:
        self._rows.say("complete", _why_complete(received, self._spans.body_size), "bold")
        if self._spans.is_form and received.has_body:
            self._rows.say(
                "", "(the close delimiter ends the form, not the body: only the framing does)", "dim"
            )

    def _settle(self) -> None:
        """All bytes that were reported are drawn; something else is drawn next."""
        self._spans.settle()
        self._drawing.draw_reads(self._spans.offset)
        self._drawing.end_run()

    def _seconds(self) -> float:
        return self._clock() - self._begin


def _why_complete(received: HeadReceived, size: int) -> str:
    head = received.head
    if head.chunked:
        return (
            f"the chunk of size 0 and the empty line behind it came: {size:,} bytes in all "
            "(Transfer-Encoding: chunked, RFC 9112 7.1)"
        )
    if head.content_length is not None:
        return f"all {size:,} bytes that Content-Length announces are here (RFC 9112 6.2)"
    return "neither Content-Length nor Transfer-Encoding: such a request has no body (RFC 9112 6.3)"
