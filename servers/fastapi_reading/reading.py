"""The `Reading` of the FastAPI backend: what the shared contract asks of it."""

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import MediaType, Pair
from .media_types import read_boundary, scan_media_type
from .multipart import CallbackParser
from .percent import Encoding, read_pairs


class PythonMultipartReading:
    """Bodies by python-multipart's events, media types by a scanner over bytes."""

    def content_type(self, value: str) -> MediaType:
        """`value` is text as the result shows it, one character a byte. Raises `content_type_syntax`."""
        return scan_media_type(value.encode("iso-8859-1"))

    def urlencoded(self, data: bytes, encoding: Encoding) -> list[Pair]:
        """Raises Problem `form_not_utf8` (U7, U9)."""
        try:
            return read_pairs(data, encoding)
        except UnicodeDecodeError as error:
            raise Problem("form_not_utf8", f"{error.object[:40]!r} is not {encoding}") from None

    def multipart(self, media_type: MediaType, limits: Limits) -> CallbackParser:
        """Raises Problem `boundary_missing` or `boundary_invalid`."""
        boundary = read_boundary(media_type)
        return CallbackParser(boundary, limits)
