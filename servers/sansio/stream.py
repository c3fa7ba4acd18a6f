"""How the parsers of this folder wait for bytes.

A parser is a generator. Its code reads the input from top to bottom, like the grammar, and takes the bytes
from an `Incoming`. If they do not suffice to decide what comes next, the parser yields NEED_DATA and stays
suspended in the middle of its work. So no parser has a variable for its state: the state is the line at which
it waits, and values that belong to one message or part are local variables.

    the parser                              the caller gets   and then
    line = yield from incoming.line(...)    NEED_DATA         calls incoming.feed(data), then next(parser)
    yield event                             the event         handles it, then calls next(parser)
    raise Problem(...)                      the Problem       refuses the request; the generator has ended
    return                                  StopIteration     expects nothing more

`feed(b"")` means that the peer has closed its side, because `recv` returns b"" then. A parser that waits for
more bytes gets the exception PeerClosed at this place, and only its caller knows what that means: before a
request it is a normal end, inside a body it is a fault.

The bytes may be split into reads in any way (M89). A parser decides only when all bytes that matter are
there, and each search goes on where the last one ended, so that small reads do not cost more than large ones.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum

from ..contract.problems import Problem


class Need(Enum):
    """What a parser yields to wait for more bytes."""

    DATA = "data"


NEED_DATA = Need.DATA


class Role(Enum):
    """The part of the grammar that bytes belong to, as a `Trace` gets it."""

    REQUEST_LINE = "request line"
    FIELD = "field"
    END_OF_HEAD = "end of head"
    CHUNK_SIZE = "chunk size"
    LAST_CHUNK = "last chunk"
    END_OF_CHUNK = "end of chunk"
    TRAILER = "trailer"
    END_OF_CHUNKS = "end of body"
    BODY = "body"
    PREAMBLE = "preamble"
    DELIMITER = "delimiter"
    PART_FIELD = "part header"
    PART_DATA = "part data"
    CLOSE_DELIMITER = "close delim."
    EPILOGUE = "epilogue"


Trace = Callable[[Role, bytes | memoryview], None]
"""Called with all bytes in the order in which they are consumed, line ends included.

A line is reported before it is checked, and bytes that cannot be a line are reported before the Problem is
raised. So when the reader of requests raises a Problem, the bytes reported last are its reason.
"""


# Neither of them ends a line alone (RFC 9112 2.2).
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class LineFaults:
    """With which codes, and by which rules, a kind of line is refused.

    `long` is for a line over its limit, `broken` for one with a bare CR or LF. Of the rules, `lf_alone` is
    for a bare LF with nothing before it, `cr_cr_lf` for a bare CR before the line's CRLF.
    """

    long: str
    long_rule: str
    broken: str
    bare_lf: str
    bare_cr: str
    lf_alone: str
    cr_cr_lf: str

    def rule_of_break(self, line: bytes, at: int) -> str:
        """The rule that forbids the bare CR or LF at this offset. `line` has its LF."""
        if line[at : at + 1] == b"\n":
            return self.bare_lf if at else self.lf_alone
        return self.cr_cr_lf if line[at:] == b"\r\r\n" else self.bare_cr


class PeerClosed(Exception):
    """The peer has closed its side while a parser waits for more bytes."""


class Incoming:
    """The bytes that have arrived and are not consumed yet."""

    def __init__(self, trace: Trace | None = None) -> None:
        self.trace = trace
        self._offset_of_data = 0  # how many bytes came before `_data`
        self._data: bytes = b""
        self._position = 0
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Append `data`; b"" means that the peer has closed its side."""
        if not data:
            self._ended = True
        elif self._position == len(self._data):
            self._offset_of_data += len(self._data)
            self._data, self._position = data, 0
        else:
            self._offset_of_data += self._position
            self._data, self._position = self._data[self._position :] + data, 0

    def __len__(self) -> int:
        return len(self._data) - self._position

    @property
    def offset(self) -> int:
        """How many bytes have been consumed."""
        return self._offset_of_data + self._position

    def more(self) -> Generator[Need, None, None]:
        """Wait for more bytes. Raises PeerClosed if the peer has closed its side."""
        if self._ended:
            raise PeerClosed
        yield NEED_DATA

    def at_least(self, count: int) -> Generator[Need, None, None]:
        """Wait until there are `count` bytes or more. Raises PeerClosed."""
        while len(self) < count:
            yield from self.more()

    def startswith(self, prefix: bytes) -> bool:
        """Whether the bytes that come next begin with `prefix`."""
        return self._data.startswith(prefix, self._position)

    def take(self, limit: int, role: Role = Role.BODY) -> memoryview:
        """Consume the bytes that are there, at most `limit`, without copying them."""
        end = min(len(self._data), self._position + limit)
        view = memoryview(self._data)[self._position : end]
        self._position = end
        if self.trace is not None:
            self.trace(role, view)
        return view

    def until_empty_line(self, limit: int) -> bytes:
        """What comes next, up to an empty line and with it; b"" if that is not within `limit` bytes."""
        end = self._data.find(b"\r\n\r\n", self._position, self._position + limit)
        return b"" if end < 0 else self._data[self._position : end + 4]

    def since(self, offset: int) -> bytes:
        """What was consumed from this offset on; b"" if it came in several reads."""
        begin = offset - self._offset_of_data
        return b"" if begin < 0 else self._data[begin : self._position]

    def skip(self, size: int) -> None:
        """Consume bytes whose meaning is known. The trace does not get them."""
        self._position += size

    def whole_lines(self, limit: int) -> list[bytes] | None:
        """The lines up to the next empty line, without their CRLF. Consumes nothing.

        None if they have not all arrived, or if one of them is no line of at most `limit` bytes: `line` then
        says why. None too if the empty line comes first.
        """
        end = self._data.find(b"\r\n\r\n", self._position)
        if end < 0 or self.startswith(b"\r\n"):
            return None
        block = self._data[self._position : end]
        lines = block.split(b"\r\n")
        ends = len(lines) - 1
        if block.count(b"\r") > ends or block.count(b"\n") > ends or len(max(lines, key=len)) > limit:
            return None
        return lines

    def take_line(self, role: Role, line: bytes) -> None:
        """Consume a line of `whole_lines`, or the empty line behind them."""
        self._position += len(line) + 2
        if self.trace is not None:
            self.trace(role, line + b"\r\n")

    def line(self, role: Role, limit: int, faults: LineFaults) -> Generator[Need, None, bytes]:
        """Consume a line of at most `limit` bytes and return it without its CRLF.

        Raises Problem as soon as the line must be longer, or has a bare LF or CR, which do not end a line
        (RFC 9112 2.2; R18, R19, H4, H5, B35). Raises PeerClosed.
        """
        scanned = 0
        while True:
            end = self._data.find(b"\n", self._position + scanned, self._position + limit + 2)
            if end >= 0:
                break
            scanned = len(self)
            # The byte after the limit may be the CR of the CRLF.
            if scanned > limit and (scanned > limit + 1 or self._data[-1:] != b"\r"):
                raise self._too_long(role, limit + 2, limit, faults)
            yield from self.more()
        line = self._data[self._position : end]
        if line[-1:] != b"\r":
            if len(line) > limit:
                raise self._too_long(role, len(line) + 1, limit, faults)
            raise self._broken(role, line + b"\n", "LF", faults)
        if line.find(b"\r", 0, -1) >= 0:
            raise self._broken(role, line + b"\n", "CR", faults)
        self._position = end + 1
        if self.trace is not None:
            self.trace(role, line + b"\n")
        return line[:-1]

    def _too_long(self, role: Role, size: int, limit: int, faults: LineFaults) -> Problem:
        # The byte after the limit may be the CR that ends the line.
        at = limit + self._data.startswith(b"\r", self._position + limit)
        detail = f"the {role.value} is too long"
        return self.refused(role, size, Problem(faults.long, detail, rule=faults.long_rule, offset=at))

    def _broken(self, role: Role, line: bytes, what: str, faults: LineFaults) -> Problem:
        bare = _BARE.search(line)
        assert bare is not None, "the line has one"
        detail, rule = f"the {role.value} has a bare {what}", faults.rule_of_break(line, bare.start())
        return self.refused(role, len(line), Problem(faults.broken, detail, rule=rule, offset=bare.start()))

    def refused(self, role: Role, size: int, problem: Problem) -> Problem:
        """The Problem of the next `size` bytes, in which it has its place. They are not consumed."""
        if self.trace is not None:
            self.trace(role, self._data[self._position : self._position + size])
        return problem.behind(self.offset)
