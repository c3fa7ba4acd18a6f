"""Reads requests from the bytes that a client has sent. It reads what is well-formed and complete."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BOUNDARY = re.compile(rb'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was on the wire. `fields` are in order. `body` has no chunked coding.

    `wire` has all its bytes.
    """

    line: str
    fields: tuple[tuple[str, bytes], ...]
    body: bytes
    wire: bytes = b""

    @property
    def method(self) -> str:
        """The first word of the request line."""
        return self.line.partition(" ")[0]

    def field(self, name: str) -> bytes | None:
        """The value of the first field `name`; the case of its letters does not matter."""
        return next((value for each, value in self.fields if each.lower() == name.lower()), None)

    @property
    def boundary(self) -> bytes | None:
        """The boundary in its Content-Type."""
        found = _BOUNDARY.search(self.field("Content-Type") or b"")
        return found and (found[1] or found[2])


def is_whole(data: bytes) -> bool:
    """Whether the bytes are one or more requests to their end, so that a server has nothing to wait for."""
    try:
        return len(list(requests_in(data))) > 0
    except ValueError:
        return False


def requests_in(data: bytes) -> Iterator[Sent]:
    """The requests of one connection, in order. Raises ValueError at a malformed or incomplete one."""
    position = 0
    while position < len(data):
        begin = position
        head_end = data.find(_END_OF_HEAD, position)
        if head_end < 0:
            raise ValueError(f"the head of a request is not complete: {data[position : position + 80]!r}")
        line, *lines = data[position:head_end].split(b"\r\n")
        fields = tuple((name.decode("ascii"), value.strip(b" \t")) for name, _, value in map(_split, lines))
        head = Sent(line.decode("latin-1"), fields, b"")
        body, position = _body(data, head_end + len(_END_OF_HEAD), head)
        yield Sent(head.line, fields, body, data[begin:position])


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    return line.partition(b":")


def _body(data: bytes, start: int, head: Sent) -> tuple[bytes, int]:
    """The body, and where the next request begins (RFC 9112, section 6.3)."""
    if head.field("Transfer-Encoding") is None:
        end = start + int(head.field("Content-Length") or b"0")
        if not start <= end <= len(data):
            raise ValueError("the body of a request is not complete")
        return data[start:end], end
    body = bytearray()
    while True:
        line_end = data.index(b"\r\n", start)
        size = int(data[start:line_end].partition(b";")[0], 16)
        start = line_end + 2
        if size < 0 or start + size + 2 > len(data):
            raise ValueError("a chunk is not complete")
        if size == 0:
            return bytes(body), _end_of_trailers(data, start)
        body += data[start : start + size]
        start += size + 2


def _end_of_trailers(data: bytes, start: int) -> int:
    """The offset after the empty line. Raises ValueError without one."""
    while (end := data.index(b"\r\n", start)) > start:
        start = end + 2
    return end + 2
