"""Plain and extended names that differ (M62): only some differences come from one client.

RFC 6266 4.3 prefers `filename*`. Half of the widely used parsers take the plain `filename` instead, so two
names that no client derives from each other are refused.
"""

import base64
import re
from email.quoprimime import header_decode
from itertools import zip_longest
from urllib.parse import unquote

from ..contract.charsets import codec_of

_ENCODED_WORD = re.compile(r"=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([!->@-~]*)\?=", re.IGNORECASE)
# An ASCII character that clients keep. What stands between two of these may be a replacement.
_FIXED = re.compile(r"([^?_\-\x80-\U0010ffff])")


def names_conflict(plain: str, extended: str) -> bool:
    """Whether no known client sends `plain` (with its escapes) beside `extended` (decoded).

    .NET and Spring send an encoded word of RFC 2047, aiohttp up to 3.7 percent-encodes, HttpClient 5 replaces
    characters beyond ASCII, and WebApiClientCore puts quotes round one of the two.
    """
    shown, meant = _unquoted(plain.replace("%22", '"')), _unquoted(extended)
    decoded = {shown, *(_unquoted(decode(plain)) for decode in (_percent_decoded, _decoded_words))}
    return meant not in decoded and not _is_downgraded(shown, meant)


def _unquoted(name: str) -> str:
    return re.sub(r'\A"(.*)"\Z', r"\1", name, flags=re.DOTALL)


def _percent_decoded(plain: str) -> str:
    """`plain` with its percent-encoding decoded, or unchanged if that is not UTF-8."""
    try:
        return unquote(plain, errors="strict")
    except UnicodeDecodeError:
        return plain


def _decoded_words(plain: str) -> str:
    """`plain` with its encoded words decoded, or unchanged if it has anything else."""
    try:
        return "".join(_decode_word(word) for word in plain.split(" "))
    except ValueError:
        return plain


def _decode_word(word: str) -> str:
    match = _ENCODED_WORD.fullmatch(word)
    codec = codec_of(match[1]) if match else None
    if match is None or codec is None:
        raise ValueError("no encoded word in a known charset")
    if match[2] in "bB":
        return base64.b64decode(match[3], validate=True).decode(codec)
    return header_decode(match[3]).encode("iso-8859-1").decode(codec)


def _is_downgraded(plain: str, extended: str) -> bool:
    """Whether characters beyond ASCII were left out or became `?`, `_` or `-`."""
    pairs = zip_longest(_FIXED.split(plain), _FIXED.split(extended))
    for index, (piece, wanted) in enumerate(pairs):
        replaceable = index % 2 == 0 and wanted is not None and not wanted.isascii()
        if piece is None or (piece != wanted and not replaceable):
            return False
    unread = iter(extended)
    return all(character in unread for character in plain if not character.isascii())
