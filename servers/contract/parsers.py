"""The seam between the contract and a reading: what each backend must be able to parse by its own means."""

from collections.abc import Iterable
from typing import Literal, Protocol

from .limits import Limits
from .request import MediaType, Pair, PartEvent


class MultipartParser(Protocol):
    """A push parser of one multipart/form-data body: the events never depend on the cuts (M89)."""

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterable[PartEvent]:
        """The events that `data` completes. Consume them before the next call.

        Raises Problem `multipart_*`, `part_header*`, `disposition_*`, `name_missing`, `filename_ext`,
        `part_transfer_encoding` or `part_headers_too_large`.
        """

    def finish(self) -> Iterable[PartEvent]:
        """The last events. Raises Problem `multipart_truncated` when the close delimiter is missing."""


class Parsers(Protocol):
    """One independent way to understand bytes. The socket server and Flask each have their own."""

    def content_type(self, value: str) -> MediaType:
        """A Content-Type value (not empty). Raises Problem `content_type_syntax` (C2, C4, C5, C6)."""

    def urlencoded(self, data: bytes, encoding: Literal["utf-8", "iso-8859-1"]) -> list[Pair]:
        """The pairs of a urlencoded body (WHATWG URL 5.1, U1 to U14). Raises Problem `form_not_utf8`."""

    def multipart(self, media_type: MediaType, limits: Limits) -> MultipartParser:
        """A parser for the boundary in `media_type`.

        Raises Problem `boundary_missing` or `boundary_invalid`.
        """
