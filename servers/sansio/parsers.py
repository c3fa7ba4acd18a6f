"""The parsers of this folder, as an implementation of the interface `contract.parsers.Parsers`."""

from ..contract.charsets import FormEncoding
from ..contract.limits import Limits
from ..contract.request import MediaType, Pair
from .digests import parse_digests, parse_weights
from .media_types import parse_boundary, parse_media_type
from .multipart import FormDataParser
from .stream import Trace
from .urlencoded import parse_pairs


class SansIoParsers:
    """`trace` gets every byte of a form with its role."""

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace

    def content_type(self, value: str) -> MediaType:
        return parse_media_type(value)

    def digests(self, value: str, field: str) -> dict[str, bytes]:
        return parse_digests(value, field)

    def digest_weights(self, value: str) -> dict[str, int] | None:
        return parse_weights(value)

    def urlencoded(self, data: bytes, encoding: FormEncoding) -> list[Pair]:
        return parse_pairs(data, encoding)

    def multipart(self, media_type: MediaType, limits: Limits) -> FormDataParser:
        return FormDataParser(parse_boundary(media_type), limits, self._trace)
