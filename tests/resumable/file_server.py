"""A server of one file by ranges, which fails on demand and notes the fields of each request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.resumable.scripted_server import Answer, Cut, Fault, running

_HOST = "127.0.0.1"


@dataclass(slots=True)
class FileServer:
    """`data` is the file, at any path. `faults` are consumed by the next requests."""

    data: bytes
    etag: str | None = '"v1"'
    digest: bool = True
    ranges: bool = True
    faults: list[Fault] = field(default_factory=list)
    more_fields: tuple[tuple[str, str], ...] = ()
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Of the file."""
        return f"http://{_HOST}:{self.port}/folder/file.bin"

    def answer(self, fields: dict[str, str]) -> Answer:
        """The response to a GET (RFC 9110, section 14.2)."""
        own = self._fields()
        asked = re.fullmatch("bytes=([0-9]+)-", fields.get("range", ""))
        if not asked or not self.ranges or fields.get("if-range", self.etag) != self.etag:
            return Answer(200, own, self.data)
        start, size = int(asked[1]), len(self.data)
        if start >= size:
            return Answer(416, (("Content-Range", f"bytes */{size}"),))
        return Answer(206, (*own, ("Content-Range", f"bytes {start}-{size - 1}/{size}")), self.data[start:])

    def _fields(self) -> tuple[tuple[str, str], ...]:
        etag = (("ETag", self.etag),) if self.etag else ()
        sha256 = base64.b64encode(hashlib.sha256(self.data).digest()).decode()
        digest = (("Repr-Digest", f"sha-256=:{sha256}:"),) if self.digest else ()
        return (*etag, *digest, *self.more_fields)


class _Handler(BaseHTTPRequestHandler):
    served: FileServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        pass

    def do_GET(self) -> None:
        """Send the file, a range of it, or what the script says."""
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.served.asked.append(fields)
        fault = self.served.faults.pop(0) if self.served.faults else None
        answer = fault if isinstance(fault, Answer) else self.served.answer(fields)
        head = (
            f"HTTP/1.1 {answer.status} Status\r\nConnection: close\r\nContent-Length: {len(answer.body)}\r\n"
        )
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.fields)
        body = answer.body[: fault.after] if isinstance(fault, Cut) else answer.body
        self.wfile.write(head.encode() + b"\r\n" + body)


@contextmanager
def serving(data: bytes) -> Iterator[FileServer]:
    """A running server of `data`."""
    server = FileServer(data)
    with running(type("Handler", (_Handler,), {"served": server})) as server.port:
        yield server
