"""A head as bytes, checked line by line as it arrives. WSGI hides these faults, gunicorn does not (T2)."""

import re
from typing import NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.remembered import MOST_OF_A_HEAD, KnownHeads
from ..contract.request import RequestHead
from .fields import check_expect, check_size, is_dropped, split_field_line
from .head import Fields, assemble
from .request_line import RequestLine, split_request_line

# A bare line feed is refused at once (R18, H5): the CRLF behind it may never come. A bare carriage return is
# checked with its line (R19, H4).
_BARE_LF = re.compile(rb"(?<!\r)\n")


class KnownHead(NamedTuple):
    """What was read of a head. Nobody changes the fields."""

    line: RequestLine
    raw_target: str
    fields: Fields
    head: RequestHead


class WireHead:
    """Call `feed` with bytes until it returns True.

    A line is checked when it is complete, so the problem does not depend on how the bytes were split. After a
    Problem was raised, the object must not be used any more.
    """

    def __init__(self, limits: Limits, known: KnownHeads[KnownHead] | None = None) -> None:
        """`known` are the heads of all connections with these limits."""
        self._known = known
        self.begun = False  # whether any byte has arrived
        self.line: RequestLine | None = None
        self.raw_target = ""
        self.fields: Fields = {}
        self.head: RequestHead | None = None
        self._limits = limits
        self._buffer = bytearray()
        self._begin = 0  # of the line at hand
        self._searched = 0
        self._may_skip = True
        self._kept = 0
        self._is_first = True  # the next field line

    @property
    def rest(self) -> bytes:
        """What came after the head."""
        return bytes(self._buffer)

    @property
    def request_line(self) -> tuple[str | None, str | None]:
        """The method and the target, or None twice until the line that has them was accepted."""
        return (None, None) if self.line is None else (self.line.method, self.line.target.origin)

    def feed(self, data: bytes) -> bool:
        """Parse bytes. Returns whether the head is complete. Raises the Problems of steps 1 to 5."""
        is_first, self.begun = not self.begun, True
        if is_first and self._take_known(data):
            return True
        self._buffer += data
        while self.head is None and (line := self._next_line()) is not None:
            self._take(line)
        # Parsed lines are dropped, so fields that are dropped and not counted cost no memory.
        del self._buffer[: self._begin]
        self._searched -= self._begin
        self._begin = 0
        if is_first and self.head is not None and self._known is not None:
            assert self.line is not None, "the head has one"
            known = KnownHead(self.line, self.raw_target, self.fields, self.head)
            self._known.add(data[: len(data) - len(self._buffer)], known)
        return self.head is not None

    def _take_known(self, data: bytes) -> bool:
        """Whether the data begin with a head that was accepted before."""
        end = data.find(b"\r\n\r\n", 0, MOST_OF_A_HEAD) + len(b"\r\n\r\n")
        known = None if self._known is None else self._known.find(data[:end])
        if known is None:
            return False
        self.line, self.raw_target, self.fields, self.head = known
        self._buffer += data[end:]
        return True

    def _next_line(self) -> str | None:
        """The next line without its CRLF, or None when it is not complete."""
        end = self._buffer.find(b"\r\n", self._searched)
        bare = _BARE_LF.search(self._buffer, self._searched, end if end >= 0 else len(self._buffer))
        if bare is not None:
            self._check_unfinished(bare.start() - self._begin)
            raise self._bare(self._text(bare.start()) + "\n")
        if end < 0:
            self._check_unfinished(len(self._buffer) - self._begin - self._buffer.endswith(b"\r"))
            # The LF of a CR at the very end may still come.
            self._searched = max(self._begin, len(self._buffer) - 1)
            return None
        line = self._text(end)
        self._begin = self._searched = end + 2
        return line

    def _text(self, end: int) -> str:
        return self._buffer[self._begin : end].decode("iso-8859-1")

    def _check_unfinished(self, size: int) -> None:
        if self.line is None and size > self._limits.max_request_line:
            raise Problem("uri_too_long", f"no end after {size} bytes of request line", rule="R41")
        if self.line is not None:
            check_size(size + 2, self._limits)

    def _bare(self, line: str) -> Problem:
        """The problem of a line with a bare CR, or with a bare LF at its end."""
        has_cr = "\r" in line
        if self.line is None:
            what, feed = (
                "a bare CR or LF in the request line (R17, R18, R19)",
                "R18" if line != "\n" else "R17",
            )
            return Problem("request_line", what, rule="R19" if has_cr else feed)
        rule = ("H6" if line.index("\r") == len(line) - 1 else "H4") if has_cr else "H5"
        return Problem("bad_header", "a bare CR or LF in a field line (H4, H5, H6)", rule=rule)

    def _take(self, line: str) -> None:
        if self.line is None:
            if not line and self._may_skip:
                self._may_skip = False  # exactly one empty line may come first (R16, R17)
                return
            self.line = split_request_line(line, self._limits)
            self.raw_target = line.split(" ")[1]
        elif line:
            self._take_field(line, self.line)
        else:
            self.head = assemble(self.line, self.fields)

    def _take_field(self, line: str, request_line: RequestLine) -> None:
        # The size is checked before the grammar: for a line that comes in pieces it may be all that is known.
        check_size(len(line) + 2, self._limits)
        if "\r" in line:
            raise self._bare(line)
        if self._kept == self._limits.max_fields:
            what = f"more than {self._limits.max_fields} fields (H29)"
            raise Problem("headers_too_large", what, rule="H29")
        name, value = self._split(line)
        if is_dropped(name):
            return
        if name == "expect" and not request_line.http_1_0:
            check_expect(value)
        if name in ("authorization", "content-type") and name in self.fields:
            rule = "H22" if name == "content-type" else "H23"
            raise Problem("bad_header", f"two lines of {name} (H22, H23)", rule=rule, field=name)
        self._kept += 1
        self.fields.setdefault(name, []).append(value)

    def _split(self, line: str) -> tuple[str, str]:
        try:
            return split_field_line(line)
        except Problem as problem:
            if problem.rule == "H1" and self._is_first:
                problem.rule = "H2"  # a fold with nothing before it
            raise
        finally:
            self._is_first = False
