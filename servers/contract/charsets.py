"""The charsets that are decoded, for bodies, parts and extended parameters alike (M61, M76, C11, C12)."""

from typing import Literal

FormEncoding = Literal["utf-8", "iso-8859-1"]
"""How the octets of a urlencoded body become text (C11)."""

_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "l1": "iso-8859-1",
}


def codec_of(charset: str) -> str | None:
    """The name of Python's strict codec for a charset word in any case, or None for all other words."""
    return _CODECS.get(charset.lower())
