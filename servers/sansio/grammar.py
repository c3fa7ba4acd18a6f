"""Grammar that several parsers share. Each pattern has its ABNF above it. Match with `fullmatch`."""

import re

# token = 1*tchar (RFC 9110 5.6.2)
TCHAR = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
TOKEN = re.compile(rb"[%s]+" % TCHAR)

# A field value consists of VCHAR, obs-text, SP and HTAB (RFC 9110 5.5). All other bytes:
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE (RFC 9110 5.6.4)
QUOTED_STRING = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'

# OWS = *( SP / HTAB ) (RFC 9110 5.6.3). Never use strip() alone: it removes VT, FF and more (H037).
OWS = b" \t"


def end_of(pattern: re.Pattern[bytes], data: bytes, begin: int = 0) -> int:
    """Where the bytes end that match at `begin`: the offset of the first byte that cannot be accepted."""
    match = pattern.match(data, begin)
    return begin if match is None else match.end()


HEX_DIGITS = b"0123456789ABCDEFabcdef"


def percent_decode(data: bytes, *, keep: bytes = b"") -> bytes:
    """`data` with each %HH replaced by its octet (RFC 3986 2.1). Invalid sequences are kept (R22, R36).

    The octets in `keep` stay encoded.
    """
    head, *pieces = data.split(b"%")
    out = [head]
    for piece in pieces:
        octet = _OCTETS.get(piece[:2])
        if octet is None or (keep and octet in keep):
            out += (b"%", piece)
        else:
            out += (octet, piece[2:])
    return b"".join(out)


_OCTETS = {
    bytes((high, low)): bytes.fromhex(chr(high) + chr(low)) for high in HEX_DIGITS for low in HEX_DIGITS
}
