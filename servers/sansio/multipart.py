"""A push parser for multipart/form-data (RFC 7578, RFC 2046 5.1).

The parser is a generator as described in `stream`, with one method for each state:

    state       method               input                             event or Problem          next state
    preamble    _read_preamble       a delimiter                       -                         empty form
                                     a close delimiter (M22)           -                         epilogue
                                     over 64 CRLFs, or other bytes     `multipart_preamble`      refused
    empty form  _read_empty_form     a close delimiter at once (M35)   -                         epilogue
                                     any other bytes                   -                         headers
    headers     _read_part_headers   a header block                    PartHead                  data
                                     an empty line at once (M35)       `part_headers_missing`    refused
                                     a bare CR or LF                   `part_header_syntax`      refused
                                     too many bytes without its end    `part_headers_too_large`  refused
    data        _read_part_data      some bytes of the part            PartData                  data
                                     a delimiter                       PartEnd                   headers
                                     a close delimiter                 PartEnd                   epilogue
    epilogue    _read_epilogue       over 64 CRLFs, or other bytes     `multipart_epilogue`      refused
                                     the end of the body               -                         finished
    others      _more                the end of the body               `multipart_truncated`     refused

Delimiters. `delimiter` tells what is one, by the bytes that follow CRLF `--boundary`.

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

from ..contract.limits import MAX_EMPTY_LINES, MAX_PADDING, Limits
from ..contract.problems import Problem
from ..contract.request import PartData, PartEnd, PartEvent, PartHead
from .delimiter import CRLF, Delimiter, Found, what_follows
from .part_headers import known_part_head, parse_part_headers
from .stream import NEED_DATA, Need, Role, Trace

# A CR at the very end may still get its LF.
_BARE_LINE_END = re.compile(rb"\r(?!\n|\Z)|(?<!\r)\n")


def _rule_of_bare(block: bytes, at: int) -> str:
    """Which rule forbids the bare CR or LF at this offset of a header block."""
    line = block[:at].rpartition(CRLF)[2].replace(b'\\"', b"")
    if line.count(b'"') % 2:
        return "M67"
    return "M26" if block[at : at + 1] == b"\n" else "M71"


def _as_bytes(data: bytes | bytearray | memoryview) -> bytes:
    """The same bytes, without a copy if they are all bytes of an object."""
    if isinstance(data, memoryview) and data.c_contiguous:
        whole = data.obj
        if isinstance(whole, bytes) and len(whole) == len(data):
            return whole
    return bytes(data)


_PART_END = PartEnd()
_ROLES = {Found.CLOSE_DELIMITER: Role.CLOSE_DELIMITER, Found.DELIMITER: Role.DELIMITER}


class FormDataParser:
    """Call `feed` with each piece of the body, and `finish` after the last. A Problem is raised again."""

    def __init__(self, boundary: bytes, limits: Limits, trace: Trace | None = None) -> None:
        self._trace = trace
        self._delimiter = Delimiter(boundary)
        self._limits = limits
        self._data = CRLF  # see above: so that the first delimiter has its CRLF
        self._base = -len(CRLF)  # the offset of `_data` in the body
        self._position = 0  # of the first byte in `_data` that is not consumed
        self._plain = b""  # data that were kept back, before `_data`
        self._waits_in_data = False  # whether all that is kept back is data, or a delimiter
        self._count = 0  # of the parts that have begun
        self._part = ""  # the part at hand, as a Problem names it
        self._ended = False
        self._failed: Problem | None = None
        self._events = self._read_body()

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes. Raises Problem, as the table above and `part_headers` say."""
        rest = self._data[self._position :]
        self._base += self._position
        self._position = 0
        if self._is_plain(rest, data):
            self._plain, self._data = rest, _as_bytes(data)
            self._base += len(rest)
        else:
            self._data = b"".join((rest, data))
        return self._pull()

    def _is_plain(self, rest: bytes, data: bytes | bytearray | memoryview) -> bool:
        """Whether `rest`, which was kept back, is data of the part: then `data` needs no copy behind it."""
        if not rest or not self._waits_in_data or self._trace is not None:
            return not rest
        size = len(self._delimiter.octets)
        joined = rest + bytes(data[:size])
        start = joined.find(b"\r")
        while 0 <= start < len(rest):
            if self._delimiter.octets.startswith(joined[start : start + size]):
                return False
            start = joined.find(b"\r", start + 1)
        return True

    def finish(self) -> Iterator[PartEvent]:
        """The last events. Raises Problem `multipart_truncated`, `multipart_syntax`, `multipart_epilogue`."""
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

    def _problem(self, code: str, what: str, position: int, *, rule: str) -> Problem:
        """A Problem that names its place in the body (W6)."""
        offset = self._base + position
        fault = range(offset, offset + 1)
        return Problem(code, what, rule=rule, fault=fault).at(f"{self._part}byte {offset} of the body")

    def _more(self, cut: str) -> Generator[Need, None, None]:
        """Wait for more bytes. `cut` is the rule that forbids an end here, outside of a delimiter."""
        if self._ended:
            what, rule = "the body ends before its close delimiter", self._rule_of_end(cut)
            raise self._problem("multipart_truncated", what, len(self._data), rule=rule)
        yield NEED_DATA

    def _rule_of_end(self, cut: str) -> str:
        """`cut`, or M20 if the bytes that are not consumed are a delimiter without its end."""
        rest = self._data[self._position :]
        if rest.startswith(b"\r"):
            rest = rest.rpartition(CRLF)[2]  # of several line ends the last one belongs to it
        if not rest:
            return cut
        begun = self._delimiter.dash_boundary
        return "M20" if rest.startswith(begun) or begun.startswith(rest) else cut

    def _read_body(self) -> Generator[PartEvent | Need, None, None]:
        """multipart-body = [preamble CRLF] dash-boundary ... close-delimiter [CRLF epilogue]."""
        closes = yield from self._read_preamble()
        closes = closes or (yield from self._read_empty_form())
        while not closes:
            part = self._whole_part()
            if part is None:
                yield from self._read_part_headers()
                closes = yield from self._read_part_data()
            else:
                head, data, closes = part
                yield head
                if data:
                    yield PartData(data)
                yield _PART_END
        self._part = ""
        yield from self._read_epilogue()

    def _read_preamble(self) -> Generator[Need, None, bool]:
        """Consume the first delimiter and the empty lines before it (M13, M14). Returns whether it closes."""
        lines = 0
        while True:
            found, end = yield from self._delimiter_here("M23")
            if found is not Found.NEITHER:
                return self._consume_delimiter(found, self._position + len(CRLF), end)
            start = self._position + len(CRLF)
            line = self._data[start : start + len(CRLF)]
            if lines == MAX_EMPTY_LINES or not CRLF.startswith(line):
                what = f"only CRLF, at most {MAX_EMPTY_LINES} times, may come before the first delimiter"
                raise self._problem("multipart_preamble", what, start, rule=self._preamble_rule(start))
            if line == CRLF:
                self._report(Role.PREAMBLE, start, start + len(CRLF))
                self._position = start
                lines += 1
            else:
                yield from self._more("M23")

    def _preamble_rule(self, start: int) -> str:
        """Which rule forbids the line of the preamble that begins at `start`."""
        if not self._data.startswith(self._delimiter.dash_boundary, start):
            return "M13"
        rest = self._data[start + len(self._delimiter.dash_boundary) :].lstrip(b" \t")
        padding = len(self._data) - start - len(self._delimiter.dash_boundary) - len(rest)
        if padding > MAX_PADDING:
            return "M13"
        return {b"\n": "M24", b"\r": "M25"}.get(rest[:1], "M31")

    def _read_empty_form(self) -> Generator[Need, None, bool]:
        """Consume a close delimiter that comes at once, as .NET sends a form without parts (M35).

        Returns whether there was one.
        """
        found, end = yield from self._delimiter_here("M20")
        return found is Found.CLOSE_DELIMITER and self._consume_delimiter(found, self._position, end)

    def _delimiter_here(self, cut: str) -> Generator[Need, None, tuple[Found, int]]:
        """What the next bytes are, never UNDECIDED, and where the delimiter ends. For `cut` see `_more`."""
        while True:
            end = self._position + len(self._delimiter.octets)
            begun = self._data[self._position : end]
            if begun == self._delimiter.octets:
                found, end = self._what_follows(end)
            else:
                found = Found.UNDECIDED if self._delimiter.octets.startswith(begun) else Found.NEITHER
            if found is not Found.UNDECIDED:
                return found, end
            yield from self._more(cut)

    def _consume_delimiter(self, found: Found, start: int, end: int) -> bool:
        """Returns whether it closes the body."""
        self._report(_ROLES[found], start, end)
        self._position = end
        return found is Found.CLOSE_DELIMITER

    def _what_follows(self, position: int) -> tuple[Found, int]:
        """What the `--boundary` that ends at `position` is, and where the delimiter ends."""
        found, end = what_follows(self._data, position, ended=self._ended)
        if found is Found.BROKEN:
            what = "the close delimiter is followed by neither CRLF nor the end of the body (M18)"
            raise self._problem("multipart_syntax", what, end, rule="M18")
        return found, end

    def _whole_part(self) -> tuple[PartHead, memoryview, bool] | None:
        """Consume the next part if all of it is at hand and its header block is known, and with it the
        delimiter if nothing unusual follows it.

        Returns the head, the data, and whether the delimiter closes the body. This is a shorter way to what
        `_read_part_headers` and `_read_part_data` find, because most parts of a form are like this.
        """
        data, begin, limits = self._data, self._position, self._limits
        end = data.find(b"\r\n\r\n", begin, begin + limits.max_part_headers + 2)
        head = known_part_head(data[begin:end], limits) if end >= 0 and self._trace is None else None
        if head is None:
            return None
        # The CRLF of the empty line may belong to the delimiter (M34).
        start = data.find(self._delimiter.octets, end + 2)
        after = start + len(self._delimiter.octets)
        closes = data.startswith(b"--\r\n", after)
        if start < 0 or not (closes or data.startswith(CRLF, after)):
            return None
        self._count += 1
        self._position = after + 2
        return head, memoryview(data)[end + 4 : max(start, end + 4)], closes

    def _read_part_headers(self) -> Generator[PartEvent | Need, None, None]:
        """Parse a header block when it is complete. Leaves the CRLF of its empty line (M34)."""
        limit = self._limits.max_part_headers
        self._part = f"part {self._count}, "
        self._count += 1
        scanned = 0
        while True:
            window = self._data[self._position : self._position + limit + 2]
            if window.startswith(CRLF):
                what = "the part has no header fields (M35)"
                raise self._problem("part_headers_missing", what, self._position, rule="M35")
            end = window.find(b"\r\n\r\n", max(scanned - 3, 0))
            stop = len(window) if end < 0 else end + 1
            if bare := _BARE_LINE_END.search(window, max(scanned - 1, 0), stop):
                what, rule = "the header block has a bare CR or LF", _rule_of_bare(window, bare.start())
                raise self._problem("part_header_syntax", what, self._position + bare.start(), rule=rule)
            if end >= 0:
                break
            if len(window) == limit + 2:
                what = f"the header block has more than {limit} bytes"
                raise self._problem("part_headers_too_large", what, self._position, rule="M73")
            scanned = len(window)
            yield from self._more("M21" if window else "M20")
        head = self._parse_block(window[:end])
        self._report(Role.PART_FIELD, self._position, self._position + end + 2)
        self._position += end + 2
        self._part = f"part {self._count - 1} ({head.name!a}), "
        yield head

    def _parse_block(self, block: bytes) -> PartHead:
        try:
            return parse_part_headers(block, self._limits)
        except Problem as problem:
            offset = self._base + self._position
            if problem.fault is None:
                problem.fault = range(len(block) + len(CRLF))
            elif problem.rule == "M70" and block.startswith(
                self._delimiter.dash_boundary, problem.fault.start
            ):
                problem.rule = "M36"
            place = f"{self._part}header block at byte {offset} of the body"
            raise problem.behind(offset).at(place) from None

    def _read_part_data(self) -> Generator[PartEvent | Need, None, bool]:
        """Read the data of a part and its delimiter. Returns whether that closes the body."""
        begin = self._position + 2  # after the empty line, which may be part of the delimiter (M34)
        searched = self._position
        empty_line_reported = False
        while True:
            start = self._data.find(self._delimiter.octets, searched)
            if start < 0:
                found, end, start = Found.UNDECIDED, 0, self._delimiter.unfinished(self._data, searched)
            else:
                try:
                    found, end = self._what_follows(start + len(self._delimiter.octets))
                except Problem:
                    # The data before a fault come first, however they were split (M89).
                    yield PartData(memoryview(self._data)[begin : max(begin, start)])
                    raise
            if found is Found.NEITHER:
                searched = self._delimiter.next(self._data, start + len(self._delimiter.octets))
                continue
            if start >= begin and not empty_line_reported:
                self._report(Role.PART_FIELD, begin - 2, begin)
                empty_line_reported = True
            if start > begin:
                self._report(Role.PART_DATA, begin, start)
                yield PartData(memoryview(self._data)[begin:start])
                begin = start
            if found is not Found.UNDECIDED:
                closes = self._consume_delimiter(found, start, end)
                yield _PART_END
                return closes
            self._position = start
            skip = begin - start
            self._waits_in_data = not skip
            yield from self._more("M21")
            self._waits_in_data = False
            if self._plain:
                yield PartData(self._plain)
                self._plain = b""
            searched = self._position
            begin = self._position + skip

    def _read_epilogue(self) -> Generator[Need, None, None]:
        """Only empty lines may follow the close delimiter (M16, M17)."""
        lines = 0
        while True:
            line = self._data[self._position : self._position + len(CRLF)]
            if line == CRLF and lines < MAX_EMPTY_LINES:
                self._report(Role.EPILOGUE, self._position, self._position + len(CRLF))
                self._position += len(CRLF)
                lines += 1
            elif line and (self._ended or line != b"\r" or lines == MAX_EMPTY_LINES):
                what = f"only CRLF, at most {MAX_EMPTY_LINES} times, may follow the close delimiter"
                raise self._problem("multipart_epilogue", what, self._position, rule="M16")
            elif self._ended:
                return
            else:
                yield NEED_DATA
