"""Parses the kept bytes of one request again, to say what each of them is. Nothing is stored."""

from dataclasses import dataclass, field

from ..contract.body import BodyBuilder, OpaqueBuilder, body_builder, is_coded
from ..contract.form import FormBuilder
from ..contract.limits import Limits
from ..contract.method_override import effective
from ..contract.problems import Problem
from ..contract.request import MediaType, ParsedBody, PartEvent, PartHead, RequestHead
from ..contract.request_files import Data, RequestFiles
from ..routes import TABLE
from ..sansio.connection import BodyComplete, BodyReceived, ConnectionClosed, HeadReceived
from ..sansio.stream import NEED_DATA
from .body_spans import Part
from .observed_parsers import ObservedParsers, ObservedReader
from .spans import Span, SpanBuilder


@dataclass(slots=True)
class Reading:
    """What the parsers found in the bytes of one request, up to its end, its refusal, or where they stop.

    `spans` are the coarse spans in order. `received` is None if the head is incomplete or refused. `body` is
    None if the body is empty, incomplete, refused, or a form of parts; a form has `parts` instead. `problem`
    is the reason of a refusal by the parsers.
    """

    spans: list[Span] = field(default_factory=list)
    received: HeadReceived | None = None
    body: ParsedBody | None = None
    parts: list[Part] = field(default_factory=list)
    problem: Problem | None = None
    is_complete: bool = False

    @property
    def head(self) -> RequestHead | None:
        """The head of the request, if it was accepted."""
        return self.received.head if self.received else None

    @property
    def is_coded(self) -> bool:
        """Whether the body has a content coding, so that its kind is bytes (B44)."""
        return self.head is not None and is_coded(self.head)

    @property
    def is_stored(self) -> bool:
        """Whether the route stores a body that is not read as anything else."""
        return self.head is not None and _body_of_route(self.head) != "described"


def read_again(data: bytes, limits: Limits, *, is_whole: bool, reads_body: bool = True) -> Reading:
    """Parse these bytes, the first of a connection.

    `is_whole` says that nothing came behind them, so a body that goes on was cut off. Without `reads_body`
    the bytes behind the head have no role, because the request was refused for its head.
    """
    reading = Reading()
    builder = SpanBuilder(reading.spans.append)
    again = _Again(reading, builder, limits)
    builder.receive(data)
    again.reader.feed(data)
    if is_whole:
        again.reader.feed(b"")
    try:
        again.run(reads_body=reads_body)
    except Problem as problem:
        reading.problem = problem
        builder.refuse(problem)
    if reading.problem is not None or reading.is_complete or is_whole or not reads_body:
        builder.end()
    else:
        builder.settle()
    again.finish()
    return reading


class _Again:
    """The parsers of one request, driven over bytes that are all there."""

    def __init__(self, reading: Reading, builder: SpanBuilder, limits: Limits) -> None:
        self.reader = ObservedReader(limits, builder)
        self._reading = reading
        self._builder = builder
        self._limits = limits
        self._parsers = ObservedParsers(builder)
        self._body: BodyBuilder | _Form | None = None

    def run(self, *, reads_body: bool) -> None:
        """Raises Problem."""
        while (event := self.reader.next_event()) is not NEED_DATA:
            if isinstance(event, HeadReceived):
                self._reading.received = event
                self._builder.begin_body()
                if not reads_body:
                    return
            elif isinstance(event, BodyReceived):
                self._body = self._body or self._begin()
                self._body.feed(event.data)
            elif isinstance(event, BodyComplete):
                if self._body is not None:
                    self._body.end()
                self._reading.is_complete = True
                return
            elif isinstance(event, ConnectionClosed):
                return

    def finish(self) -> None:
        """Note what the body became, as far as it was parsed."""
        if isinstance(self._body, _Form):
            self._reading.parts = self._body.parts()
        elif self._body is not None and self._reading.is_complete:
            self._reading.body = self._body.body()

    def _begin(self) -> "BodyBuilder | _Form":
        head = self._reading.head
        assert head is not None, "a body comes behind a head"
        value = head.field("content-type")
        media_type = self._parsers.content_type(value) if value else None
        files = RequestFiles(None)
        if _body_of_route(head) == "raw":
            return OpaqueBuilder(head, media_type, files, filename=head.last_segment)
        if media_type is not None and media_type.is_form_data and not is_coded(head):
            return _Form(media_type, self._parsers, self._limits)
        return body_builder(head, media_type, self._parsers, files, self._limits)


class _Form:
    """A multipart body, of which the header blocks are noted."""

    def __init__(self, media_type: MediaType, parsers: ObservedParsers, limits: Limits) -> None:
        self._parser = parsers.multipart(media_type, limits)
        self._builder = FormBuilder(RequestFiles(None), limits)
        self._heads: list[PartHead] = []

    def feed(self, data: Data) -> None:
        for event in self._parser.feed(data):
            self._take(event)

    def end(self) -> None:
        for event in self._parser.finish():
            self._take(event)

    def _take(self, event: PartEvent) -> None:
        if isinstance(event, PartHead):
            self._heads.append(event)
        self._builder.feed((event,))

    def parts(self) -> list[Part]:
        """Each part with its place in the result. The last one may have no end yet."""
        form, files = self._builder.form, self._builder.files
        places = {entry.index: f"form[{number}]" for number, entry in enumerate(form)}
        places |= {entry.index: f"files[{number}]" for number, entry in enumerate(files)}
        return [
            Part(head, places.get(index) or _place_of_the_last(head, len(form), len(files)))
            for index, head in enumerate(self._heads)
        ]


def _place_of_the_last(head: PartHead, fields: int, files: int) -> str:
    return f"form[{fields}]" if head.filename is None else f"files[{files}]"


def _body_of_route(head: RequestHead) -> str:
    try:
        route = TABLE.find(effective(head))
        return route.body if route.appends is None else "raw"  # a piece is taken as it is
    except Problem:
        return "described"
