"""application/x-www-form-urlencoded parsing (WHATWG URL 5.1): query strings and bodies."""

from ..contract.charsets import FormEncoding
from ..contract.request import Pair
from .grammar import percent_decode


def parse_pairs(data: bytes, encoding: FormEncoding) -> list[Pair]:
    """The pairs in order of arrival (U1 to U14). Only `&` separates; empty pieces are skipped.

    Each name and value is percent-decoded to bytes, and then to text. Raises UnicodeDecodeError for bytes
    that do not decode (R37, U7). WHATWG would replace them by U+FFFD, which hides a fault.
    """
    return [_pair(piece, encoding) for piece in data.split(b"&") if piece]


def _pair(piece: bytes, encoding: FormEncoding) -> Pair:
    name, _, value = piece.replace(b"+", b" ").partition(b"=")
    return Pair(percent_decode(name).decode(encoding), percent_decode(value).decode(encoding))
