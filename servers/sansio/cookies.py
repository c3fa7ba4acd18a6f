"""The Cookie field (RFC 6265 5.4 and 6265bis; rules K1 to K15). Values stay verbatim."""

from ..contract.request import Pair


def parse_cookies(value: str) -> tuple[Pair, ...]:
    """The cookies in order, with duplicates. Each `;` ends a cookie; quotes belong to the value (K3, K4)."""
    pieces = (piece.strip(" \t") for piece in value.split(";"))
    return tuple(_cookie(piece) for piece in pieces if piece)


def _cookie(piece: str) -> Pair:
    name, equals, value = piece.partition("=")
    if not equals:
        return Pair("", piece)  # a cookie without a name (K8, RFC 6265bis 5.7)
    return Pair(name.rstrip(" \t"), value.lstrip(" \t"))
