"""Chunked framing, decoded while it is read (RFC 9112 7.1): B26 to B36.

The result of gunicorn's reader depends on how extensions are split into reads (B27). Werkzeug's reader
accepts `+3` and a bare LF, and can be made to allocate without end (B33). Both servers use this one instead.
"""

import re
from collections.abc import Callable

from ..contract.limits import MAX_CHUNK_SIZE_DIGITS, Limits
from ..contract.problems import Problem
from .abnf import QUOTED_STRING, TCHAR
from .fields import split_field_line

# chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) (RFC 9112 7.1.1)
_VALUE = rf"(?:[{TCHAR}]+|{QUOTED_STRING})"
_SIZE_LINE = re.compile(rf"(?P<size>[0-9A-Fa-f]+)(?:[ \t]*;[ \t]*[{TCHAR}]+(?:[ \t]*=[ \t]*{_VALUE})?)*")
# A number with a blank, a sign, a prefix or an underscore, as int() accepts them.
_LIKE_A_NUMBER = re.compile(r"[ \t+]|0[xX]|[0-9A-Fa-f]+(?:_|[ \t]+(?:[^ \t;]|\Z))")
_EXTENDED = re.compile(r"[0-9A-Fa-f]+[^;]*;", re.DOTALL)
# A bare LF is refused at once: the CRLF behind it may never come (B35).
_BARE_LF = re.compile(rb"(?<!\r)\n")
_CRLF = b"\r\n"
# Fields that change framing, routing or authentication after the fact (RFC 9110 6.5.1, B29).
_FORBIDDEN = frozenset({"host", "content-length", "transfer-encoding", "trailer", "authorization", "te"})
_READ = 65536


class ChunkedStream:
    """The decoded bytes of a chunked body. `source(n)` returns 1 to n raw bytes, or `b""` at the end.

    Raises Problem `bad_chunk`, `body_truncated`, `body_too_large` or `request_timeout`, and whatever `source`
    raises.
    """

    def __init__(
        self,
        source: Callable[[int], bytes],
        limits: Limits,
        *,
        has_type: bool,
        check_rate: Callable[[int], None],
    ) -> None:
        """`has_type`: the head has a Content-Type, so a Content-Type in the trailers is a duplicate.

        `check_rate` is called after each read from `source`, with the number of decoded bytes so far. It
        raises Problem `request_timeout` when the client is too slow.
        """
        self.ended = False
        self._problem: Problem | None = None
        self._seen = {"content-type"} if has_type else set()
        self._source = source
        self._limits = limits
        self._check_rate = check_rate
        self._raw = bytearray()  # read and not yet consumed
        self._left = 0  # of the chunk at hand
        self._total = 0
        self._in_chunk = False

    @property
    def rest(self) -> bytes:
        """The bytes after the body that were already read. Valid when `ended`."""
        return bytes(self._raw)

    def read(self, size: int) -> bytes:
        """1 to `size` decoded bytes, or `b""` when the last chunk and the trailers are read."""
        out = bytearray()
        try:
            while self._has_more(out, size):
                if self._left:
                    self._copy(out, size - len(out))
                else:
                    self._begin_chunk()
        except Problem as problem:
            self._problem = problem.at(f"after {self._total - self._left} bytes of the body")
        # What came before a fault is returned first, however the bytes were split.
        if self._problem is not None and not out:
            raise self._problem
        return bytes(out)

    def _has_more(self, out: bytearray, size: int) -> bool:
        """Whether to go on. Decoded bytes are returned before more raw bytes are waited for."""
        if self.ended or self._problem is not None or len(out) >= size:
            return False
        return not out or (bool(self._raw) if self._left else self._has_line())

    def _copy(self, out: bytearray, room: int) -> None:
        count = min(self._left, room)
        if self._raw:
            piece: bytes | bytearray = self._raw[:count]
            del self._raw[:count]
        else:
            piece = self._receive(count)
        out += piece
        self._left -= len(piece)

    def _receive(self, size: int) -> bytes:
        data = self._source(size)
        if not data:
            raise Problem("body_truncated", "the connection ended before the body did", rule="B36")
        self._check_rate(self._total - self._left)
        return data

    def _has_line(self) -> bool:
        return self._raw.find(_CRLF, len(_CRLF)) >= 0

    def _begin_chunk(self) -> None:
        """Read the end of the last chunk and the size line of the next one (B30 to B35)."""
        if self._in_chunk:
            self._end_chunk()
        line = self._line(self._limits.max_chunk_line, "B27")
        match = _SIZE_LINE.fullmatch(line)
        if match is None or len(match["size"]) > MAX_CHUNK_SIZE_DIGITS:
            rule = _which_size(line) if match is None else "B33"
            raise Problem("bad_chunk", f"the chunk-size line {line[:40]!a} is malformed", rule=rule)
        self._left = int(match["size"], 16)
        self._total += self._left
        if self._total > self._limits.max_body:
            what = f"a body may have at most {self._limits.max_body} bytes"
            raise Problem("body_too_large", what, rule="B33")
        self._in_chunk = self._left > 0
        if not self._in_chunk:
            self._read_trailers()
            self.ended = True

    def _end_chunk(self) -> None:
        while len(self._raw) < len(_CRLF) and _CRLF.startswith(self._raw):
            self._raw += self._receive(_READ)
        # The bytes are compared, not skipped by count (GHSA-vqfr-h8mv-ghfj of h11).
        if self._raw[:2] != _CRLF:
            what = f"{bytes(self._raw[:2])!r} is where the CRLF of a chunk must be (B34)"
            raise Problem("bad_chunk", what, rule="B34")
        del self._raw[:2]

    def _line(self, limit: int, rule: str) -> str:
        """The next line without its CRLF. `rule` is the one that it must follow."""
        searched = 0
        while True:
            end = self._raw.find(_CRLF, searched)
            bare = _BARE_LF.search(self._raw, searched, end if end >= 0 else len(self._raw))
            size = end if end >= 0 else len(self._raw) - self._raw.endswith(b"\r")
            if (bare.start() if bare else size) > limit:
                what = f"a line of chunked framing has more than {limit} bytes (B27)"
                raise Problem("bad_chunk", what, rule=rule)
            if bare:
                what, has_cr = (
                    "a bare LF ends a line of chunked framing (B35)",
                    b"\r" in self._raw[: bare.start()],
                )
                raise Problem("bad_chunk", what, rule=rule if has_cr else "B35")
            if end >= 0:
                break
            searched = max(0, len(self._raw) - 1)
            self._raw += self._receive(_READ)
        line = self._raw[:end].decode("iso-8859-1")
        del self._raw[: end + 2]
        return line

    def _read_trailers(self) -> None:
        """Check the trailer fields and drop them (B28, B29)."""
        count = 0
        while line := self._line(self._limits.max_field_line - len(_CRLF), "B29"):
            if count == self._limits.max_trailers:
                raise Problem("bad_chunk", f"more than {self._limits.max_trailers} trailers", rule="B29")
            name = self._trailer_name(line)
            count += "_" not in name  # as in a head (H29)
            if name in _FORBIDDEN or (name == "content-type" and name in self._seen):
                raise Problem("bad_chunk", f"{name} must not be a trailer (B29)", rule="B29")
            self._seen.add(name)

    def _trailer_name(self, line: str) -> str:
        try:
            return split_field_line(line)[0]
        except Problem as problem:
            what = f"a trailer is malformed: {problem.detail}"
            raise Problem("bad_chunk", what, rule="B29") from None


def _which_size(line: str) -> str:
    """The rule about a chunk-size line that does not follow the grammar."""
    if "\r" in line:
        return "B27"
    if _LIKE_A_NUMBER.match(line):
        return "B30"
    return "B27" if _EXTENDED.match(line) else "B31"
