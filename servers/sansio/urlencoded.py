"""application/x-www-form-urlencoded parsing (WHATWG URL 5.1): query strings and bodies."""

from typing import Literal

from ..contract.request import Pair
from .grammar import percent_decode


def parse_pairs(data: bytes, encoding: Literal["utf-8", "iso-8859-1"]) -> list[Pair]:
    """The pairs in order of arrival (U1 to U14): `&` alone separates, empty pieces are skipped.

    Percent-decoding gives bytes first, which are then decoded strictly (R37, U7); WHATWG would put U+FFFD,
    which is a silent repair. Raises UnicodeDecodeError.
    """
    return [_pair(piece, encoding) for piece in data.split(b"&") if piece]


def _pair(piece: bytes, encoding: str) -> Pair:
    name, _, value = piece.replace(b"+", b" ").partition(b"=")
    return Pair(percent_decode(name).decode(encoding), percent_decode(value).decode(encoding))
