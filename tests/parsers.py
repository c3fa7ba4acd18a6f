"""The parsers of both backends, so that a test can run on each of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from servers.contract.limits import Limits
from servers.contract.parsers import MultipartParser, Parsers
from servers.contract.problems import Problem
from servers.contract.remembered import KnownHeads
from servers.contract.request import PartData, PartEnd, PartHead, RequestHead
from servers.flask_reading.chunks import ChunkedStream
from servers.flask_reading.forms import WerkzeugParsers
from servers.flask_reading.wire_head import KnownHead, WireHead
from servers.sansio.chunked import read_chunks
from servers.sansio.connection import HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA, Incoming, PeerClosed
from tests.sansio.splits import source_of

LIMITS = Limits()
ALL_PARSERS: Mapping[str, Parsers] = {"sansio": SansIoParsers(), "flask": WerkzeugParsers()}
BOTH_PARSERS = pytest.mark.parametrize("parsers", ALL_PARSERS.values(), ids=ALL_PARSERS)


@dataclass(frozen=True)
class Part:
    """One part: its header block and its data."""

    head: PartHead
    data: bytes


Form = Sequence[Part] | str
"""The parts in order, or the code of the problem."""


def read_form(
    parsers: Parsers, content_type: str, pieces: Iterable[bytes | memoryview], limits: Limits = LIMITS
) -> Form:
    """Parse a multipart body that arrives in these pieces."""
    parts, code = parse_form(parsers, content_type, pieces, limits)
    return parts if code is None else code


def parse_form(
    parsers: Parsers, content_type: str, pieces: Iterable[bytes | memoryview], limits: Limits = LIMITS
) -> tuple[list[Part], str | None]:
    """As `read_form`, but the parts that are complete before the problem, and the code of the problem."""
    parts: list[Part] = []
    try:
        parser = parsers.multipart(parsers.content_type(content_type), limits)
        for part in _parts(parser, pieces):
            parts.append(part)
    except Problem as problem:
        return parts, problem.code
    return parts, None


def _parts(parser: MultipartParser, pieces: Iterable[bytes | memoryview]) -> Iterator[Part]:
    head: PartHead | None = None
    data = bytearray()
    for piece in (*pieces, None):
        for event in parser.finish() if piece is None else parser.feed(piece):
            if isinstance(event, PartHead):
                assert head is None, "a header block inside a part"
                head = event
            elif isinstance(event, PartData):
                data += event.data
            else:
                assert isinstance(event, PartEnd)
                assert head is not None, "the end of a part without its header block"
                yield Part(head, bytes(data))
                head = None
                data.clear()
    assert head is None, "a part without an end"


Dechunk = Callable[[Sequence[bytes], bool, Limits], Iterator[bytes]]
"""Decodes a chunked body that arrives in pieces. The flag says whether the head has a Content-Type."""


def _dechunk_sansio(pieces: Sequence[bytes], has_content_type: bool, limits: Limits) -> Iterator[bytes]:
    incoming = Incoming()
    left = iter((*pieces, b""))
    try:
        for item in read_chunks(incoming, limits, has_content_type=has_content_type):
            if item is NEED_DATA:
                incoming.feed(next(left))
            else:
                assert isinstance(item, memoryview)
                yield bytes(item)
    except PeerClosed:
        raise Problem("body_truncated", "the pieces end before the body", rule="B36") from None


def dechunk_flask(
    pieces: Sequence[bytes], has_content_type: bool, limits: Limits, *, size: int = 1024 * 1024
) -> Iterator[bytes]:
    """As `Dechunk`, by reads of at most `size` bytes."""
    stream = ChunkedStream(source_of(pieces), limits, has_type=has_content_type, check_rate=lambda size: None)
    while data := stream.read(size):
        assert len(data) <= size
        yield data
    assert stream.ended


DECHUNK: Mapping[str, Dechunk] = {"sansio": _dechunk_sansio, "flask": dechunk_flask}


def decode_chunks(
    dechunk: Dechunk, pieces: Sequence[bytes], *, has_content_type: bool = False, limits: Limits = LIMITS
) -> bytes | str:
    """The data of a chunked body, or the code of the problem."""
    try:
        return b"".join(dechunk(pieces, has_content_type, limits))
    except Problem as problem:
        return problem.code


ReadHead = Callable[[Iterable[bytes], Limits], RequestHead | str]
"""Reads a head that arrives in pieces: the head, the code of the problem, or `more` if it does not end."""

HeadAndSize = tuple[RequestHead | str, int]
"""What a `ReadHead` returns, and the size of the head in bytes, which is 0 if there is none."""


def sized_head_of_sansio(
    pieces: Iterable[bytes], limits: Limits, known: KnownHeads[HeadReceived] | None = None
) -> HeadAndSize:
    """The head, by sansio. `known` are the heads that it remembers."""
    reader = RequestReader(limits, known=known)
    fed = 0
    try:
        for piece in pieces:
            reader.feed(piece)
            fed += len(piece)
            if isinstance(event := reader.next_event(), HeadReceived):
                return event.head, fed - reader.buffered
    except Problem as problem:
        return problem.code, 0
    return "more", 0


def sized_head_of_flask(
    pieces: Iterable[bytes], limits: Limits, known: KnownHeads[KnownHead] | None = None
) -> HeadAndSize:
    """The head, by flask_reading. `known` are the heads that it remembers."""
    wire = WireHead(limits, known)
    fed = 0
    try:
        for piece in pieces:
            fed += len(piece)
            if wire.feed(piece):
                assert wire.head is not None
                return wire.head, fed - len(wire.rest)
    except Problem as problem:
        return problem.code, 0
    return "more", 0


READ_HEAD: Mapping[str, ReadHead] = {
    "sansio": lambda pieces, limits: sized_head_of_sansio(pieces, limits)[0],
    "flask": lambda pieces, limits: sized_head_of_flask(pieces, limits)[0],
}
