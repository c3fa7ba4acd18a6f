"""Any cut, same result (M89): what a body means never depends on how it arrived, in every reading.

In process, so that each cut is really made: a kernel joins segments as it likes. The readings are fed by
the same builders as in the servers. Of multipart and chunked bodies under 4 KiB among the recorded requests
each cut in two is made and the feed of single bytes; each of their delimiters is laid over the edge of every
buffer in use, byte by byte. Over the wire `test_agreement` sends every recorded request in three cuts, and
`test_every_size` moves delimiters over the edges of reads; a sample of cuts in delimiters is added here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import pytest

from clients.comparison.cases import Case, load_cases
from clients.comparison.equality import first_difference
from clients.http1.exchange import Exchange
from clients.launch import RunningBackend
from servers.contract.body import body_builder
from servers.contract.parsers import MultipartParser, Parsers
from servers.contract.problems import Problem
from servers.contract.request import MediaType, ParsedBody, PartData, PartHead, RequestHead
from servers.flask_reading.chunks import ChunkedStream
from servers.sansio.chunked import read_chunks
from servers.sansio.connection import HeadReceived, RequestReader
from servers.sansio.media_types import parse_boundary, parse_media_type
from servers.sansio.stream import NEED_DATA, Incoming, PeerClosed
from tests.parsers import ALL_PARSERS, LIMITS
from tests.sansio.splits import source_of
from tests.third_party_requests.exchanges import converse

SMALL = 4096
"""Bodies below are cut everywhere."""

BUFFERS = (8192, 64 * 1024, 256 * 1024, 1024 * 1024)
"""Every size of a read or a buffer in use: the standard library's, that of one recv, of a large one, and of
the pieces that a body is handed on in."""

_EVERY_BODY = 64 * 1024
"""Up to this buffer the delimiters of every body are laid over its edge, above it those of a sample."""

_FILLER = b"Content-Disposition: form-data; name=filler; filename=x\r\n\r\n"
_SAMPLE = 12

Outcome = ParsedBody | str
Pieces = Sequence[bytes]
Dechunk = Callable[["Body", Pieces], Iterator[bytes]]


@dataclass(frozen=True)
class Body:
    """The body of a recorded request as it stands on the wire, and its head."""

    name: str
    head: RequestHead
    raw: bytes

    @cached_property
    def media_type(self) -> MediaType | None:
        value = self.head.field("content-type")
        return parse_media_type(value) if value else None

    @cached_property
    def boundary(self) -> bytes | None:
        """The boundary of a form that has a sound one."""
        media_type = self.media_type
        if media_type is None or not media_type.is_form_data:
            return None
        try:
            return parse_boundary(media_type)
        except Problem:
            return None


@cache
def recorded() -> Sequence[Body]:
    """Every multipart or chunked body among the recorded requests whose head is sound."""
    found = (_body_of(case) for case in load_cases())
    return tuple(body for body in found if body is not None and body.raw)


def _body_of(case: Case) -> Body | None:
    reader = RequestReader(LIMITS)
    reader.feed(case.request)
    try:
        event = reader.next_event()
        if not isinstance(event, HeadReceived):
            return None
        body = Body(case.name, event.head, case.request[len(case.request) - reader.buffered :])
        if event.head.chunked:
            return body
        raw = body.raw[: event.head.content_length or 0]
        return Body(case.name, event.head, raw) if body.boundary is not None else None
    except Problem:
        return None


# The two ways to take chunks apart.


def _dechunk_sansio(body: Body, pieces: Pieces) -> Iterator[bytes]:
    incoming = Incoming()
    left = iter((*pieces, b""))
    try:
        for item in read_chunks(incoming, LIMITS, has_content_type="content-type" in body.head.fields):
            if item is NEED_DATA:
                incoming.feed(next(left))
            else:
                assert isinstance(item, memoryview)
                yield bytes(item)
    except PeerClosed:
        raise Problem("body_truncated", "the pieces end before the body") from None


def _dechunk_flask(body: Body, pieces: Pieces) -> Iterator[bytes]:
    has_type = "content-type" in body.head.fields
    stream = ChunkedStream(source_of(pieces), LIMITS, has_type=has_type, check_rate=lambda size: None)
    while data := stream.read(1024 * 1024):
        yield data


@dataclass(frozen=True)
class Room:
    """One way to read: a reading, and how it takes chunks apart (None: a library does)."""

    reading: Parsers
    dechunk: Dechunk | None


_DECHUNK: Mapping[str, Dechunk] = {"sansio": _dechunk_sansio, "flask": _dechunk_flask}
ROOMS = {name: Room(reading, _DECHUNK.get(name)) for name, reading in ALL_PARSERS.items()}
EVERY_ROOM = pytest.mark.parametrize("room", ROOMS)


def read(room: Room, body: Body, pieces: Pieces) -> Outcome:
    """What the room makes of the body in these pieces: the parsed body, or the code of its refusal."""
    try:
        decoded: Iterable[bytes] = pieces
        if body.head.chunked:
            assert room.dechunk is not None
            decoded = room.dechunk(body, pieces)
        builder = None
        for data in decoded:
            if builder is None:
                builder = body_builder(body.head, body.media_type, room.reading, None, LIMITS)
            builder.feed(data)
        if not body.head.chunked and len(body.raw) < (body.head.content_length or 0):
            return "body_truncated"
        return builder.finish() if builder is not None else "nothing"
    except Problem as problem:
        return problem.code


def _small(room: Room) -> Iterator[tuple[Body, Outcome]]:
    """The small bodies that the room can read, with what it makes of each as a whole."""
    for body in recorded():
        if len(body.raw) < SMALL and (room.dechunk is not None or not body.head.chunked):
            yield body, read(room, body, [body.raw])


def test_there_are_bodies_of_each_kind() -> None:
    bodies = recorded()
    assert sum(body.boundary is not None and len(body.raw) < SMALL for body in bodies) > 200
    assert sum(body.head.chunked and len(body.raw) < SMALL for body in bodies) > 50
    assert sum(len(body.raw) >= SMALL for body in bodies) >= 10


def test_all_readings_make_the_same_of_the_whole() -> None:
    for body in recorded():
        found = {
            name: read(room, body, [body.raw])
            for name, room in ROOMS.items()
            if room.dechunk is not None or not body.head.chunked
        }
        assert len(set(map(repr, found.values()))) == 1, (body.name, found)


@EVERY_ROOM
def test_each_cut_in_two(room: str) -> None:
    chosen = ROOMS[room]
    for body, whole in _small(chosen):
        raw = body.raw
        for cut in range(1, len(raw)):
            assert read(chosen, body, (raw[:cut], raw[cut:])) == whole, (body.name, raw[:cut], raw[cut:])


@EVERY_ROOM
def test_single_bytes(room: str) -> None:
    chosen = ROOMS[room]
    for body, whole in _small(chosen):
        singles = [body.raw[at : at + 1] for at in range(len(body.raw))]
        assert read(chosen, body, singles) == whole, body.name


@EVERY_ROOM
def test_larger_bodies_by_sample(room: str) -> None:
    chosen = ROOMS[room]
    larger = [body for body in recorded() if len(body.raw) >= SMALL]
    for body in larger:
        if chosen.dechunk is None and body.head.chunked:
            continue
        whole = read(chosen, body, [body.raw])
        rng = random.Random(body.name)
        special = [match.start() for match in re.finditer(rb"--|\r\n", body.raw[:200_000])]
        for _ in range(10):
            near = rng.choice(special) + rng.randint(-2, 4) if special else 0
            cuts = sorted(
                {min(max(1, cut), len(body.raw) - 1) for cut in (near, rng.randrange(len(body.raw)))}
            )
            pieces = [body.raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(body.raw)], strict=True)]
            assert read(chosen, body, pieces) == whole, (body.name, cuts)


# Delimiters over the edges of buffers.


@dataclass(frozen=True)
class _Transcript:
    """The parts but for the filler, the filler's size and end, and the code of a refusal."""

    parts: tuple[tuple[PartHead, bytes], ...]
    filler: int
    filler_end: bytes
    problem: str = ""


def _transcribe(parser: MultipartParser, pieces: Iterable[bytes | memoryview]) -> _Transcript:
    heads: list[PartHead] = []
    data: list[bytearray] = []
    filler, end, problem = 0, b"", ""
    try:
        for piece in (*pieces, None):
            for event in parser.finish() if piece is None else parser.feed(piece):
                if isinstance(event, PartHead):
                    heads.append(event)
                    data.append(bytearray())
                elif isinstance(event, PartData) and len(heads) == 1:
                    # The filler is large and its own business is done: not copied.
                    filler += len(event.data)
                    end = (end + bytes(event.data[-64:]))[-64:]
                elif isinstance(event, PartData):
                    data[-1] += event.data
    except Problem as found:
        problem = found.code
    if problem:
        # What had come of an unfinished part depends on the cuts, and is nobody's business.
        return _Transcript((), 0, b"", problem)
    parts = tuple((head, bytes(held)) for head, held in zip(heads[1:], data[1:], strict=True))
    return _Transcript(parts, filler, end)


def _alignments(body: Body) -> list[int]:
    """Every offset in or next to a delimiter of the body, or to what looks like one."""
    boundary = body.boundary
    assert boundary is not None
    near = {0}
    for match in re.finditer(rb"(?:\r?\n|\r)?--" + re.escape(boundary) + rb"[- \t]*\r?\n?", body.raw):
        near |= set(range(match.start() - 1, match.end() + 2))
    return sorted(offset for offset in near if 0 <= offset <= len(body.raw))


def _aligned(body: Body, offset: int, size: int) -> bytes:
    """The body behind a file that fills a buffer of `size` bytes but for the body's first `offset`."""
    boundary = body.boundary
    assert boundary is not None
    begin = b"--" + boundary + b"\r\n" + _FILLER
    return begin + b"x" * (size - len(begin) - 2 - offset) + b"\r\n" + body.raw


def _forms() -> list[Body]:
    """The small forms in which the filler may stand in front; large ones of a chunked body are cut above."""
    return [
        body
        for body in recorded()
        if body.boundary is not None and not body.head.chunked and len(body.raw) < SMALL
    ]


@EVERY_ROOM
@pytest.mark.parametrize("size", BUFFERS)
def test_each_delimiter_at_every_place_over_the_edge_of_a_buffer(room: str, size: int) -> None:
    bodies = _forms()
    if size > _EVERY_BODY:
        bodies = random.Random("alignments").sample(bodies, _SAMPLE)
    for body in bodies:
        assert body.media_type is not None
        new_parser = partial(ROOMS[room].reading.multipart, body.media_type, LIMITS)
        whole = _transcribe(new_parser(), [_aligned(body, 0, size)])
        for offset in _alignments(body):
            data = memoryview(_aligned(body, offset, size))
            cut = _transcribe(new_parser(), [data[at : at + size] for at in range(0, len(data), size)])
            # The filler is shorter by what of the body is in front of the edge.
            assert cut == replace(whole, filler=max(0, whole.filler - offset)), (body.name, offset)


@pytest.mark.parametrize("size", [size for size in BUFFERS if size <= _EVERY_BODY])
@pytest.mark.parametrize("room", [name for name, room in ROOMS.items() if room.dechunk is not None])
def test_chunked_framing_at_every_place_over_the_edge_of_a_buffer(room: str, size: int) -> None:
    for body in recorded():
        if not body.head.chunked or len(body.raw) >= SMALL:
            continue
        chosen = ROOMS[room]
        whole = _unchunked(chosen, body, [body.raw])
        for offset in range(len(body.raw) + 1):
            length = size - offset - len(b"ffff\r\n\r\n")
            data = b"%04x\r\n%b\r\n%b" % (length, b"x" * length, body.raw)
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            decoded, problem = _unchunked(chosen, body, pieces)
            assert (decoded[length:], problem) == whole, (body.name, offset)


def _unchunked(room: Room, body: Body, pieces: Pieces) -> tuple[bytes, str]:
    """The decoded data as far as they came, and the code of a refusal."""
    assert room.dechunk is not None
    decoded = bytearray()
    try:
        for data in room.dechunk(body, pieces):
            decoded += data
    except Problem as problem:
        return bytes(decoded), problem.code
    return bytes(decoded), ""


# Over the wire.


def test_splits_in_delimiters_over_the_wire(backends: Mapping[str, RunningBackend]) -> None:
    bodies = random.Random("wire").sample(_forms(), _SAMPLE)
    requests = {case.name: case.request for case in load_cases()}
    for body in bodies:
        request = requests[body.name]
        start = len(request) - len(body.raw)
        places = random.Random(body.name).sample(_alignments(body), 3)
        cuts = [start + offset for offset in places if 0 < start + offset < len(request)]
        for backend in backends.values():
            whole = converse(backend, [request])
            for cut in cuts:
                answered: Exchange = converse(backend, [request[:cut], request[cut:]])
                assert first_difference(whole, answered) is None, (body.name, backend.name, cut)
