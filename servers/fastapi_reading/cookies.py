"""Cookies as they were sent (K1 to K15).

Starlette's `cookie_parser` undoes escapes, drops quotes and keeps one cookie of a name (K3, K5, K7).
"""

from collections.abc import Iterator

from ..contract.request import Pair
from .characters import OWS


def each_cookie(value: bytes) -> Iterator[Pair]:
    """RFC 6265bis 5.7: `;` alone separates, and what has no `=` is the value of a cookie without a name."""
    for piece in value.split(b";"):
        stripped = piece.strip(OWS)
        if stripped:
            name, text = stripped.split(b"=", 1) if b"=" in stripped else (b"", stripped)
            yield Pair(name.rstrip(OWS).decode("iso-8859-1"), text.lstrip(OWS).decode("iso-8859-1"))
