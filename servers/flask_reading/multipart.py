"""Werkzeug's multipart decoder, made strict and exact (RFC 2046 5.1.1, RFC 7578).

Werkzeug's state machine does the work. It is made strict at its extension points: the two expressions that
find delimiters, and the hook that parses a header block. The reads are split again before Werkzeug gets
them, so that none ends inside a delimiter (M89: otherwise Werkzeug issue 3285 corrupts uploads). This uses
public but undocumented names of Werkzeug 3.1. `tests/flask_reading/test_werkzeug_pin.py` fails when they
change.

These states of Werkzeug's machine matter:

    state      what is parsed                 what is added here
    PREAMBLE   up to the first delimiter      size and boundary are checked after each call
    PART       a header block                 line ends and size are checked before each call
    DATA       the data of a part             data without the boundary bypass Werkzeug
    EPILOGUE   nothing                        `_skip_epilogue` refuses the boundary

The end of each read that may begin a delimiter is held until the next read. In PART the held bytes may also
belong to the header block, or end it. The block is therefore checked together with them too, so that a fault
is found at the same byte however the reads are split (M34).
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
"""At most so many blanks may follow a delimiter. With more of them it is data (M30)."""

_CRLF = b"\r\n"
_BLANK_LINE = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
# We have already parsed the block; Werkzeug only checks that this header exists.
_ACCEPTED = Headers([("content-disposition", "form-data")])


def _delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """CRLF, `--boundary`, then `--` or up to 64 blanks and CRLF. The group is what follows the boundary."""
    return re.compile(rb"\r\n--%s(--|[ \t]{0,%d}\r\n)" % (re.escape(boundary), MAX_PADDING))


def _begun_delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """The beginning of a delimiter at the end of what was read."""
    nested = rb"(?:-|[ \t]{1,%d}\r?|\r)?" % MAX_PADDING
    for byte in reversed(_CRLF[1:] + b"--" + boundary):
        nested = rb"(?:%s%s)?" % (re.escape(bytes([byte])), nested)
    return re.compile(rb"\r%s\Z" % nested)


def _ended_delimiter(boundary: bytes) -> re.Pattern[bytes]:
    """A whole delimiter at the end of what is searched."""
    return re.compile(rb"\r\n--%s[ \t]{0,%d}\r\n\Z" % (re.escape(boundary), MAX_PADDING))


class StrictMultipart(MultipartDecoder):
    """A `MultipartParser` of the contract. The events do not depend on how the bytes are split.

    The body is parsed as if a CRLF came before it, so that all delimiters begin alike. Memory is bounded by
    one piece, one preamble and one header block.
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
        self._checked_to = 0  # how much of the preamble or the header block was checked
        self._part: PartHead | None = None

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes. Consume them before the next call. Raises Problem."""
        if self._is_closed():
            self._skip_epilogue(data)
            return
        piece = self._held + data if self._held or isinstance(data, memoryview) else data
        end = self._safe_end(piece)
        self._held = bytes(piece[end:])
        fed = memoryview(piece)[:end]
        if self.state is State.DATA and piece.find(self._mark, 0, end) < 0:
            yield from self._plain_data(fed)
            return
        self.receive_data(fed)  # type: ignore[arg-type]  # it takes whatever bytearray.extend takes
        yield from self._events()
        if self._is_closed():
            rest, self._held = bytes(self.buffer) + self._held, b""
            self._skip_epilogue(rest)
        elif self.state is State.PART and self._held:
            self._check_held_block()

    def finish(self) -> Iterator[PartEvent]:
        """No events. Raises Problem `multipart_truncated` without a close delimiter (M19 to M23)."""
        if not self._is_closed():
            raise Problem("multipart_truncated", "the body ends before its close delimiter")
        return iter(())

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
        while match := self._begun_delimiter.search(piece, begin):
            begin = match.start() + len(_CRLF)
            # The CRLF that ends a delimiter does not begin another one.
            if not self._ended_delimiter.search(piece, max(0, begin - self._longest), begin):
                return match.start()
        return len(piece)

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
            self._check_block()
        in_preamble = self.state is State.PREAMBLE
        event = self.next_event()
        if isinstance(event, Preamble):
            self._check_preamble(event.data)
            self._checked_to = 0
        elif in_preamble:
            self._check_preamble(self.buffer)
            self._checked_to = len(self.buffer)
        return event

    def _check_preamble(self, preamble: bytes | bytearray) -> None:
        size = len(preamble) - len(_CRLF)  # we added the CRLF before the body
        if size > self._limits.max_preamble:
            raise Problem("multipart_preamble", f"more than {self._limits.max_preamble} bytes of preamble")
        if preamble.find(self._mark, max(0, self._checked_to - len(self._mark))) >= 0:
            raise Problem(
                "multipart_preamble", "the preamble contains the boundary outside a delimiter (M13)"
            )

    def _check_block(self) -> None:
        """Check a header block before Werkzeug, which accepts other line ends than CRLF."""
        limit = self._limits.max_part_headers
        if self.buffer.startswith(_CRLF):
            raise Problem("part_headers_missing", "a part has no header fields (M35)")
        end = self.buffer.find(_BLANK_LINE, max(0, self._checked_to - len(_BLANK_LINE)))
        known = len(self.buffer) if end < 0 else end + 1
        if _BARE.search(self.buffer, self._checked_to, min(known, limit + 1)):
            raise Problem("part_header_syntax", "a bare CR or LF in the header block of a part (M26, M71)")
        if (end < 0 and known >= limit + len(_CRLF)) or end + len(_CRLF) > limit:
            raise Problem("part_headers_too_large", f"the header block of a part is over {limit} bytes (M73)")
        self._checked_to = max(0, known - 1) if end < 0 else 0

    def _check_held_block(self) -> None:
        """Check a block including the held bytes, although they may begin a delimiter (M34)."""
        size = len(self.buffer)
        self.buffer += self._held
        self._check_block()
        end = self.buffer.find(_BLANK_LINE, max(0, size - len(_CRLF)))
        if end >= 0:
            read_part_head(bytes(self.buffer[:end]), self._limits)
        del self.buffer[size:]
        self._checked_to = min(self._checked_to, max(0, size - 1))

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        self._part = read_part_head(bytes(data), self._limits)
        return _ACCEPTED

    def _skip_epilogue(self, data: bytes | bytearray | memoryview) -> None:
        """Drop the epilogue. It may have any length but must not contain the boundary (M16, M17)."""
        rest = self._held + bytes(data)
        if self._mark in rest:
            raise Problem("multipart_epilogue", "the epilogue contains the boundary (M17)")
        self._held = rest[-(len(self._mark) - 1) :]
        del self.buffer[:]
