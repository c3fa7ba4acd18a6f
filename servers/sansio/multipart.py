"""multipart/form-data (RFC 7578, RFC 2046 5.1): a push parser whose events never depend on the cuts (M89).

A delimiter is CRLF, `--boundary`, up to 64 blanks, CRLF; whatever else begins like one is data (M27 to M31).
"""

import re
from collections.abc import Generator, Iterator

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import PartData, PartEnd, PartEvent
from .part_headers import parse_part_headers
from .stream import NEED_DATA, Need, Role, Trace

_MAX_PADDING = 64
_WHAT_FOLLOWS = rb"(?:--|[ \t]{0,%d}\r\n)" % _MAX_PADDING
# A CR at the very end may still get its LF.
_BARE_LINE_END = re.compile(rb"\r(?!\n|\Z)|(?<!\r)\n")

# What follows `--boundary`: it closes, it separates, it is none, or more bytes are needed to know.
_CLOSES, _SEPARATES, _IS_NONE, _UNDECIDED = range(4)
_ROLES = {_CLOSES: Role.CLOSE_DELIMITER, _SEPARATES: Role.DELIMITER}


class FormDataParser:
    """Feed with `receive`; `finish` after the last byte. What was raised once is raised again."""

    def __init__(self, boundary: bytes, limits: Limits, trace: Trace | None = None) -> None:
        self._trace = trace
        self._dash_boundary = b"--" + boundary
        self._delimiter = b"\r\n" + self._dash_boundary
        self._whole_delimiter = re.compile(re.escape(self._delimiter) + _WHAT_FOLLOWS)
        self._limits = limits
        # The first delimiter may stand at the very start: as if a CRLF had come before it.
        self._data = b"\r\n"
        self._position = 0
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

    def _tell(self, role: Role, start: int, end: int) -> None:
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
        """Skip to behind the first delimiter; whether it closes at once (M22)."""
        length = -2  # the CRLF that did not come is not counted
        limit = self._limits.max_preamble
        while True:
            start = self._data.find(self._dash_boundary, self._position)
            if start < 0:
                # The last bytes may be a CRLF and the beginning of a boundary.
                end = len(self._data) - min(len(self._data) - self._position, len(self._delimiter) - 1)
                self._tell(Role.PREAMBLE, self._position + max(-length, 0), end)
                length += end - self._position
                self._position = end
                if length > limit:
                    raise Problem("multipart_preamble", f"more than {limit} bytes before the first part")
                yield from self._more()
                continue
            if self._data[max(start - 2, 0) : start] != b"\r\n":
                raise Problem("multipart_preamble", "the boundary stands in the preamble (M13, M15)")
            kind, end = self._what_follows(start + len(self._dash_boundary))
            if kind == _UNDECIDED:
                yield from self._more()
                continue
            before = self._position + max(-length, 0)
            length += start - 2 - self._position
            if length > limit:
                raise Problem("multipart_preamble", f"more than {limit} bytes before the first part")
            if kind == _IS_NONE:
                raise Problem("multipart_preamble", "more than a line end follows the boundary (M31)")
            self._tell(Role.PREAMBLE, before, start)
            self._tell(_ROLES[kind], start, end)
            self._position = end
            return kind == _CLOSES

    def _what_follows(self, position: int) -> tuple[int, int]:
        """What `--boundary`, ending at `position`, is, and where it ends with all that belongs to it."""
        data = self._data
        if data.startswith(b"--", position):
            return _CLOSES, position + 2
        end = position
        while data[end : end + 1] in (b" ", b"\t") and end - position <= _MAX_PADDING:
            end += 1
        if end - position > _MAX_PADDING:
            return _IS_NONE, position
        if data.startswith(b"\r\n", end):
            return _SEPARATES, end + 2
        rest = data[end : end + 2]
        if rest in (b"", b"\r") or (rest == b"-" and end == position):
            return _UNDECIDED, position
        return _IS_NONE, position

    def _read_part_headers(self) -> Generator[PartEvent | Need, None, None]:
        """The header block, judged when it is complete; the CRLF of its empty line is left (M34)."""
        limit = self._limits.max_part_headers
        scanned = 0
        while True:
            window = self._data[self._position : self._position + limit + 2]
            if window.startswith(b"\r\n"):
                raise Problem("part_headers_missing", "a part has no header fields (M35)")
            end = window.find(b"\r\n\r\n", max(scanned - 3, 0))
            stop = len(window) if end < 0 else end + 1
            if _BARE_LINE_END.search(window, max(scanned - 1, 0), stop):
                raise Problem("part_header_syntax", "a bare CR or LF in the header block of a part")
            if end >= 0:
                break
            if len(window) == limit + 2:
                raise Problem("part_headers_too_large", f"a header block is larger than {limit} bytes")
            scanned = len(window)
            yield from self._more()
        self._tell(Role.PART_FIELD, self._position, self._position + end + 2)
        self._position += end + 2
        yield parse_part_headers(window[:end], self._limits)

    def _read_part_data(self) -> Generator[PartEvent | Need, None, bool]:
        """The data of a part to behind its delimiter; whether that closes the body.

        The empty line's CRLF is not data, but with a boundary behind it, it is the delimiter's own (M34).
        """
        begin = self._position + 2
        searched = self._position
        told_empty_line = False
        while True:
            start = self._data.find(self._delimiter, searched)
            if start < 0:
                kind, end, start = _UNDECIDED, 0, self._unfinished_delimiter(searched)
            else:
                kind, end = self._what_follows(start + len(self._delimiter))
            if kind == _IS_NONE:
                searched = self._next_delimiter(start + len(self._delimiter))
                continue
            if start >= begin and not told_empty_line:
                self._tell(Role.PART_FIELD, begin - 2, begin)
                told_empty_line = True
            if start > begin:
                self._tell(Role.PART_DATA, begin, start)
                yield PartData(memoryview(self._data)[begin:start])
                begin = start
            if kind != _UNDECIDED:
                self._tell(_ROLES[kind], start, end)
                self._position = end
                yield PartEnd()
                return kind == _CLOSES
            self._position = start
            skip = begin - start
            yield from self._more()
            searched = self._position
            begin = self._position + skip

    def _next_delimiter(self, searched: int) -> int:
        """A place to search on from: data full of what nearly is a delimiter is passed over in one go."""
        match = self._whole_delimiter.search(self._data, searched)
        if match is not None:
            return match.start()
        # Only the last one can still be undecided: nothing but blanks may follow it.
        tail = len(self._data) - len(self._delimiter) - _MAX_PADDING - 2
        return max(searched, tail)

    def _unfinished_delimiter(self, searched: int) -> int:
        """Where a delimiter may have begun whose end is not there yet, else the end of the data."""
        cr = self._data.find(b"\r", max(len(self._data) - len(self._delimiter) + 1, searched))
        return cr if cr >= 0 else len(self._data)

    def _read_epilogue(self) -> Generator[Need, None, None]:
        """Ignore what follows (M16), unless the boundary is in it (M17)."""
        while True:
            if self._data.find(self._dash_boundary, self._position) >= 0:
                raise Problem("multipart_epilogue", "the boundary stands after the close delimiter (M17)")
            keep = 0 if self._ended else len(self._dash_boundary) - 1
            end = max(len(self._data) - keep, self._position)
            self._tell(Role.EPILOGUE, self._position, end)
            self._position = end
            if self._ended:
                return
            yield NEED_DATA
