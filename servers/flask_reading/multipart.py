"""Werkzeug's multipart decoder, made strict and exact (RFC 2046 5.1.1, RFC 7578).

Its state machine stays in charge. What it reads is settled at its extension points: the two expressions that
find delimiters, the hook that parses a header block, and the reads themselves, which are cut anew so that
none ends inside of a delimiter (M89: Werkzeug issue 3285 corrupts uploads otherwise). This leans on public
but undocumented names of Werkzeug 3.1: `tests/flask_reading/test_werkzeug_pin.py` fails when they change.
"""

import re
from collections.abc import Iterator

from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import NEED_DATA, Data, Event, MultipartDecoder, Preamble, State

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import PartData, PartEnd, PartEvent, PartHead
from .part_headers import read_part_head

MAX_PADDING = 64
"""Blanks after a delimiter (M30): more, and it is no delimiter but data."""

_CRLF = b"\r\n"
_BLANK_LINE = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
# Werkzeug asks only whether this header is there: ours was judged before, and its own reading is not used.
_JUDGED = Headers([("content-disposition", "form-data")])


def _delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """CRLF, `--boundary`, and `--`, or up to 64 blanks and CRLF; the group is what follows the boundary."""
    return re.compile(rb"\r\n--%s(--|[ \t]{0,%d}\r\n)" % (re.escape(boundary), MAX_PADDING))


def _begun_delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """A proper prefix of a delimiter at the end of what was read."""
    nested = rb"(?:-|[ \t]{1,%d}\r?|\r)?" % MAX_PADDING
    for byte in reversed(_CRLF[1:] + b"--" + boundary):
        nested = rb"(?:%s%s)?" % (re.escape(bytes([byte])), nested)
    return re.compile(rb"\r%s\Z" % nested)


def _ended_delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """A whole delimiter at the end of what is searched."""
    return re.compile(rb"\r\n--%s[ \t]{0,%d}\r\n\Z" % (re.escape(boundary), MAX_PADDING))


class StrictMultipart(MultipartDecoder):
    """A `MultipartParser` of the contract: push bytes, take events; the cuts never decide.

    The body is read as if a CRLF had come before it, so that every delimiter begins alike. Memory is bounded
    by one piece, one preamble and one header block.
    """

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        super().__init__(boundary)
        self.preamble_re = self.boundary_re = _delimiter(boundary)
        self._limits = limits
        self._mark = b"--" + boundary
        self._begun_delimiter = _begun_delimiter(boundary)
        self._ended_delimiter = _ended_delimiter(boundary)
        self._longest = len(_CRLF + self._mark) + MAX_PADDING + len(_CRLF)
        self._held = _CRLF  # the begun delimiter at the end of the last read
        self._judged_to = 0  # how far the preamble or the header block at hand was found to be sound
        self._part: PartHead | None = None

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes; to be consumed before the next call. Raises Problem."""
        if self._is_closed():
            self._skip_epilogue(data)
            return
        piece = self._held + data if self._held or isinstance(data, memoryview) else data
        cut = self._cut(piece)
        self._held = bytes(piece[cut:])
        fed = memoryview(piece)[:cut]
        if self.state is State.DATA and piece.find(self._mark, 0, cut) < 0:
            yield from self._plain_data(fed)
            return
        self.receive_data(fed)  # type: ignore[arg-type]  # it takes whatever bytearray.extend takes
        yield from self._events()
        if self._is_closed():
            rest, self._held = bytes(self.buffer) + self._held, b""
            self._skip_epilogue(rest)
        elif self.state is State.PART and self._held:
            self._judge_held_block()

    def finish(self) -> Iterator[PartEvent]:
        """No more events. Raises Problem `multipart_truncated` without a close delimiter (M19 to M23)."""
        if not self._is_closed():
            raise Problem("multipart_truncated", "the body ends before its close delimiter")
        return iter(())

    def _is_closed(self) -> bool:
        """Whether the close delimiter was seen."""
        return self.state is State.EPILOGUE

    def _plain_data(self, fed: memoryview) -> Iterator[PartData]:
        """Data without a boundary goes past Werkzeug's buffer, which would copy it five times."""
        if self.buffer:  # what Werkzeug kept back can begin no delimiter either: no read ends inside of one
            yield PartData(bytes(self.buffer))
            del self.buffer[:]
        if fed:
            yield PartData(fed)

    def _cut(self, piece: bytes | bytearray) -> int:
        """Where a delimiter may have begun that the next read completes, else the end."""
        begin = max(0, len(piece) - self._longest)
        while match := self._begun_delimiter.search(piece, begin):
            begin = match.start() + len(_CRLF)
            # The CRLF that ends a delimiter begins no other one.
            if not self._ended_delimiter.search(piece, max(0, begin - self._longest), begin):
                return match.start()
        return len(piece)

    def _events(self) -> Iterator[PartEvent]:
        while (event := self._judged_event()) is not NEED_DATA:
            if isinstance(event, Data):
                if event.data:
                    yield PartData(event.data)
                if not event.more_data:
                    yield PartEnd()
            elif self._part is not None:
                yield self._part
                self._part = None

    def _judged_event(self) -> Event:
        """Werkzeug's next event, with what it lets pass refused before and after."""
        if self._is_closed():
            return NEED_DATA
        if self.state is State.PART:
            self._judge_block()
        in_preamble = self.state is State.PREAMBLE
        event = self.next_event()
        if isinstance(event, Preamble):
            self._judge_preamble(event.data)
            self._judged_to = 0
        elif in_preamble:
            self._judge_preamble(self.buffer)
            self._judged_to = len(self.buffer)
        return event

    def _judge_preamble(self, preamble: bytes | bytearray) -> None:
        size = len(preamble) - len(_CRLF)  # the CRLF before the body is ours
        if size > self._limits.max_preamble:
            raise Problem("multipart_preamble", f"more than {self._limits.max_preamble} bytes of preamble")
        if preamble.find(self._mark, max(0, self._judged_to - len(self._mark))) >= 0:
            raise Problem("multipart_preamble", "the boundary stands in the preamble, in no delimiter (M13)")

    def _judge_block(self) -> None:
        """Refuse what a header block must not hold, before Werkzeug takes other line ends for CRLF."""
        limit = self._limits.max_part_headers
        if self.buffer.startswith(_CRLF):
            raise Problem("part_headers_missing", "a part has no header fields (M35)")
        end = self.buffer.find(_BLANK_LINE, max(0, self._judged_to - len(_BLANK_LINE)))
        known = len(self.buffer) if end < 0 else end + 1
        if _BARE.search(self.buffer, self._judged_to, min(known, limit + 1)):
            raise Problem("part_header_syntax", "a bare CR or LF in the header block of a part (M26, M71)")
        if (end < 0 and known >= limit + len(_CRLF)) or end + len(_CRLF) > limit:
            raise Problem("part_headers_too_large", f"the header block of a part is over {limit} bytes (M73)")
        self._judged_to = max(0, known - 1) if end < 0 else 0

    def _judge_held_block(self) -> None:
        """Judge a block with its last bytes too, though they may begin a delimiter (M34)."""
        size = len(self.buffer)
        self.buffer += self._held
        self._judge_block()
        end = self.buffer.find(_BLANK_LINE, max(0, size - len(_CRLF)))
        if end >= 0:
            read_part_head(bytes(self.buffer[:end]), self._limits)
        del self.buffer[size:]
        self._judged_to = min(self._judged_to, max(0, size - 1))

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        self._part = read_part_head(bytes(data), self._limits)
        return _JUDGED

    def _skip_epilogue(self, data: bytes | bytearray | memoryview) -> None:
        """Drop it, however long it is, but for the boundary, which must not stand there (M16, M17)."""
        rest = self._held + bytes(data)
        if self._mark in rest:
            raise Problem("multipart_epilogue", "the boundary stands after the close delimiter (M17)")
        self._held = rest[-(len(self._mark) - 1) :]
        del self.buffer[:]
