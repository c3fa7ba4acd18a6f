"""urlencoded pairs (WHATWG URL 5.1) by `urllib.parse`, and the reading that the contract asks for."""

from typing import Literal
from urllib.parse import parse_qsl

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import MediaType, Pair
from servers.flask_reading.media_types import read_boundary, read_media_type
from servers.flask_reading.multipart import StrictMultipart

Encoding = Literal["utf-8", "iso-8859-1"]


def split_pairs(text: str, encoding: Encoding) -> list[Pair]:
    """The pairs of `text`, one character a byte, in order. Raises UnicodeDecodeError.

    `parse_qsl` decodes each run of percent-encoded bytes by itself, so it is given ISO-8859-1, which maps
    bytes to characters one to one; only then is the whole decoded: `%C3` before a raw A9 is valid (U7).
    """
    if not text:
        return []
    pairs = parse_qsl(text, keep_blank_values=True, encoding="iso-8859-1", separator="&")
    if encoding == "iso-8859-1" or (text.isascii() and "%" not in text):
        return [Pair(name, value) for name, value in pairs]
    return [
        Pair(name.encode("iso-8859-1").decode("utf-8"), value.encode("iso-8859-1").decode("utf-8"))
        for name, value in pairs
    ]


class WerkzeugReading:
    """The `Reading` of Flask's side."""

    content_type = staticmethod(read_media_type)

    def urlencoded(self, data: bytes, encoding: Encoding) -> list[Pair]:
        """Raises Problem `form_not_utf8` (U7, U9)."""
        try:
            return split_pairs(data.decode("iso-8859-1"), encoding)
        except UnicodeDecodeError as error:
            detail = f"byte {error.start} of a decoded name or value is not {encoding}"
            raise Problem("form_not_utf8", detail) from None

    def multipart(self, media_type: MediaType, limits: Limits) -> StrictMultipart:
        """Raises Problem `boundary_missing` or `boundary_invalid`."""
        return StrictMultipart(read_boundary(media_type), limits)
