"""A push parser for multipart/form-data (RFC 7578, RFC 2046 5.1).

The parser is a generator as described in `stream`, with one method for each state:

    state      method               input                              event or Problem          next state
    preamble   _read_preamble       a delimiter                        -                         headers
                                    a close delimiter (M22)            -                         epilogue
                                    the boundary, but no delimiter     `multipart_preamble`      refused
    headers    _read_part_headers   a header block                     PartHead                  data
                                    an empty line at once (M35)        `part_headers_missing`    refused
    data       _read_part_data      some bytes of the part             PartData                  data
                                    a delimiter                        PartEnd                   headers
                                    a close delimiter                  PartEnd                   epilogue
    epilogue   _read_epilogue       the boundary (M17)                 `multipart_epilogue`      refused
                                    any other bytes (M16)              -                         epilogue
                                    the end of the body                -                         finished
    others     _more                the end of the body                `multipart_truncated`     refused

Delimiters. `_what_follows` looks at the bytes that follow CRLF `--boundary`:

    `--`                              a close delimiter, whatever comes next (M18)
    up to 64 blanks and CRLF          a delimiter (M30)
    the beginning of one of these     undecided: wait for more bytes
    anything else                     no delimiter: in a part, all of it is data (M27 to M29)

In the data of a part, every byte before a possible delimiter becomes PartData at once. Only the bytes that
may be a delimiter are kept back. So memory does not depend on the size of a file, and a delimiter that is
split over many reads is found (M89).

The shared CRLF (M34). A header block ends with CRLF and an empty line, which is CRLF again. A delimiter
begins with CRLF. Some clients send an empty part as `...; name=a CRLF CRLF --boundary`: the CRLF of the empty
line is also the CRLF of the delimiter. Therefore `_read_part_headers` does not consume the empty line, and
`_read_part_data` searches for a delimiter from there. `begin` is the position after the empty line. A
delimiter that starts before `begin` shares the CRLF, and the part is empty.

The first delimiter may be at the very start of the body, without a CRLF. The parser puts a CRLF in front of
the body, so that this needs no code of its own. These two bytes are not counted and not traced.
"""

import re
from collections.abc import Generator, Iterator
from enum import Enum, auto

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import PartData, PartEnd, PartEvent
from .part_headers import parse_part_headers
from .stream import NEED_DATA, Need, Role, Trace

_MAX_PADDING = 64
_WHAT_FOLLOWS = rb"(?:--|[ \t]{0,%d}\r\n)" % _MAX_PADDING
# A CR at the very end may still get its LF.
_BARE_LINE_END = re.compile(rb"\r(?!\n|\Z)|(?<!\r)\n")


class _Found(Enum):
    """What `--boundary` is, by the bytes that follow it."""

    CLOSE_DELIMITER = auto()
    DELIMITER = auto()
    NEITHER = auto()
    UNDECIDED = auto()


_ROLES = {_Found.CLOSE_DELIMITER: Role.CLOSE_DELIMITER, _Found.DELIMITER: Role.DELIMITER}


class FormDataParser:
    """Call `feed` with each piece of the body, and `finish` after the last. A Problem is raised again."""

    def __init__(self, boundary: bytes, limits: Limits, trace: Trace | None = None) -> None:
        self._trace = trace
        self._dash_boundary = b"--" + boundary
        self._delimiter = b"\r\n" + self._dash_boundary
        self._whole_delimiter = re.compile(re.escape(self._delimiter) + _WHAT_FOLLOWS)
        self._limits = limits
        self._data = b"\r\n"  # see above: so that the first delimiter has its CRLF
        self._position = 0  # of the first byte in `_data` that is not consumed
        self._ended = False
        self._failed: Problem | None = None
        self._events = self._read_body()

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes."""
        self._data = b"".join((memoryview(self._data)[self._position :], data))
        self._position = 0
        return self._pull()

    def finish(self) -> Iterator[PartEvent]:
        """The last events. Raises Problem `multipart_truncated`."""
        self._ended = True
        return self._pull()

    def _pull(self) -> Iterator[PartEvent]:
        if self._failed is not None:
            raise self._failed
        try:
            for event in self._events:
                if event is NEED_DATA:
                    return
                yield event
        except Problem as problem:
            self._failed = problem
            raise

    def _report(self, role: Role, start: int, end: int) -> None:
        if self._trace is not None and end > start:
            self._trace(role, memoryview(self._data)[start:end])

    def _more(self) -> Generator[Need, None, None]:
        if self._ended:
            raise Problem("multipart_truncated", "the body ends before its close delimiter")
        yield NEED_DATA

    def _read_body(self) -> Generator[PartEvent | Need, None, None]:
        """multipart-body = [preamble CRLF] dash-boundary ... close-delimiter [CRLF epilogue]."""
        closes = yield from self._read_preamble()
        while not closes:
            yield from self._read_part_headers()
            closes = yield from self._read_part_data()
        yield from self._read_epilogue()

    def _read_preamble(self) -> Generator[Need, None, bool]:
        """Consume everything up to the end of the first delimiter. Returns whether it closes the body."""
        length = -2  # of the preamble so far; the CRLF in front of the body does not count
        while True:
            start = self._data.find(self._dash_boundary, self._position)
            if start < 0:
                # Keep what may be a CRLF and the beginning of a boundary.
                kept = min(len(self._data) - self._position, len(self._delimiter) - 1)
                length = self._skip_preamble(length, len(self._data) - kept)
                yield from self._more()
                continue
            if self._data[max(start - 2, 0) : start] != b"\r\n":
                raise Problem("multipart_preamble", "the boundary is in the preamble (M13, M15)")
            found, end = self._what_follows(start + len(self._dash_boundary))
            if found is _Found.UNDECIDED:
                yield from self._more()
                continue
            before = self._position + max(-length, 0)
            self._check_preamble(length + start - 2 - self._position)
            if found is _Found.NEITHER:
                raise Problem("multipart_preamble", "the first boundary is not followed by CRLF (M31)")
            self._report(Role.PREAMBLE, before, start)
            self._report(_ROLES[found], start, end)
            self._position = end
            return found is _Found.CLOSE_DELIMITER

    def _skip_preamble(self, length: int, end: int) -> int:
        """Consume the bytes up to `end`. Returns the new length of the preamble."""
        self._report(Role.PREAMBLE, self._position + max(-length, 0), end)
        length += end - self._position
        self._position = end
        self._check_preamble(length)
        return length

    def _check_preamble(self, length: int) -> None:
        limit = self._limits.max_preamble
        if length > limit:
            raise Problem("multipart_preamble", f"there are more than {limit} bytes before the first part")

    def _what_follows(self, position: int) -> tuple[_Found, int]:
        """What the `--boundary` that ends at `position` is, and where the delimiter ends."""
        data = self._data
        if data.startswith(b"--", position):
            return _Found.CLOSE_DELIMITER, position + 2
        end = position
        while data[end : end + 1] in (b" ", b"\t") and end - position <= _MAX_PADDING:
            end += 1
        if end - position > _MAX_PADDING:
            return _Found.NEITHER, position
        if data.startswith(b"\r\n", end):
            return _Found.DELIMITER, end + 2
        rest = data[end : end + 2]
        if rest in (b"", b"\r") or (rest == b"-" and end == position):
            return _Found.UNDECIDED, position
        return _Found.NEITHER, position

    def _read_part_headers(self) -> Generator[PartEvent | Need, None, None]:
        """Parse a header block when it is complete. Leaves the CRLF of its empty line (M34)."""
        limit = self._limits.max_part_headers
        scanned = 0
        while True:
            window = self._data[self._position : self._position + limit + 2]
            if window.startswith(b"\r\n"):
                raise Problem("part_headers_missing", "a part has no header fields (M35)")
            end = window.find(b"\r\n\r\n", max(scanned - 3, 0))
            stop = len(window) if end < 0 else end + 1
            if _BARE_LINE_END.search(window, max(scanned - 1, 0), stop):
                raise Problem("part_header_syntax", "the header block of a part has a bare CR or LF")
            if end >= 0:
                break
            if len(window) == limit + 2:
                raise Problem("part_headers_too_large", f"a header block has more than {limit} bytes")
            scanned = len(window)
            yield from self._more()
        self._report(Role.PART_FIELD, self._position, self._position + end + 2)
        self._position += end + 2
        yield parse_part_headers(window[:end], self._limits)

    def _read_part_data(self) -> Generator[PartEvent | Need, None, bool]:
        """Read the data of a part and its delimiter. Returns whether that closes the body."""
        begin = self._position + 2  # after the empty line, which may be part of the delimiter (M34)
        searched = self._position
        empty_line_reported = False
        while True:
            start = self._data.find(self._delimiter, searched)
            if start < 0:
                found, end, start = _Found.UNDECIDED, 0, self._unfinished_delimiter(searched)
            else:
                found, end = self._what_follows(start + len(self._delimiter))
            if found is _Found.NEITHER:
                searched = self._next_delimiter(start + len(self._delimiter))
                continue
            if start >= begin and not empty_line_reported:
                self._report(Role.PART_FIELD, begin - 2, begin)
                empty_line_reported = True
            if start > begin:
                self._report(Role.PART_DATA, begin, start)
                yield PartData(memoryview(self._data)[begin:start])
                begin = start
            if found is not _Found.UNDECIDED:
                self._report(_ROLES[found], start, end)
                self._position = end
                yield PartEnd()
                return found is _Found.CLOSE_DELIMITER
            self._position = start
            skip = begin - start
            yield from self._more()
            searched = self._position
            begin = self._position + skip

    def _next_delimiter(self, searched: int) -> int:
        """Where to search on. One call skips all near-delimiters, so that many of them cost little."""
        match = self._whole_delimiter.search(self._data, searched)
        if match is not None:
            return match.start()
        # Only the last one can be undecided, and then nothing but blanks follows it.
        tail = len(self._data) - len(self._delimiter) - _MAX_PADDING - 2
        return max(searched, tail)

    def _unfinished_delimiter(self, searched: int) -> int:
        """Where a delimiter may begin that has not arrived completely, else the end of the data."""
        cr = self._data.find(b"\r", max(len(self._data) - len(self._delimiter) + 1, searched))
        return cr if cr >= 0 else len(self._data)

    def _read_epilogue(self) -> Generator[Need, None, None]:
        """Ignore the bytes after the close delimiter (M16), unless the boundary is among them (M17)."""
        while True:
            if self._data.find(self._dash_boundary, self._position) >= 0:
                raise Problem("multipart_epilogue", "the boundary occurs after the close delimiter (M17)")
            keep = 0 if self._ended else len(self._dash_boundary) - 1
            end = max(len(self._data) - keep, self._position)
            self._report(Role.EPILOGUE, self._position, end)
            self._position = end
            if self._ended:
                return
            yield NEED_DATA
