"""multipart/form-data (RFC 7578) as a stream: only one block of one part is in memory at a time.

The bytes are those of urllib3 2.x, which follows the WHATWG: names and file names are UTF-8 in which `"`, CR
and LF are percent-encoded; Content-Disposition comes first, then Content-Type, then the part's other fields.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .digest import Block, Digest
from .encode import as_utf8
from .errors import UsageError
from .sources import Source

# Pieces smaller than this are sent together: a delimiter and a part head are not sent alone.
_GATHER_BYTES = 16384
# boundary = 0*69<bchars> bcharsnospace                                    RFC 2046, section 5.1.1
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ESCAPES = {ord("\n"): "%0A", ord("\r"): "%0D", ord('"'): "%22"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part. Without a `filename` it is a text field; `headers` are its further fields, in order.

    Raises UsageError for CR, LF or NUL in the type or the fields, which requests lets begin a new line.
    """

    name: str
    source: Source
    filename: str | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("Content-Type", self.content_type or ""), *self.headers):
            if _TOKEN.fullmatch(name) is None or re.search("[\r\n\0]", value):
                raise UsageError(f"not a part's field: {name!r}: {value!r}")

    def head(self) -> bytes:
        """The part's fields and the empty line after them."""
        disposition = f'form-data; name="{self.name.translate(_ESCAPES)}"'
        if self.filename is not None:
            disposition += f'; filename="{self.filename.translate(_ESCAPES)}"'
        fields = [("Content-Disposition", disposition), ("Content-Type", self.content_type), *self.headers]
        # urllib3 leaves out a field without a value.
        return as_utf8("".join(f"{name}: {value}\r\n" for name, value in fields if value) + "\r\n")


@dataclass(frozen=True, slots=True)
class SentPart:
    """What was sent as one part: its content's size in bytes and SHA-256."""

    name: str
    filename: str | None
    size: int
    sha256: str


class MultipartBody:
    """The parts and the delimiters between them. `length` is None when that of a part is not known.

    After `blocks` has been read to its end, `sent` describes every part.
    """

    def __init__(self, parts: Iterable[Part], boundary: str | None = None) -> None:
        self.parts: Sequence[Part] = tuple(parts)
        self.boundary = new_boundary() if boundary is None else boundary
        if _BOUNDARY.fullmatch(self.boundary) is None:
            raise UsageError(f"{self.boundary!r} is not a boundary (RFC 2046, section 5.1.1)")
        self.sent: list[SentPart] = []

    @property
    def content_type(self) -> str:
        """The Content-Type; a boundary that is not a token is quoted."""
        quoted = self.boundary if _TOKEN.fullmatch(self.boundary) else f'"{self.boundary}"'
        return f"multipart/form-data; boundary={quoted}"

    @property
    def repeatable(self) -> bool:
        """Whether `blocks` may be called again."""
        return all(part.source.repeatable for part in self.parts)

    @property
    def length(self) -> int | None:
        """The size of the whole body in bytes."""
        total = len(self._last_delimiter)
        for part in self.parts:
            if part.source.length is None:
                return None
            total += len(self._delimiter) + len(part.head()) + part.source.length + len(b"\r\n")
        return total

    def blocks(self) -> Iterator[Block]:
        """The body. Raises UploadFailed when a part's source has fewer bytes than its length."""
        self.sent = []
        return gathered(self._pieces())

    def _pieces(self) -> Iterator[Block]:
        for part in self.parts:
            yield self._delimiter + part.head()
            with Digest() as digest:
                for block in part.source.blocks():
                    digest.update(block)
                    yield block
                    if not part.source.repeatable:
                        yield b""  # what a stream gives is sent at once
                self.sent.append(SentPart(part.name, part.filename, digest.size, digest.hexdigest()))
            yield b"\r\n"
        yield self._last_delimiter

    @property
    def _delimiter(self) -> bytes:
        return f"--{self.boundary}\r\n".encode("ascii")

    @property
    def _last_delimiter(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode("ascii")


def new_boundary() -> str:
    """128 random bits in hexadecimal, so that nobody can guess the boundary and put it into a file."""
    return secrets.token_hex(16)


def gathered(pieces: Iterable[Block]) -> Iterator[Block]:
    """The same bytes with small pieces joined. Large ones are not copied; an empty one flushes."""
    small = bytearray()
    for piece in pieces:
        if 0 < len(piece) < _GATHER_BYTES:
            small += piece
            if len(small) < _GATHER_BYTES:
                continue
            piece = b""
        if small:
            yield bytes(small)
            small.clear()
        if piece:
            yield piece
    if small:
        yield bytes(small)
