"""The Cookie field, verbatim (RFC 6265 5.4 read as 6265bis does; rules K1 to K15)."""

from ..contract.request import Pair


def parse_cookies(value: str) -> tuple[Pair, ...]:
    """The cookies in order, duplicates kept: `;` always ends one, quotes are kept (K3, K4)."""
    pieces = (piece.strip(" \t") for piece in value.split(";"))
    return tuple(_cookie(piece) for piece in pieces if piece)


def _cookie(piece: str) -> Pair:
    name, equals, value = piece.partition("=")
    if not equals:
        return Pair("", piece)  # nameless (K8, RFC 6265bis 5.7)
    return Pair(name.rstrip(" \t"), value.lstrip(" \t"))
