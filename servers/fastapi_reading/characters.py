"""The character classes of RFC 9110 as strings of bytes: what `bytes.translate` and `lstrip` take away."""

OWS = b" \t"
ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# token = 1*tchar (RFC 9110 5.6.2)
TCHARS = ALPHANUMERIC + b"!#$%&'*+-.^_`|~"
# VCHAR (RFC 5234 B.1)
VISIBLE = bytes(range(0x21, 0x7F))

_ALL_BUT_CONTROLS = bytes(byte for byte in range(0x100) if byte >= 0x20 and byte != 0x7F)


def consists_of(raw: bytes, allowed: bytes) -> bool:
    """Whether each byte of `raw` is one of `allowed`."""
    return not raw.translate(None, allowed)


def controls(raw: bytes, but: bytes = b"") -> bytes:
    """The C0 characters and DELs in `raw`, in order, without those in `but`."""
    return raw.translate(None, _ALL_BUT_CONTROLS + but)
