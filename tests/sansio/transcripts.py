"""What a sans-IO parser made of some bytes, in a form that does not show where they were cut."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import PartData, PartEnd, PartHead, RequestHead
from servers.sansio.connection import (
    BodyComplete,
    BodyReceived,
    ConnectionClosed,
    HeadReceived,
    RequestReader,
)
from servers.sansio.multipart import FormDataParser
from servers.sansio.stream import NEED_DATA

LIMITS = Limits()


@dataclass
class Requests:
    """What a connection brought: heads and whole bodies in order, and how it ended.

    `problem` is the code that it was refused with, `closed` says that the peer's end was no fault.
    """

    heads: list[HeadReceived] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    complete: int = 0
    problem: str | None = None
    closed: bool = False

    @property
    def head(self) -> RequestHead:
        (received,) = self.heads
        return received.head

    @property
    def body(self) -> bytes:
        assert self.problem is None
        (body,) = self.bodies
        return body


def read_requests(pieces: Iterable[bytes], limits: Limits = LIMITS) -> Requests:
    """Feed a reader with `pieces` and the end; pull all events after each, as the connection does."""
    reader = RequestReader(limits)
    requests = Requests()
    for piece in (*pieces, b""):
        reader.feed(piece)
        try:
            if _pull(reader, requests):
                break
        except Problem as problem:
            requests.problem = problem.code
            break
    return requests


def _pull(reader: RequestReader, requests: Requests) -> bool:
    """Whether the connection is over."""
    while (event := reader.next_event()) is not NEED_DATA:
        if isinstance(event, HeadReceived):
            requests.heads.append(event)
            requests.bodies.append(b"")
        elif isinstance(event, BodyReceived):
            assert len(event.data), "an empty piece of a body is no event"
            requests.bodies[-1] += event.data
        elif isinstance(event, BodyComplete):
            requests.complete += 1
        else:
            assert isinstance(event, ConnectionClosed)
            requests.closed = True
            return True
    return False


def request(head: bytes, body: bytes = b"") -> Requests:
    """What is made of a whole request: `head` without its empty line, its lines parted by LF alone."""
    return read_requests([head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body])


@dataclass(frozen=True)
class Part:
    """One part of a form: its header block and all its data."""

    head: PartHead
    data: bytes


@dataclass
class Form:
    """The complete parts of a multipart body, and the code that it was refused with."""

    parts: list[Part] = field(default_factory=list)
    problem: str | None = None

    def values(self) -> list[tuple[str, str | None, bytes]]:
        assert self.problem is None, self.problem
        return [(part.head.name, part.head.filename, part.data) for part in self.parts]


def read_form(pieces: Iterable[bytes | memoryview], boundary: bytes = b"b", limits: Limits = LIMITS) -> Form:
    """Feed a form parser with `pieces` and the end."""
    parser = FormDataParser(boundary, limits)
    form = Form()
    try:
        for part in _parts(parser, pieces):
            form.parts.append(part)
    except Problem as problem:
        form.problem = problem.code
    return form


def _parts(parser: FormDataParser, pieces: Iterable[bytes | memoryview]) -> Iterator[Part]:
    head: PartHead | None = None
    data = bytearray()
    events = (event for piece in pieces for event in parser.feed(piece))
    for event in _chained(events, parser):
        if isinstance(event, PartHead):
            assert head is None, "a head inside a part"
            head = event
        elif isinstance(event, PartData):
            assert head is not None, "data outside of a part"
            assert len(event.data), "an empty piece of a part is no event"
            data += event.data
        else:
            assert isinstance(event, PartEnd)
            assert head is not None, "an end outside of a part"
            yield Part(head, bytes(data))
            head = None
            data.clear()
    assert head is None, "a part without an end"


def _chained(
    events: Iterable[PartHead | PartData | PartEnd], parser: FormDataParser
) -> Iterator[PartHead | PartData | PartEnd]:
    yield from events
    yield from parser.finish()
