"""Where the parts of a multipart body begin and end (RFC 2046 5.1.1), whatever pieces it comes in (M89).

A delimiter is CRLF, `--boundary`, at most 64 blanks and CRLF; the close delimiter CRLF, `--boundary--`. All
else that begins like one is data (M27 to M31). The CRLF of the empty line that ends a header block may be
that of the next delimiter, too: such a part is empty (M34).
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from .characters import OWS

_MAX_PADDING = 64
_CRLF = b"\r\n"
# A CR that nothing follows yet may still be half of a line end.
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


class Delimiter(NamedTuple):
    """A part begins here, and the one before it ends."""


class Close(NamedTuple):
    """The last part ends here."""


class Block(NamedTuple):
    """The header block of a part: its lines, unfolded, without their CRLF."""

    lines: list[bytes]


class Data(NamedTuple):
    """Bytes of a part; `plain` when nothing in it begins like a delimiter, up to its very end."""

    data: bytes
    plain: bool


Span = Delimiter | Close | Block | Data


class Delimiters:
    """Takes pieces, gives spans. Holds one preamble, one header block or one begun delimiter at most."""

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        self._mark = _CRLF + b"--" + boundary
        self._whole = re.compile(rb"%s(?:--|[ \t]{0,%d}\r\n)" % (re.escape(self._mark), _MAX_PADDING))
        self._limits = limits
        # As if a CRLF had come before the body: the first delimiter may do without its own.
        self._buffer = bytearray(_CRLF)
        self._searched = 0
        self._lines: list[bytes] = []
        self._block_size = 0
        self._undue = 0  # bytes at the start of the buffer that are no data, whatever follows
        self._step: Callable[[], Span | None] = self._skip_preamble

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Span]:
        """The spans that `data` completes. Raises Problem `multipart_*` or `part_header*`."""
        self._buffer += data
        while (span := self._step()) is not None:
            yield span

    def finish(self) -> None:
        """Raises Problem `multipart_truncated` when the close delimiter has not come."""
        if self._step != self._skip_epilogue:
            raise Problem("multipart_truncated", "the body has no close delimiter")

    def _skip_preamble(self) -> Span | None:
        dash_boundary = self._mark[len(_CRLF) :]
        found = self._buffer.find(dash_boundary, self._searched)
        known = found - len(_CRLF) if found >= 0 else len(self._buffer) - len(self._mark) + 1
        if known - len(_CRLF) > self._limits.max_preamble:
            raise Problem("multipart_preamble", f"it is longer than {self._limits.max_preamble} bytes")
        if found < 0:
            self._searched = max(0, len(self._buffer) - len(dash_boundary) + 1)
            return None
        self._searched = found
        nature, end = self._judge(found + len(dash_boundary))
        if nature == "data" or not self._buffer.startswith(_CRLF, found - len(_CRLF)):
            raise Problem("multipart_preamble", "the boundary stands where no delimiter is (M13, M15)")
        return self._pass_delimiter(nature, end)

    def _judge(self, at: int) -> tuple[Literal["delimiter", "close", "data", "open"], int]:
        """What `--boundary`, ending at `at`, belongs to, and the end of that; `open` until it is known."""
        follows = bytes(self._buffer[at : at + _MAX_PADDING + len(_CRLF)])
        if follows.startswith(b"--"):
            return "close", at + 2
        padding = len(follows) - len(follows.lstrip(OWS))
        line_end = follows[padding : padding + len(_CRLF)]
        if padding > _MAX_PADDING or not (_CRLF.startswith(line_end) or follows == b"-"):
            return "data", at
        if line_end == _CRLF:
            return "delimiter", at + padding + len(_CRLF)
        return "open", at

    def _pass_delimiter(self, nature: str, end: int) -> Span | None:
        if nature == "open":
            return None
        del self._buffer[:end]
        self._searched = 0
        if nature == "close":
            self._step = self._skip_epilogue
            return Close()
        self._step = self._read_block
        return Delimiter()

    def _read_block(self) -> Span | None:
        """A line at a time; the block is judged when its empty line has come."""
        while match := _LINE_END.search(self._buffer, self._searched):
            line = bytes(self._buffer[: match.start()])
            if match[0] != _CRLF:
                self._check_block(self._block_size + match.end())
                raise Problem("part_header_syntax", "a bare CR or LF in a header block (M26, M71)")
            self._searched = 0
            if not line:
                return self._end_block()
            self._block_size += match.end()
            self._check_block(self._block_size)
            self._lines.append(line)
            del self._buffer[: match.end()]
        if self._buffer.rstrip(b"\r"):  # no empty line, whatever comes
            self._check_block(self._block_size + len(self._buffer) + 1)
        self._searched = max(0, len(self._buffer) - 1)
        return None

    def _check_block(self, size: int) -> None:
        limit = self._limits.max_part_headers
        if size > limit:
            raise Problem("part_headers_too_large", f"a header block is larger than {limit} bytes (M73)")

    def _end_block(self) -> Block:
        lines, self._lines, self._block_size = self._lines, [], 0
        self._undue = len(_CRLF)
        self._step = self._read_data
        if not lines:
            raise Problem("part_headers_missing", "a part begins with an empty line (M35)")
        return Block(_unfold(lines))

    def _read_data(self) -> Span | None:
        found = self._buffer.find(self._mark)
        if found < 0:
            return self._take_data(len(self._buffer) - self._begun(self._buffer))
        nature, end = self._judge(found + len(self._mark))
        if nature == "data":
            return self._take_data(self._behind_lookalikes(found + len(self._mark)), plain=False)
        return self._take_data(found) or self._pass_delimiter(nature, end)

    def _take_data(self, end: int, *, plain: bool = True) -> Data | None:
        """The data before `end`, if there are any."""
        data = bytes(self._buffer[self._undue : end])
        if not data:
            return None
        del self._buffer[:end]
        self._undue = 0
        return Data(data, plain and not self._begun(data))

    def _begun(self, data: bytes | bytearray) -> int:
        """How many bytes at the end may begin a delimiter: its only CR is its first byte."""
        begin = data.rfind(b"\r", max(0, len(data) - len(self._mark) + 1))
        return len(data) - begin if begin >= 0 and self._mark.startswith(data[begin:]) else 0

    def _behind_lookalikes(self, searched: int) -> int:
        """Where data end that hold a lookalike: many of them are passed in one go."""
        whole = self._whole.search(self._buffer, searched)
        if whole is not None:
            return whole.start()
        # Here the next delimiter may have begun.
        return max(searched, len(self._buffer) - len(self._mark) - _MAX_PADDING - len(_CRLF))

    def _skip_epilogue(self) -> None:
        """Ignored, however long, but for the boundary (M16, M17)."""
        dash_boundary = self._mark[len(_CRLF) :]
        if dash_boundary in self._buffer:
            raise Problem("multipart_epilogue", "the boundary stands after the close delimiter")
        del self._buffer[: 1 - len(dash_boundary)]


def _unfold(lines: list[bytes]) -> list[bytes]:
    """Each continuation joined to its line by one space (M68)."""
    unfolded: list[bytes] = []
    for line in lines:
        bare = line.lstrip(OWS)
        if bare == line:
            unfolded.append(line)
            continue
        if not unfolded:
            raise Problem("part_header_syntax", "a header block begins with a continuation (M69)")
        unfolded[-1] = unfolded[-1].rstrip(OWS) + b" " + bare
    return unfolded
