"""Makes a request smaller while it shows the same difference: lines first, then bytes (delta debugging)."""

import re
from collections.abc import Callable

from .mutations import has_length_of, with_length

Shows = Callable[[bytes], bool]
"""Whether a request shows the same difference as the first one."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")
_LENGTH = b"content-length:"
_CODING = re.compile(rb"^transfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)


def shrink(request: bytes, shows: Shows, *, attempts: int = 1500, whole_lines: bool = False) -> bytes:
    """The smallest request found within `attempts` calls of `shows`, which must be true for `request`.

    A correct Content-Length is kept correct. If the attempts suffice, no single line and no single byte of
    the result can be left out. With `whole_lines` only whole lines of the head are left out, and chunks stay
    as they are.
    """
    lines = _head_lines(request) if whole_lines else None
    return _Shrinker(shows, attempts, consistent=has_length_of(request), lines=lines).run(request)


class _Shrinker:
    def __init__(self, shows: Shows, attempts: int, *, consistent: bool, lines: list[bytes] | None) -> None:
        self._shows = shows
        self._lines = lines
        self._left = attempts
        self._consistent = consistent
        self._tried: set[bytes] = set()

    def run(self, request: bytes) -> bytes:
        request = self._without_chunks(request)
        while True:
            smaller = self._by(request, re.compile(rb"[^\n]*\n|[^\n]+"))
            smaller = self._by(smaller, re.compile(rb"[0-9A-Za-z]+|[ \t]+|.", re.DOTALL))
            smaller = self._by(smaller, re.compile(rb".", re.DOTALL))
            smaller = self._simpler(smaller)
            if len(smaller) >= len(request) or self._left <= 0:
                return smaller
            request = smaller

    def _by(self, request: bytes, unit: re.Pattern[bytes]) -> bytes:
        """Leave out runs of units, long runs first."""
        units = unit.findall(request)
        size = len(units) // 2
        while size >= 1 and self._left > 0:
            position = 0
            while position < len(units) and self._left > 0:
                rest = units[:position] + units[position + size :]
                found = self._try(b"".join(rest))
                if found is None:
                    position += size
                else:
                    # Its Content-Length may have changed.
                    units = unit.findall(found)
            size //= 2
        return b"".join(units)

    def _simpler(self, request: bytes) -> bytes:
        """Replace words by `a` and other bytes by 0xFF where that shows the same: the rest stands out."""
        for pattern, plain in ((rb"[b-zB-Z]{3,}", b"a"), (rb"[\x80-\xff]+", b"\xff")):
            position = 0
            while self._left > 0 and (match := re.compile(pattern).search(request, position)):
                found = self._try(request[: match.start()] + plain + request[match.end() :])
                position = match.start() + 1 if found is not None else match.end()
                request = found if found is not None else request
        return request

    def _without_chunks(self, request: bytes) -> bytes:
        """The same body with a Content-Length, if that shows the same."""
        head, blank, body = request.partition(b"\r\n\r\n")
        data = _decoded(body)
        if data is None or not _CODING.search(head + b"\r\n"):
            return request
        length = b"Content-Length: %d\r\n" % len(data)
        plain = _CODING.sub(length, head + b"\r\n", count=1).removesuffix(b"\r\n") + blank + data
        found = self._try(plain)
        if found is None:
            return request
        self._consistent = True
        return found

    def _try(self, candidate: bytes) -> bytes | None:
        """The candidate with a correct length if it shows the same, or None."""
        if self._consistent and not has_length_of(candidate):
            candidate = with_length(candidate)
        if candidate in self._tried or self._left <= 0 or not self._allows(candidate):
            return None
        self._tried.add(candidate)
        self._left -= 1
        return candidate if self._shows(candidate) else None

    def _allows(self, candidate: bytes) -> bool:
        if self._lines is None:
            return True
        head, blank, body = candidate.partition(b"\r\n\r\n")
        lines = _head_lines(candidate)
        if _CODING.search(head + b"\r\n") and body != self._lines[-1]:
            return False
        unknown = [
            line for line in lines[:-1] if line not in self._lines and not line.lower().startswith(_LENGTH)
        ]
        return bool(blank) and not unknown and lines[0] == self._lines[0]


def _head_lines(request: bytes) -> list[bytes]:
    """The lines of the head, and the body as the last entry."""
    head, _, body = request.partition(b"\r\n\r\n")
    return [*head.split(b"\r\n"), body]


def _decoded(body: bytes) -> bytes | None:
    """The data of the chunks, which are not validated; None if they do not end."""
    data, position = b"", 0
    while match := _CHUNK.match(body, position):
        size = int(match[1], 16)
        if size == 0:
            return data
        data += body[match.end() : match.end() + size]
        position = match.end() + size + 2
    return None
