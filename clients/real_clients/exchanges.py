"""Reads the requests and responses from the bytes of a recorded connection."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..http1.response_parser import Response, read_responses
from .recorder import Conversation

_BOUNDARY = re.compile(rb'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_UNSAFE = ("POST", "PUT")


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


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its final response, and how many 1xx responses the connection had."""

    sent: Sent
    response: Response
    continues: int

    @property
    def description(self) -> Any:
        """The JSON of the response."""
        return self.response.json()

    def comparable(self) -> tuple[int, bytes]:
        """Status and body. The boundary, which is random, is replaced by a fixed word."""
        boundary = self.sent.boundary
        body = self.response.body
        return self.response.status, body.replace(boundary, b"BOUNDARY") if boundary else body


def uploads(conversations: Sequence[Conversation]) -> list[Exchange]:
    """The exchanges that upload something, in order. Other requests of a browser are left out.

    Raises ValueError when a request has no response.
    """
    exchanges = [exchange for each in conversations for exchange in _exchanges(each)]
    return [exchange for exchange in exchanges if exchange.sent.method in _UNSAFE]


def _exchanges(conversation: Conversation) -> list[Exchange]:
    requests = list(requests_in(bytes(conversation.sent)))
    if not requests:
        return []
    methods = tuple(request.method.encode() for request in requests)
    responses = read_responses(bytes(conversation.received), methods, ended=True)
    if len(responses.complete) != len(requests):
        raise ValueError(
            f"{len(requests)} requests have {len(responses.complete)} responses: {responses.unfinished}"
        )
    pairs = zip(requests, responses.complete, strict=True)
    return [Exchange(request, response, responses.continues) for request, response in pairs]


def requests_in(data: bytes) -> Iterator[Sent]:
    """The requests of one connection, in order. Raises ValueError at a malformed or incomplete one."""
    position = 0
    while position < len(data):
        begin = position
        head_end = data.find(b"\r\n\r\n", position)
        if head_end < 0:
            raise ValueError(f"the head of a request is not complete: {data[position : position + 80]!r}")
        line, *lines = data[position:head_end].split(b"\r\n")
        fields = tuple((name.decode("ascii"), value.strip(b" \t")) for name, _, value in map(_split, lines))
        head = Sent(line.decode("latin-1"), fields, b"")
        body, position = _body(data, head_end + 4, head)
        yield Sent(head.line, fields, body, data[begin:position])


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    return line.partition(b":")


def _body(data: bytes, start: int, head: Sent) -> tuple[bytes, int]:
    """The body, and where the next request begins (RFC 9112, section 6.3)."""
    if head.field("Transfer-Encoding") is None:
        end = start + int(head.field("Content-Length") or b"0")
        if end > len(data):
            raise ValueError("the body of a request is not complete")
        return data[start:end], end
    body = bytearray()
    while True:
        line_end = data.index(b"\r\n", start)
        size = int(data[start:line_end].partition(b";")[0], 16)
        start = line_end + 2
        if size == 0:
            return bytes(body), data.index(b"\r\n", start) + 2
        body += data[start : start + size]
        start += size + 2
