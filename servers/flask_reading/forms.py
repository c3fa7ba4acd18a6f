"""urlencoded pairs (WHATWG URL 5.1), and the parsers of Flask's side."""

import re

from ..contract.charsets import FormEncoding
from ..contract.limits import Limits
from ..contract.request import MediaType, Pair
from .digests import read_digests, read_weights
from .media_types import read_boundary, read_media_type
from .multipart import StrictMultipart

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


def split_pairs(data: bytes, encoding: FormEncoding) -> list[Pair]:
    """The pairs of a query or a body, in order. Raises UnicodeDecodeError.

    Percent-encoding becomes bytes before anything is decoded, so `%C3` and a raw A9 are one character (U7).
    `urllib.parse.parse_qsl` would decode them apart, and takes seconds for a body of `%`.
    """
    segments = data.replace(b"+", b" ").split(b"&")
    return [_pair(segment, encoding) for segment in segments if segment]


def _pair(segment: bytes, encoding: FormEncoding) -> Pair:
    if b"%" not in segment:
        name, _, value = segment.decode(encoding).partition("=")
        return Pair(name, value)
    raw_name, _, raw_value = segment.partition(b"=")
    return Pair(_unescape(raw_name).decode(encoding), _unescape(raw_value).decode(encoding))


def _unescape(data: bytes) -> bytes:
    """Replace each run of valid escapes by its bytes. Any other `%` stands for itself (U2)."""
    return _ESCAPES.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode("ascii")), data)


class WerkzeugParsers:
    """The `Parsers` of Flask's side."""

    content_type = staticmethod(read_media_type)
    digests = staticmethod(read_digests)
    digest_weights = staticmethod(read_weights)

    def urlencoded(self, data: bytes, encoding: FormEncoding) -> list[Pair]:
        return split_pairs(data, encoding)

    def multipart(self, media_type: MediaType, limits: Limits) -> StrictMultipart:
        """Raises Problem `boundary_missing` or `boundary_invalid`."""
        return StrictMultipart(read_boundary(media_type), limits)
