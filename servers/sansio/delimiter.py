"""Where a body of multipart/form-data has its delimiters (RFC 2046 5.1.1).

What follows CRLF `--boundary` decides what it is:

    up to 64 blanks and CRLF                               a delimiter (M30)
    `--`, up to 64 blanks, then CRLF or the end            a close delimiter (M18)
    `--`, up to 64 blanks, then any other byte             a close delimiter that is broken (M18)
    the beginning of one of these                          undecided: wait for more bytes
    anything else                                          no delimiter: in a part, data (M27 to M30)
"""

import re
from enum import Enum, auto

from ..contract.limits import MAX_PADDING

CRLF = b"\r\n"
_WHAT_FOLLOWS = rb"(?:--[ \t]{0,%d}+(?![ \t])|[ \t]{0,%d}\r\n)" % (MAX_PADDING, MAX_PADDING)


class Found(Enum):
    """What CRLF `--boundary` is, by the bytes that follow it."""

    CLOSE_DELIMITER = auto()
    DELIMITER = auto()
    BROKEN = auto()
    NEITHER = auto()
    UNDECIDED = auto()


def what_follows(data: bytes, position: int, *, ended: bool) -> tuple[Found, int]:
    """What the `--boundary` that ends at `position` is, and where the delimiter or the fault is.

    `ended` says whether the body ends with `data`.
    """
    closes = data.startswith(b"--", position)
    begin = end = position + 2 * closes
    while data[end : end + 1] in (b" ", b"\t") and end - begin <= MAX_PADDING:
        end += 1
    if end - begin > MAX_PADDING:
        return Found.NEITHER, position
    rest = data[end : end + len(CRLF)]
    if rest == CRLF:
        return (Found.CLOSE_DELIMITER, end) if closes else (Found.DELIMITER, end + len(CRLF))
    undecided = rest in (b"", b"\r") or (rest == b"-" and end == position)
    if not closes:
        return (Found.UNDECIDED if undecided else Found.NEITHER), position
    if ended and not rest:
        return Found.CLOSE_DELIMITER, end
    if ended or not undecided:
        return Found.BROKEN, end
    return Found.UNDECIDED, position


class Delimiter:
    """The delimiter of one body: `octets` is CRLF `--boundary`, and `dash_boundary` the same without CRLF."""

    def __init__(self, boundary: bytes) -> None:
        self.dash_boundary = b"--" + boundary
        self.octets = CRLF + self.dash_boundary
        self._whole: re.Pattern[bytes] | None = None

    def next(self, data: bytes, searched: int) -> int:
        """Where to search on behind one that is none. One call skips all of these: many cost little."""
        if self._whole is None:  # few bodies need it, and to compile it takes longer than the rest
            self._whole = re.compile(re.escape(self.octets) + _WHAT_FOLLOWS)
        match = self._whole.search(data, searched)
        if match is not None:
            return match.start()
        # Only the last one can be undecided, and then nothing but blanks and a CR follows it.
        tail = len(data) - len(self.octets) - MAX_PADDING - 2
        return max(searched, tail)

    def unfinished(self, data: bytes, searched: int) -> int:
        """Where one may begin that has not arrived completely, else the end of `data`."""
        cr = data.find(b"\r", max(len(data) - len(self.octets) + 1, searched))
        while cr >= 0 and not self.octets.startswith(data[cr:]):
            cr = data.find(b"\r", cr + 1)
        return cr if cr >= 0 else len(data)
