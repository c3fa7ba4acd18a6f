"""Werkzeug's multipart decoder, made strict and exact (RFC 2046 5.1.1, RFC 7578).

Werkzeug's state machine does the work. It is made strict at its extension points: the two expressions that
find delimiters, and the hook that parses a header block. The reads are split again before Werkzeug gets
them, so that none ends inside a delimiter (M89: otherwise Werkzeug issue 3285 corrupts uploads). This uses
public but undocumented names of Werkzeug 3.1. `tests/flask_reading/test_werkzeug_pin.py` fails when they
change.

These states of Werkzeug's machine matter:

    state      what is parsed                 what is added here
    PREAMBLE   up to the first delimiter      it must be empty lines, which is checked after each call
    PART       a header block                 line ends and size are checked before each call
    DATA       the data of a part             data without the boundary bypass Werkzeug
    EPILOGUE   nothing                        it must be empty lines

The end of each read that may begin a delimiter is held until the next read, or until `finish`. In PART the
held bytes may also belong to the header block, or end it. The block is therefore checked together with them
too, so that a fault is found at the same byte however the reads are split (M34).
"""

import re
from collections.abc import Iterator

from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import NEED_DATA, Data, Event, MultipartDecoder, Preamble, State

from ..contract.limits import MAX_EMPTY_LINES, MAX_PADDING, Limits
from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import PartData, PartEnd, PartEvent, PartHead
from .part_headers import read_part_head

_CRLF = b"\r\n"
_EMPTY_LINES = re.compile(rb"(?:\r\n){0,%d}" % MAX_EMPTY_LINES)
_ALL_EMPTY_LINES = re.compile(rb"(?:\r\n)*")
# What may follow a close delimiter (M18). More blanks are excluded by `_delimiter`.
_AFTER_CLOSE = re.compile(rb"[ \t]*(?:\r\n|\Z)")
_BLANK_LINE = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
# We have already parsed the block; Werkzeug only checks that this header exists.
_ACCEPTED = Headers([("content-disposition", "form-data")])


# What may follow the boundary at the end of a read: the delimiter may be incomplete, or may go on (M18).
_BEGUN_END = re.compile(rb"(?:-(?:-[ \t]{0,%d}\r?)?|[ \t]{1,%d}\r?|\r)?" % (MAX_PADDING, MAX_PADDING))


@remembered
def _delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """CRLF, `--boundary`, then `--` or up to 64 blanks and CRLF. The group is what follows the boundary.

    With more than 64 blanks after `--` it is no delimiter. The bytes searched never end among these blanks.
    """
    sizes = (re.escape(boundary), MAX_PADDING + 1, MAX_PADDING)
    return re.compile(rb"\r\n--%s(--(?![ \t]{%d})|[ \t]{0,%d}\r\n)" % sizes)


class StrictMultipart(MultipartDecoder):
    """A `MultipartParser` of the contract. The events do not depend on how the bytes are split.

    The body is parsed as if a CRLF came before it, so that all delimiters begin alike. Memory is bounded by
    one piece and one header block.
    """

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        # Werkzeug's own expressions are replaced. For a new boundary it would take long to compile them.
        super().__init__(b"-")
        self.boundary = boundary
        self.preamble_re = self.boundary_re = _delimiter(boundary)
        self._limits = limits
        self._boundary = boundary.decode("ascii")
        self._mark = b"--" + boundary
        self._begun = _CRLF + self._mark
        self._longest = len(self._begun + b"--") + MAX_PADDING + len(_CRLF)
        self._held = _CRLF  # the begun delimiter at the end of the last read
        self._checked_to = 0  # how much of the header block was checked
        self._part: PartHead | None = None
        self._size = 0  # of the body so far
        self._count = 0  # of the header blocks so far
        self._name = ""  # of the part at hand

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes. Consume them before the next call. Raises Problem."""
        self._size += len(data)
        if self._is_closed():
            self._add_to_epilogue(data)
            return
        piece = self._held + data if self._held or isinstance(data, memoryview) else data
        end = self._safe_end(piece)
        self._held = bytes(piece[end:])
        fed = memoryview(piece)[:end]
        if self.state is State.DATA and piece.find(self._mark, 0, end) < 0:
            yield from self._plain_data(fed)
            return
        yield from self._parse(fed)
        if self.state is State.PART and self._held:
            self._check_held_block()

    def finish(self) -> Iterator[PartEvent]:
        """The last events. Raises Problem `multipart_truncated` without a close delimiter (M19 to M23)."""
        if self._held.startswith(_CRLF + self._mark + b"--") and not self._is_closed():
            held, self._held = self._held, b""
            yield from self._parse(memoryview(held))
        if not self._is_closed():
            what, rule = "the body ends before its close delimiter", self._which_end()
            raise self._problem("multipart_truncated", what, self._size, self._part_at_hand(), rule=rule)
        if self._held.endswith(b"\r"):
            raise self._bad_epilogue()

    def _parse(self, fed: memoryview) -> Iterator[PartEvent]:
        self.receive_data(fed)  # type: ignore[arg-type]  # it takes whatever bytearray.extend takes
        yield from self._events()
        if self._is_closed():
            self._close()

    def _problem(self, code: str, what: str, position: int, part: str = "", *, rule: str) -> Problem:
        """A Problem that names its place in the body (W6)."""
        fault = range(position, position + 1)
        return Problem(code, what, rule=rule, fault=fault).at(f"{part}byte {position} of the body")

    def _which_end(self) -> str:
        """The rule about a body that ends here: within a delimiter, before the first one, or in a part."""
        rest = bytes(self.buffer) + self._held
        in_data = self.state is State.DATA or (self.state is State.PART and _BLANK_LINE in rest)
        if in_data:
            rest = self._held
        begun = rest.lstrip(_CRLF)
        if begun and (begun.startswith(self._mark) or self._mark.startswith(begun)):
            return "M20"
        if self.state is State.PREAMBLE:
            return "M23"
        ends_at_delimiter = not rest or not (begun or self._count)
        return "M20" if ends_at_delimiter and not in_data else "M21"

    def _part_at_hand(self) -> str:
        if self.state is State.PART:
            return f"part {self._count}, "
        return f"part {self._count - 1} ({self._name!a}), " if self._count else ""

    def _begin(self) -> int:
        """Where the buffer begins in the body."""
        return self._size - len(self._held) - len(self.buffer)

    def _is_closed(self) -> bool:
        """Whether the close delimiter was seen."""
        return self.state is State.EPILOGUE

    def _plain_data(self, fed: memoryview) -> Iterator[PartData]:
        """Bypass Werkzeug's buffer for data without a boundary: it would copy them five times."""
        if self.buffer:
            # What Werkzeug kept: it cannot be the start of a delimiter, because we never end a read inside
            # one.
            yield PartData(bytes(self.buffer))
            del self.buffer[:]
        if fed:
            yield PartData(fed)

    def _safe_end(self, piece: bytes | bytearray) -> int:
        """Where a delimiter begins that the next read may complete, else the end of `piece`."""
        begin = max(0, len(piece) - self._longest)
        while (begin := piece.find(b"\r", begin)) >= 0:
            # The CRLF that ends a delimiter does not begin another one.
            if self._may_go_on(piece[begin:]) and not self._ends_delimiter(piece, begin + len(_CRLF)):
                return begin
            begin += 1
        return len(piece)

    def _may_go_on(self, rest: bytes | bytearray) -> bool:
        """Whether all these bytes are the beginning of a delimiter."""
        size = len(self._begun)
        if len(rest) <= size:
            return self._begun.startswith(rest)
        return rest.startswith(self._begun) and _BEGUN_END.fullmatch(rest, size) is not None

    def _ends_delimiter(self, piece: bytes | bytearray, end: int) -> bool:
        """Whether a whole delimiter ends at this offset."""
        line = piece[max(0, end - self._longest) : end]
        text = line.removesuffix(_CRLF)
        begun = text.rstrip(b" \t")
        return text != line and len(text) - len(begun) <= MAX_PADDING and begun.endswith(self._begun)

    def _events(self) -> Iterator[PartEvent]:
        while (event := self._checked_event()) is not NEED_DATA:
            if isinstance(event, Data):
                if event.data:
                    yield PartData(event.data)
                if not event.more_data:
                    yield PartEnd()
            elif self._part is not None:
                yield self._part
                self._part = None

    def _checked_event(self) -> Event:
        """Werkzeug's next event, with our checks before and after it."""
        if self._is_closed():
            return NEED_DATA
        if self.state is State.PART:
            if self._skip_empty_form():
                return NEED_DATA
            self._check_block()
        in_preamble = self.state is State.PREAMBLE
        event = self.next_event()
        if in_preamble:
            # Without an event, the buffer has no byte that may belong to a delimiter.
            self._check_preamble(event.data if isinstance(event, Preamble) else self.buffer)
        return event

    def _check_preamble(self, preamble: bytes | bytearray) -> None:
        if not _EMPTY_LINES.fullmatch(preamble):
            what = f"something else than {MAX_EMPTY_LINES} CRLFs comes before the first delimiter (M13)"
            # The CRLF that we put before the body is one of these lines.
            position = _after_empty_lines(preamble[len(_CRLF) :])
            rule = self._which_preamble(bytes(preamble[len(_CRLF) + position :]))
            raise self._problem("multipart_preamble", what, position, rule=rule)

    def _which_preamble(self, rest: bytes) -> str:
        """The rule about the line that comes next in the preamble."""
        if not rest.startswith(self._mark):
            return "M13"
        tail = rest.removeprefix(self._mark)
        junk = tail.lstrip(b" \t")
        if len(tail) - len(junk) > MAX_PADDING:
            return "M13"
        return {b"\n": "M24", b"\r": "M25"}.get(junk[:1], "M31")

    def _skip_empty_form(self) -> bool:
        """Consume a close delimiter that follows the first delimiter at once, as .NET sends it (M35).

        Returns whether there was one.
        """
        match = self.boundary_re.match(self.buffer) if self._count == 0 else None
        if match is None or not match[1].startswith(b"--"):
            return False
        del self.buffer[: match.end()]
        self.state = State.EPILOGUE
        return True

    def _check_block(self) -> None:
        """Check a header block before Werkzeug, which accepts other line ends than CRLF."""
        limit = self._limits.max_part_headers
        if self.buffer.startswith(_CRLF):
            what = "there are no header fields (M35)"
            raise self._problem("part_headers_missing", what, self._begin(), self._part_at_hand(), rule="M35")
        end = self.buffer.find(_BLANK_LINE, max(0, self._checked_to - len(_BLANK_LINE)))
        known = len(self.buffer) if end < 0 else end + 1
        if bare := _BARE.search(self.buffer, self._checked_to, min(known, limit + len(_CRLF))):
            what, position = "a bare CR or LF in the header block (M26, M71)", self._begin() + bare.start()
            rule = _which_bare(bytes(self.buffer), bare.start())
            raise self._problem("part_header_syntax", what, position, self._part_at_hand(), rule=rule)
        if (end < 0 and known >= limit + len(_CRLF)) or end + len(_CRLF) > limit:
            what = f"the header block is over {limit} bytes (M73)"
            raise self._problem(
                "part_headers_too_large", what, self._begin(), self._part_at_hand(), rule="M73"
            )
        self._checked_to = max(0, known - 1) if end < 0 else 0

    def _check_held_block(self) -> None:
        """Check a block including the held bytes, although they may begin a delimiter (M34)."""
        size = len(self.buffer)
        if not size and not self._count:
            return  # before the first part they may be the close delimiter of an empty form (M35)
        held, self._held = self._held, b""
        self.buffer += held
        self._check_block()
        end = self.buffer.find(_BLANK_LINE, max(0, size - len(_CRLF)))
        if end >= 0:
            self._read_part_head(self.buffer[:end])
        del self.buffer[size:]
        self._held = held
        self._checked_to = min(self._checked_to, max(0, size - 1))

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        self._part = self._read_part_head(data)
        self._name = self._part.name
        self._count += 1
        return _ACCEPTED

    def _read_part_head(self, block: bytes | bytearray) -> PartHead:
        try:
            return read_part_head(bytes(block), self._limits, self._boundary)
        except Problem as problem:
            place = f"{self._part_at_hand()}header block at byte {self._begin()} of the body"
            raise problem.at(place) from None

    def _close(self) -> None:
        """Check what follows the close delimiter (M18). It has arrived, because a begun delimiter is held."""
        rest, self._held = bytes(self.buffer) + self._held, b""
        del self.buffer[:]
        if not _AFTER_CLOSE.match(rest):
            what = "the close delimiter is followed by neither CRLF nor the end of the body (M18)"
            position = self._size - len(rest.lstrip(b" \t"))
            raise self._problem("multipart_syntax", what, position, self._part_at_hand(), rule="M18")
        self._add_to_epilogue(rest.lstrip(b" \t"))

    def _add_to_epilogue(self, data: bytes | bytearray | memoryview) -> None:
        """Check the epilogue so far, which is held (M16, M17)."""
        self._held += data
        if not _EMPTY_LINES.fullmatch(self._held.removesuffix(b"\r")):
            raise self._bad_epilogue()

    def _bad_epilogue(self) -> Problem:
        what = f"something else than {MAX_EMPTY_LINES} CRLFs follows the close delimiter (M16)"
        begin = self._size - len(self._held)
        return self._problem("multipart_epilogue", what, begin + _after_empty_lines(self._held), rule="M16")


def _which_bare(block: bytes, at: int) -> str:
    """The rule about a bare CR or LF of a header block: within quotes, or as the end of a line."""
    quotes = re.findall(rb'(?<!\\)"', block[block.rfind(_CRLF, 0, at) + 1 : at])
    if len(quotes) % 2 == 1:
        return "M67"
    return "M71" if block[at] == ord("\r") else "M26"


def _after_empty_lines(data: bytes | bytearray) -> int:
    """The offset of the first byte that is not one of the empty lines."""
    lines = _ALL_EMPTY_LINES.match(data)
    assert lines is not None, "it matches nothing too"
    return min(lines.end(), MAX_EMPTY_LINES * len(_CRLF))
