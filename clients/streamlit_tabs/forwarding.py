"""Sends files and fields to servers, keeps the bytes that were sent, and says whether the answers agree."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from ..comparison.equality import first_difference
from ..comparison.projection import Projection
from ..http1 import requests_transport, socket_transport
from ..http1.digest import Block
from ..http1.errors import ClientError, UsageError
from ..http1.exchange import Exchange
from ..http1.request_url import parse_request_url
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire

TRANSPORTS = {"socket": socket_transport.send, "requests": requests_transport.send}
"""What makes the bytes: our own code by hand, or `requests`."""

Fields = Sequence[tuple[str, str]]
"""Names and values, in order."""

Files = Sequence[tuple[str, tuple[str, BinaryIO, str]]]
"""As `requests` takes them: the name of the field, then filename, content and type."""

KEPT_BYTES = 16384
MAX_SECONDS = 600.0
_SHOWN = {0x09: "␉", 0x0A: "␊\n", 0x0D: "␍"}
# Each server has an address of its own, and each upload a Host that names it.
_WITHOUT_HOST = Projection(ignored=frozenset({"host"}))


class SentBytes:
    """The first and the last `KEPT_BYTES` bytes of what was sent, and the `size` of all."""

    def __init__(self) -> None:
        self.size = 0
        self._first = bytearray()
        self._last = bytearray()

    def feed(self, block: Block) -> None:
        """Add bytes that have just been sent."""
        view = memoryview(block)
        self.size += len(view)
        room = KEPT_BYTES - len(self._first)
        self._first += view[:room]
        self._last += view[room:][-KEPT_BYTES:]
        del self._last[:-KEPT_BYTES]

    def shown(self) -> str:
        """The bytes as text. `␍␊` ends a line; other control bytes and all but ASCII are `\\xNN`."""
        left_out = self.size - len(self._first) - len(self._last)
        between = f"\n... {left_out:,} more bytes ...\n" if left_out else ""
        return _text(self._first) + between + _text(self._last)


def _text(data: bytes | bytearray) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else _SHOWN.get(byte, f"\\x{byte:02x}") for byte in data)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server answered. Without a `response`, `error` says in a sentence why there is none."""

    server: str
    sent: SentBytes
    response: Response | None = None
    error: str = ""


def fields_of(text: str) -> list[tuple[str, str]]:
    """The fields that are written as `name=value`, one a line. Raises UsageError for another line."""
    fields = []
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if line.strip() and not equals:
            raise UsageError(f"line {number} of the fields is not name=value: {line}")
        if equals:
            fields.append((name, value))
    return fields


def upload_url(url: str) -> str:
    """Where to upload to: the path in `url`, or `/upload/` when it has none. Raises UsageError."""
    return url + "/upload/" if parse_request_url(url).target == "/" else url


def origin_of(url: str) -> str:
    """The URL without its path. Raises UsageError."""
    parsed = parse_request_url(url)
    return f"{parsed.scheme}://{parsed.authority}"


def forward(
    servers: Mapping[str, str],
    client: str,
    fields: Fields,
    files: Files,
) -> list[Answer]:
    """Send one form to the URL of each of the `servers`, by name. The bytes differ in Host alone.

    Raises UsageError when there is neither a field nor a file.
    """
    if not fields and not files:
        raise UsageError("there is nothing to send: choose a file or write a field")
    boundary = secrets.token_hex(16)
    return [_send(name, url, client, fields, files, boundary) for name, url in servers.items()]


def _send(name: str, url: str, client: str, fields: Fields, files: Files, boundary: str) -> Answer:
    for _, (_, file, _) in files:
        file.seek(0)  # the server before this one has read it to its end
    sent = SentBytes()
    call = Call("POST", url, data=fields, files=files, boundary=boundary if files else None)
    try:
        response = TRANSPORTS[client](call, Wire(MAX_SECONDS, on_sent=sent.feed))
    except ClientError as error:
        return Answer(name, sent, error=str(error))
    return Answer(name, sent, response)


def difference(answers: Sequence[Answer]) -> str | None:
    """The first difference between the answers of two servers, or None when all of them agree."""
    for one, other in pairwise(answers):
        if one.response is None or other.response is None:
            missing = one.server if one.response is None else other.server
            return f"there is no answer of {missing}"
        exchanges = {"one": Exchange((one.response,)), "other": Exchange((other.response,))}
        reduced = _WITHOUT_HOST.project_exchanges(exchanges)
        found = first_difference(reduced["one"], reduced["other"])
        if found is not None:
            return f"{one.server} and {other.server}: {found}"
    return None
