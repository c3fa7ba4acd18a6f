"""What each byte of a request is: kept bytes are parsed again when somebody looks, and cut into fine spans.

The coarse spans are those of `spans`, made over the trace of the parsers of `sansio`. Each is cut further: a
field line into name and value, a JSON text into its tokens. A body is cut without the chunked coding, and its
spans are then laid on the wire, so a value that several chunks carry has several spans with one path.

Only the beginning of a long body is kept. Behind it come the coarse spans that were noted while it arrived. A
backend that notes none, such as gunicorn, leaves these bytes undecided, unless the head says what they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..sansio.connection import HeadReceived
from ..sansio.stream import Role
from .body_spans import Run, form_spans, plain_spans
from .fine_spans import Cutter, FineSpan
from .framing_spans import framing_spans
from .head_spans import FieldSpans, request_line_spans
from .reading_again import Reading, read_again
from .spans import FORM_ROLES, NoRole, Span

ROLES = (
    *("request line", "field name", "field value", "end of head"),
    *("chunk size", "end of chunk", "trailer", "end of chunks", "body"),
    *("preamble", "delimiter", "part header name", "part header value", "end of part header", "part data"),
    *("close delimiter", "epilogue", "unread", "undecided"),
)
"""Every role that a fine span can have."""

_CONTENT = ("part data", "body")
_BODY_ROLES = FORM_ROLES | {Role.BODY}
_NO_ROLES = {NoRole.UNDECIDED: "undecided", NoRole.AT_FAULT: "undecided", NoRole.NOT_READ: "unread"}
_COARSE = {
    Role.FIELD: "field value",
    Role.LAST_CHUNK: "chunk size",
    Role.END_OF_CHUNKS: "end of chunks",
    Role.PART_FIELD: "part header value",
    Role.CLOSE_DELIMITER: "close delimiter",
}


@dataclass(frozen=True, slots=True)
class Wire:
    """What is kept of the bytes of one request, secrets replaced by `*`.

    `kept` are the first bytes, `total` is how many there were. `behind` are the coarse spans that were noted
    behind the head, each with its start, its length and the value of its `Role`. `was_cut` says that the
    client ended its side before the request was complete, `is_arriving` that more bytes come.
    """

    kept: bytes
    total: int
    behind: Sequence[tuple[int, int, str]] = ()
    was_cut: bool = False
    is_arriving: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every byte is kept."""
        return len(self.kept) == self.total


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a request was refused: `length` bytes from `at`. None if no byte is at fault."""

    at: int | None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """The spans of a request, which cover each of its bytes once, and how it ended.

    `received` is its head, if that was accepted. `stop` is where it was refused.
    """

    spans: list[FineSpan]
    received: HeadReceived | None
    stop: Stop | None


def explain(wire: Wire, problem: Problem | None, limits: Limits) -> Explanation:
    """Explain a request that was refused with `problem`, or accepted."""
    in_head = problem is not None and problem.field is not None
    whole = wire.is_whole and (wire.was_cut or problem is not None)
    reading = read_again(wire.kept, limits, is_whole=whole, reads_body=not in_head)
    spans = list(_fine(reading))
    end = spans[-1].end if spans else 0
    if end < wire.total:
        last = spans[-1] if spans else None
        spans += _behind(wire, end, last, _rest(wire, reading, last))
    stop = None if problem is None else _stop(problem, reading, spans)
    return Explanation(spans, reading.received, stop)


def _fine(reading: Reading) -> Iterator[FineSpan]:
    """The fine spans of what was parsed again."""
    runs: list[Run] = [
        (s.role, bytes(s.data)) for s in reading.spans if isinstance(s.role, Role) and s.role in _BODY_ROLES
    ]
    body = _Laid(_body_spans(reading, runs))
    absolute = next((_is_absolute(s.data) for s in reading.spans if s.role is Role.REQUEST_LINE), False)
    fields = FieldSpans(reading.head, absolute)
    for span in reading.spans:
        data = bytes(span.data)
        if isinstance(span.role, NoRole):
            yield FineSpan(span.offset, len(data), _NO_ROLES[span.role])
        elif span.role in _BODY_ROLES:
            yield from body.next(span.offset, len(data))
        elif span.role is Role.REQUEST_LINE:
            yield from _from(span.offset, request_line_spans(data, reading.head))
        elif span.role is Role.FIELD:
            yield from _from(span.offset, fields.spans(data))
        else:
            yield from _from(span.offset, framing_spans(span.role, data))


def _body_spans(reading: Reading, runs: Sequence[Run]) -> list[FineSpan]:
    """The spans of the decoded body."""
    if any(role in FORM_ROLES for role, _ in runs):
        return form_spans(runs, reading.parts)
    data = b"".join(piece for _, piece in runs)
    if reading.body is not None:
        return plain_spans(data, reading.body, coded=reading.is_coded, stored=reading.is_stored)
    cutter = Cutter("body")
    cutter.cut(len(data))
    return cutter.spans


class _Laid:
    """Lays the spans of a decoded body on the wire, piece by piece."""

    def __init__(self, spans: Iterable[FineSpan]) -> None:
        self._spans = iter(spans)
        self._span = next(self._spans, None)
        self._offset = 0

    def next(self, start: int, length: int) -> Iterator[FineSpan]:
        """The spans of the next `length` bytes of the body, which stand at `start` on the wire."""
        while length:
            span = self._span
            assert span is not None, "the spans of a body cover each of its bytes"
            size = min(length, span.end - self._offset)
            yield span.moved(start, size)
            start, length, self._offset = start + size, length - size, self._offset + size
            if self._offset == span.end:
                self._span = next(self._spans, None)


def _from(offset: int, spans: Iterable[FineSpan]) -> Iterator[FineSpan]:
    return (span._replace(start=offset + span.start) for span in spans)


def _is_absolute(line: memoryview) -> bool:
    words = bytes(line).split(b" ")
    return len(words) == 3 and words[1][:1] not in (b"/", b"*") and b"://" in words[1]


def _rest(wire: Wire, reading: Reading, last: FineSpan | None) -> str:
    """The role of bytes that are not kept and of which nothing was noted.

    A form and the chunked coding have structure in them, so only a plain body goes on as it began. While a
    body arrives nothing is noted yet: its bytes go on as they began until then.
    """
    role = "undecided" if last is None else last.role
    is_plain = role == "body" and reading.head is not None and not reading.head.chunked
    return role if is_plain or (wire.is_arriving and role in _CONTENT) else "undecided"


def _behind(wire: Wire, end: int, last: FineSpan | None, rest: str) -> Iterator[FineSpan]:
    """The spans of the bytes that were not parsed again, from the coarse ones that were noted."""
    is_data = last is not None and last.role in _CONTENT
    for start, length, role in wire.behind:
        begin, stop = max(start, end), min(start + length, wire.total)
        if begin >= stop:
            continue
        if begin > end:
            yield FineSpan(end, begin - end, "undecided")
        name = _coarse_role(role)
        path = last.path if last is not None and is_data and name == last.role else ""
        is_data = is_data and name not in ("delimiter", "close delimiter")
        yield FineSpan(begin, stop - begin, name, path)
        end = stop
    if end < wire.total:
        yield FineSpan(end, wire.total - end, rest)


def _coarse_role(value: str) -> str:
    role = Role(value)
    return _COARSE.get(role, role.value)


def _stop(problem: Problem, reading: Reading, spans: Sequence[FineSpan]) -> Stop:
    """Where the request was refused, on the wire."""
    if problem.field is not None:
        return _stop_at_field(problem.field, reading, spans)
    if problem.fault is not None:
        at = _on_wire(reading.spans, problem.fault.start)
        return Stop(at, min(len(problem.fault), spans[-1].end - at))  # a body that ends too early has no byte
    if problem.offset is not None:
        return Stop(problem.offset)
    at_fault = next((span for span in reading.spans if span.at_fault), None)
    if at_fault is not None:
        return Stop(at_fault.offset, len(at_fault.data))
    if reading.problem is None:
        return Stop(None)  # the parsers had no objection: a store that is full, for example
    return Stop(next((s.start for s in spans if s.role in ("undecided", "unread")), spans[-1].end))


def _stop_at_field(name: str, reading: Reading, spans: Sequence[FineSpan]) -> Stop:
    paths = {name}
    if reading.head is not None:
        paths |= {f"headers[{i}].value" for i, pair in enumerate(reading.head.headers) if pair.name == name}
    found = [span for span in spans if span.path in paths or span.also in paths]
    if found:
        return Stop(found[0].start, found[-1].end - found[0].start)
    return next(_lines_of(name, reading.spans), Stop(None))


def _lines_of(name: str, spans: Iterable[Span]) -> Iterator[Stop]:
    """The lines of a field, from the last to the first. A head that is refused has no paths."""
    begin = name.encode("ascii") + b":"
    for span in reversed([span for span in spans if span.role is Role.FIELD]):
        if bytes(span.data[: len(begin)]).lower() == begin:
            yield Stop(span.offset, len(span.data))


def _on_wire(spans: Iterable[Span], offset: int) -> int:
    """Where the byte of the decoded body stands on the wire; behind the last one, where the body ends."""
    end = 0
    for span in spans:
        if span.role in _BODY_ROLES or span.role in (NoRole.AT_FAULT, NoRole.UNDECIDED):
            if offset < len(span.data):
                return span.offset + offset
            offset -= len(span.data)
            end = span.end
    return end


def strip_of(spans: Sequence[FineSpan], most: int = 64) -> list[tuple[int, int, str]]:
    """The same bytes as at most `most` runs: start, length and role. Small neighbours are merged first."""
    runs = [(span.start, span.length, span.role) for span in _merged(spans)]
    while len(runs) > most:
        runs = _halved(runs, most)
    return runs


def _merged(spans: Iterable[FineSpan]) -> Iterator[FineSpan]:
    """Neighbours of one role are one span."""
    last: FineSpan | None = None
    for span in spans:
        if last is not None and span.role == last.role:
            last = last._replace(length=last.length + span.length)
        else:
            if last is not None:
                yield last
            last = span
    if last is not None:
        yield last


def _halved(runs: list[tuple[int, int, str]], most: int) -> list[tuple[int, int, str]]:
    """Merge the pairs of neighbours that are shortest, at most half of the runs and at least one pair."""
    lengths = sorted(a[1] + b[1] for a, b in pairwise(runs))
    limit = lengths[min(len(runs) - most, len(lengths) // 2)]
    merged: list[tuple[int, int, str]] = []
    left = len(runs) - most
    joined = False
    for run in runs:
        if merged and left and not joined and merged[-1][1] + run[1] <= limit:
            start, length, role = merged[-1]
            merged[-1] = (start, length + run[1], role if length >= run[1] else run[2])
            left -= 1
            joined = True
        else:
            merged.append(run)
            joined = False
    return merged
