"""The result for a body does not depend on how its bytes are split into reads (M89), for both backends.

The parsers are called in process, because a kernel may join the segments that a test sends. The bodies are
the multipart and chunked ones of the recorded requests. Bodies under 4 KiB are split in two at every place,
and into single bytes. Each of their delimiters is moved over the end of every buffer size in use. The last
test sends splits inside delimiters over the wire; `test_agreement` and `test_every_size` do more of this.

The default run takes an eighth of the bodies, the soak run all of them. `tests/both_parsers` splits each row
of its table everywhere.
"""

import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import pytest

from clients.comparison.cases import Case
from clients.comparison.equality import first_difference
from clients.http1.exchange import Exchange
from clients.launch import RunningBackend
from servers.contract.body import body_builder
from servers.contract.parsers import MultipartParser, Parsers
from servers.contract.problems import Problem
from servers.contract.request import MediaType, ParsedBody, PartData, PartHead, RequestHead
from servers.contract.request_files import RequestFiles
from servers.sansio.connection import HeadReceived, RequestReader
from servers.sansio.media_types import parse_boundary, parse_media_type
from tests.parsers import ALL_PARSERS, DECHUNK, LIMITS, Dechunk
from tests.recorded import recorded_cases
from tests.sansio.splits import bytewise, two_way
from tests.third_party_requests.exchanges import converse

SMALL = 4096
"""Bodies with fewer bytes are split everywhere."""

BUFFERS = (8192, 64 * 1024, 256 * 1024, 1024 * 1024)
"""Every size of a read or buffer in use: of the standard library, of a `recv`, of a large `recv`, and of the
pieces in which a body is passed on."""

_EVERY_BODY = 64 * 1024
"""Up to this buffer size every body is tested, for larger buffers only a sample."""

_FILLER = b"Content-Disposition: form-data; name=filler; filename=x\r\n\r\n"
_SAMPLE = 12

Outcome = ParsedBody | str
Pieces = Sequence[bytes]


@dataclass(frozen=True)
class Body:
    """The body of a recorded request as it was sent, and its head."""

    name: str
    head: RequestHead
    raw: bytes

    @cached_property
    def media_type(self) -> MediaType | None:
        value = self.head.field("content-type")
        return parse_media_type(value) if value else None

    @cached_property
    def boundary(self) -> bytes | None:
        """The boundary, if this is a form with a valid one."""
        media_type = self.media_type
        if media_type is None or not media_type.is_form_data:
            return None
        try:
            return parse_boundary(media_type)
        except Problem:
            return None


@cache
def recorded() -> Sequence[Body]:
    """Every multipart or chunked body of a recorded request with a valid head."""
    found = (_body_of(case) for case in recorded_cases())
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


@dataclass(frozen=True)
class Reader:
    """The parsers of one backend, and its decoder of chunked bodies."""

    parsers: Parsers
    dechunk: Dechunk

    def decode(self, body: Body, pieces: Pieces) -> Iterator[bytes]:
        """The data of a chunked body. Raises Problem."""
        return self.dechunk(pieces, "content-type" in body.head.fields, LIMITS)


READERS = {name: Reader(parsers, DECHUNK[name]) for name, parsers in ALL_PARSERS.items()}
BOTH_READERS = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
EVERY_EIGHTH = pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.soak(seconds=100))])


def read(reader: Reader, body: Body, pieces: Pieces) -> Outcome:
    """The parsed body, or the code of the problem."""
    try:
        builder = None
        for data in reader.decode(body, pieces) if body.head.chunked else pieces:
            if builder is None:
                builder = body_builder(body.head, body.media_type, reader.parsers, RequestFiles(None), LIMITS)
            builder.feed(data)
        if not body.head.chunked and len(body.raw) < (body.head.content_length or 0):
            return "body_truncated"
        if builder is None:
            return "nothing"
        builder.end()
        return builder.body()
    except Problem as problem:
        return problem.code


def _small(reader: Reader) -> Iterator[tuple[Body, Outcome]]:
    """The small bodies, each with its result when it arrives in one piece."""
    for body in recorded():
        if len(body.raw) < SMALL:
            yield body, read(reader, body, [body.raw])


def test_there_are_bodies_of_each_kind() -> None:
    bodies = recorded()
    assert sum(body.boundary is not None and len(body.raw) < SMALL for body in bodies) > 200
    assert sum(body.head.chunked and len(body.raw) < SMALL for body in bodies) > 50
    assert sum(len(body.raw) >= SMALL for body in bodies) >= 10


def test_both_readers_agree_on_whole_bodies() -> None:
    for body in recorded():
        found = {name: read(reader, body, [body.raw]) for name, reader in READERS.items()}
        assert len(set(map(repr, found.values()))) == 1, (body.name, found)


@EVERY_EIGHTH
@BOTH_READERS
def test_every_split_in_two(reader: Reader, step: int) -> None:
    for body, whole in itertools.islice(_small(reader), 0, None, step):
        for pieces in two_way(body.raw):
            assert read(reader, body, pieces) == whole, (body.name, pieces)


@BOTH_READERS
def test_single_bytes(reader: Reader) -> None:
    for body, whole in _small(reader):
        assert read(reader, body, bytewise(body.raw)) == whole, body.name


@EVERY_EIGHTH
@BOTH_READERS
def test_a_sample_of_splits_of_larger_bodies(reader: Reader, step: int) -> None:
    for body in [body for body in recorded() if len(body.raw) >= SMALL][::step]:
        whole = read(reader, body, [body.raw])
        rng = random.Random(body.name)
        special = [match.start() for match in re.finditer(rb"--|\r\n", body.raw[:200_000])]
        for _ in range(10):
            near = rng.choice(special) + rng.randint(-2, 4) if special else 0
            splits = sorted(
                {min(max(1, at), len(body.raw) - 1) for at in (near, rng.randrange(len(body.raw)))}
            )
            pieces = [body.raw[a:b] for a, b in itertools.pairwise([0, *splits, len(body.raw)])]
            assert read(reader, body, pieces) == whole, (body.name, splits)


# Delimiters at the end of a buffer.


@dataclass(frozen=True)
class _Transcript:
    """The parts after the filler, the size and the last bytes of the filler, and the code of a problem."""

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
                    # The filler is large, so its data are not copied.
                    filler += len(event.data)
                    end = (end + bytes(event.data[-64:]))[-64:]
                elif isinstance(event, PartData):
                    data[-1] += event.data
    except Problem as found:
        problem = found.code
    if problem:
        # How much of an unfinished part was parsed depends on the split.
        return _Transcript((), 0, b"", problem)
    parts = tuple((head, bytes(held)) for head, held in zip(heads[1:], data[1:], strict=True))
    return _Transcript(parts, filler, end)


def _alignments(body: Body) -> list[int]:
    """Every offset in or next to a delimiter of the body, or something similar."""
    boundary = body.boundary
    assert boundary is not None
    near = {0}
    for match in re.finditer(rb"(?:\r?\n|\r)?--" + re.escape(boundary) + rb"[- \t]*\r?\n?", body.raw):
        near |= set(range(match.start() - 1, match.end() + 2))
    return sorted(offset for offset in near if 0 <= offset <= len(body.raw))


def _aligned(body: Body, offset: int, size: int) -> bytes:
    """A filler and the body, so that a buffer of `size` bytes ends after the first `offset` of the body."""
    boundary = body.boundary
    assert boundary is not None
    begin = b"--" + boundary + b"\r\n" + _FILLER
    return begin + b"x" * (size - len(begin) - 2 - offset) + b"\r\n" + body.raw


def _forms() -> list[Body]:
    """The small forms that are not chunked: a filler can be put in front of them."""
    return [
        body
        for body in recorded()
        if body.boundary is not None and not body.head.chunked and len(body.raw) < SMALL
    ]


@EVERY_EIGHTH
@BOTH_READERS
@pytest.mark.parametrize("size", BUFFERS)
def test_a_delimiter_at_every_place_over_the_end_of_a_buffer(reader: Reader, size: int, step: int) -> None:
    bodies = _forms()
    if size > _EVERY_BODY:
        bodies = random.Random("alignments").sample(bodies, _SAMPLE)
    for body in bodies[::step]:
        assert body.media_type is not None
        new_parser = partial(reader.parsers.multipart, body.media_type, LIMITS)
        whole = _transcribe(new_parser(), [_aligned(body, 0, size)])
        for offset in _alignments(body):
            data = memoryview(_aligned(body, offset, size))
            split = _transcribe(new_parser(), [data[at : at + size] for at in range(0, len(data), size)])
            # The filler is shorter by the bytes of the body in the first buffer.
            assert split == replace(whole, filler=max(0, whole.filler - offset)), (body.name, offset)


# A chunk before these would make the body too large.
_AT_THE_LIMIT = {"chunk-of-the-limit-cut", "chunks-up-to-the-limit-cut"}


@EVERY_EIGHTH
@pytest.mark.parametrize("size", [size for size in BUFFERS if size <= _EVERY_BODY])
@BOTH_READERS
def test_chunked_framing_at_every_place_over_the_end_of_a_buffer(
    reader: Reader, size: int, step: int
) -> None:
    small = [body for body in recorded() if body.head.chunked and len(body.raw) < SMALL]
    for body in [body for body in small if body.name not in _AT_THE_LIMIT][::step]:
        whole = _decoded(reader, body, [body.raw])
        for offset in range(len(body.raw) + 1):
            length = size - offset - len(b"ffff\r\n\r\n")
            data = b"%04x\r\n%b\r\n%b" % (length, b"x" * length, body.raw)
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            decoded, problem = _decoded(reader, body, pieces)
            assert (decoded[length:], problem) == whole, (body.name, offset)


def _decoded(reader: Reader, body: Body, pieces: Pieces) -> tuple[bytes, str]:
    """The data that were decoded, and the code of a problem."""
    decoded = bytearray()
    try:
        for data in reader.decode(body, pieces):
            decoded += data
    except Problem as problem:
        return bytes(decoded), problem.code
    return bytes(decoded), ""


# Over the wire.


def test_splits_in_delimiters_over_the_wire(backends: Mapping[str, RunningBackend]) -> None:
    bodies = random.Random("wire").sample(_forms(), _SAMPLE)
    requests = {case.name: case.request for case in recorded_cases()}
    for body in bodies:
        request = requests[body.name]
        start = len(request) - len(body.raw)
        places = random.Random(body.name).sample(_alignments(body), 3)
        splits = [start + offset for offset in places if 0 < start + offset < len(request)]
        for backend in backends.values():
            whole = converse(backend, [request])
            for at in splits:
                split: Exchange = converse(backend, [request[:at], request[at:]])
                assert first_difference(whole, split) is None, (body.name, backend.name, at)
