"""The interface that a backend's own parsers implement."""

from collections.abc import Iterable
from typing import Protocol

from .charsets import FormEncoding
from .limits import Limits
from .request import MediaType, Pair, PartEvent


class MultipartParser(Protocol):
    """A push parser for one multipart/form-data body.

    The parts do not depend on how the bytes were split into reads (M89).
    """

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterable[PartEvent]:
        """The events that `data` completes. Consume them before the next call.

        Raises Problem `multipart_*`, `part_header*`, `disposition_*`, `name_missing`, `filename_*`,
        `part_transfer_encoding` or `part_headers_too_large`.
        """

    def finish(self) -> Iterable[PartEvent]:
        """The last events. Raises Problem `multipart_truncated` if the close delimiter is missing."""


class Parsers(Protocol):
    """One way to parse bytes. The socket server and Flask bring independent implementations."""

    def content_type(self, value: str) -> MediaType:
        """A Content-Type value (not empty). Raises Problem `content_type_syntax` (C2, C4, C5, C6)."""

    def digests(self, value: str, field: str) -> dict[str, bytes]:
        """The digests in a Content-Digest or Repr-Digest, by algorithm (D3, D5, D6).

        Raises Problem `digest_syntax`, in which `field` is the name of the field.
        """

    def digest_weights(self, value: str) -> dict[str, int] | None:
        """The weights in a Want-Repr-Digest, by algorithm, or None if it is malformed (D7)."""

    def urlencoded(self, data: bytes, encoding: FormEncoding) -> list[Pair]:
        """The pairs of a urlencoded body (WHATWG URL 5.1, U1 to U14). Raises UnicodeDecodeError (U7)."""

    def multipart(self, media_type: MediaType, limits: Limits) -> MultipartParser:
        """A parser for the boundary in `media_type`.

        Raises Problem `boundary_missing` or `boundary_invalid`.
        """
