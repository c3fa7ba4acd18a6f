"""The bytes of a connection, and the steps by which a generator reads them as the grammar reads.

A parser is a generator: it yields NEED_DATA when it can go no further, else events. It reads top-down like
the grammar, and what belongs to one part is local to it.
"""

from collections.abc import Callable, Generator
from enum import Enum

from ..contract.problems import Problem


class Need(Enum):
    """What a parser yields when the bytes at hand do not decide what comes next."""

    DATA = "data"


NEED_DATA = Need.DATA


class Role(Enum):
    """What consumed bytes are: told to a `Trace`, for those who want to see how a request was read."""

    REQUEST_LINE = "request line"
    FIELD = "field"
    END_OF_HEAD = "end of head"
    CHUNK_SIZE = "chunk size"
    END_OF_CHUNK = "end of chunk"
    TRAILER = "trailer"
    END_OF_CHUNKS = "end of chunks"
    BODY = "body"
    PREAMBLE = "preamble"
    DELIMITER = "delimiter"
    PART_FIELD = "part header"
    PART_DATA = "part data"
    CLOSE_DELIMITER = "close delim."
    EPILOGUE = "epilogue"


Trace = Callable[[Role, bytes | memoryview], None]
"""Called with all bytes in the order in which they are consumed, with their line ends."""


class PeerClosed(Exception):
    """The peer has ended its side in the middle of what was to be read."""


class Incoming:
    """Bytes that arrived and were not consumed yet. Nothing is searched twice, little is copied."""

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace
        self._data: bytes = b""
        self._position = 0
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Append `data`; b"" says that the peer has ended its side, as `recv` says it."""
        if not data:
            self._ended = True
        elif self._position == len(self._data):
            self._data, self._position = data, 0
        else:
            self._data, self._position = self._data[self._position :] + data, 0

    def __len__(self) -> int:
        return len(self._data) - self._position

    @property
    def at_end(self) -> bool:
        """Whether the peer has ended its side and nothing is left."""
        return self._ended and not self

    def more(self) -> Generator[Need, None, None]:
        """Wait for more bytes. Raises PeerClosed when none will come."""
        if self._ended:
            raise PeerClosed
        yield NEED_DATA

    def at_least(self, count: int) -> Generator[Need, None, None]:
        """Wait until `count` bytes are at hand."""
        while len(self) < count:
            yield from self.more()

    def startswith(self, prefix: bytes) -> bool:
        return self._data.startswith(prefix, self._position)

    def take(self, limit: int, role: Role = Role.BODY) -> memoryview:
        """All bytes at hand, at most `limit`, without a copy; valid for as long as it is held."""
        end = min(len(self._data), self._position + limit)
        view = memoryview(self._data)[self._position : end]
        self._position = end
        if self._trace is not None:
            self._trace(role, view)
        return view

    def line(
        self, role: Role, limit: int, too_long: Callable[[], Problem], broken: Callable[[str], Problem]
    ) -> Generator[Need, None, bytes]:
        """The next line without its CRLF, of at most `limit` bytes.

        A bare LF or a bare CR is never a line end (RFC 9112 2.2; R18, R19, H4, H5, B35): `broken` makes
        its problem; `too_long` that of a longer line, raised as soon as it is certain.
        """
        scanned = 0
        while True:
            end = self._data.find(b"\n", self._position + scanned, self._position + limit + 2)
            if end >= 0:
                break
            scanned = len(self)
            # One byte more than the limit may still be the CR of the line's end.
            if scanned > limit and (scanned > limit + 1 or self._data[-1:] != b"\r"):
                raise too_long()
            yield from self.more()
        line = self._data[self._position : end]
        if line[-1:] != b"\r":
            raise too_long() if len(line) > limit else broken("a bare LF")
        if line.find(b"\r", 0, -1) >= 0:
            raise broken("a bare CR")
        self._position = end + 1
        if self._trace is not None:
            self._trace(role, line + b"\n")
        return line[:-1]
