"""Small requests, of which no two have the same content, and what a right answer to each tells."""

import json
import random
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from .answers import Expected

BOUNDARY = "ef0479c6edb2827623ed87f943bafa08"
FILE_FIELD = "files"
"""The name of every file field: `uploadserver` takes no other one."""
FILE_BYTES = 4096

Kind = Literal["multipart", "urlencoded", "json"]

DIGITS = 12
"""Every number has as many."""
_NOTE = "Three fields and a file, as a form of a page sends them."
_WORDS = ("alpha", "beta gamma", "delta&epsilon=1", "zeta", "10 %", "eta+theta", "iota")
_REST_OF_FILE = random.Random(16).randbytes(FILE_BYTES - DIGITS)
MARK = b"#" * DIGITS
"""Stands in a template for the number of the request, which has as many digits."""


@dataclass(frozen=True, slots=True)
class SmallRequests:
    """Requests of one kind to one path. The number of a request makes its content unique."""

    kind: Kind
    path: str = "/upload/"

    def template(self) -> list[bytes]:
        """The request, cut where its number, in twelve digits, has to be put in."""
        body, content_type = _BODIES[self.kind]()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: wireproof-benchmark\r\n"
            f"Accept: */*\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head.encode() + body).split(MARK)

    def expected(self, number: int) -> Expected:
        """What a right answer to the request of this number tells."""
        digits = f"{number:0{DIGITS}d}"
        if self.kind == "multipart":
            fields = (("note", _NOTE), ("number", digits), ("title", "a report"))
            return Expected(fields, ((FILE_FIELD, sha256(digits.encode() + _REST_OF_FILE).hexdigest()),))
        if self.kind == "json":
            return Expected(json=_members(digits))
        return Expected(tuple(sorted(_members(digits).items())))


def _members(digits: str) -> dict[str, str]:
    return {f"name{n}": word for n, word in enumerate(_WORDS)} | {"number": digits}


def _multipart() -> tuple[bytes, str]:
    fields = (("title", b"a report"), ("number", MARK), ("note", _NOTE.encode()))
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields
    ]
    parts.append(file_part_head("a.bin") + MARK + _REST_OF_FILE + final_delimiter())
    return b"".join(parts), f"multipart/form-data; boundary={BOUNDARY}"


def file_part_head(filename: str) -> bytes:
    """The delimiter and the head of a part that is a file."""
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{FILE_FIELD}"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()


def final_delimiter() -> bytes:
    """What ends the last part and the body."""
    return f"\r\n--{BOUNDARY}--\r\n".encode()


def _urlencoded() -> tuple[bytes, str]:
    encoded = {" ": "+", "&": "%26", "=": "%3D", "+": "%2B", "%": "%25"}
    pairs = [
        name + "=" + "".join(encoded.get(char, char) for char in value)
        for name, value in _members(MARK.decode()).items()
    ]
    return "&".join(pairs).encode(), "application/x-www-form-urlencoded"


def _json() -> tuple[bytes, str]:
    return json.dumps(_members(MARK.decode())).encode(), "application/json"


_BODIES = {"multipart": _multipart, "urlencoded": _urlencoded, "json": _json}
