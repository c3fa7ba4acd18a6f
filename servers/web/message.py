"""A request as bytes for several servers, and how to send it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..storage.base import ReadableFile

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that are sent one after the other. Before them, up to `pause` seconds are left for a response."""

    content: bytes | ReadableFile
    pause: float = 0.0

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.size

    def blocks(self) -> Iterator[bytes]:
        """The bytes in blocks. Several threads may ask for them at a time. Raises OSError."""
        if isinstance(self.content, bytes):
            if self.content:
                yield self.content
            return
        for offset in range(0, self.content.size, _BLOCK):
            yield self.content.read(offset, _BLOCK)


@dataclass(frozen=True, slots=True)
class Message:
    """The same bytes for every server. `methods` has one method for each response that is expected.

    A `verbatim` message may be malformed or cut: all of it is sent, whatever comes meanwhile, and then the
    sending ends, so that a server which waits for more bytes learns that none will come. Any other message is
    well framed, and the sending ends early when the response comes early. The messages in `before` are sent
    first, on connections of their own: they store files.
    """

    methods: tuple[str, ...]
    pieces: tuple[Piece, ...]
    verbatim: bool = False
    before: tuple["Message", ...] = ()

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(piece.size for piece in self.pieces)

    def beginning(self) -> bytes:
        """At least its first 64 KiB, or all of it. Raises OSError."""
        first = bytearray()
        for piece in self.pieces:
            for block in piece.blocks():
                first += block
                if len(first) >= _BLOCK:
                    return bytes(first)
        return bytes(first)
