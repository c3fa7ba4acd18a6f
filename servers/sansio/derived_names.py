"""Whether a plain name is derived from the extended one beside it (M62).

Some clients send a name twice: `name=` for old servers, and `name*=` with the exact characters. Then one is
made from the other. Two names that no client makes from each other are a conflict: a firewall may check one
of them, and the server use the other.
"""

import re
from binascii import a2b_base64

from ..contract.charsets import codec_of
from .grammar import percent_decode

# encoded-word = "=?" charset [ "*" language ] "?" encoding "?" encoded-text "?=" (RFC 2047 2, RFC 2231 5)
_ENCODED_WORD = re.compile(rb"=\?([^?*]+)(?:\*[^?]*)?\?([BQbq])\?([!->@-~]*)\?=")
_Q_OCTET = re.compile(rb"=([0-9A-Fa-f]{2})")
# A character beyond ASCII, and the characters next to it that replaced one may look like.
# The lookbehind makes the pattern try a run of these only at its beginning, so that it is linear.
_REPLACEABLE = re.compile(r"(?<![?_\-])[?_\-]*+[^\x00-\x7f][?_\-\x80-\U0010ffff]*")
_REPLACEMENT = re.compile(r"[?_\-\x80-\U0010ffff]*")


def is_derived(plain: str, extended: str) -> bool:
    """Whether `plain`, as sent, stands for `extended`, the decoded value. Quotes round either do not count.

    It does when it is equal, an encoded word (.NET, Spring), percent-encoded UTF-8 (aiohttp to 3.7), or has
    `?`, `_`, `-` or nothing for characters beyond ASCII (HttpClient 5).
    """
    wanted = _without_quotes(extended)
    readings = (_unescaped(plain), _percent_decoded(plain), _words_decoded(plain))
    return wanted in map(_without_quotes, readings) or _is_replaced(_without_quotes(readings[0]), wanted)


def _unescaped(plain: str) -> str:
    return plain.replace("%22", '"')


def _without_quotes(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _percent_decoded(plain: str) -> str:
    """`plain` itself if it does not decode."""
    try:
        return percent_decode(plain.encode("utf-8")).decode("utf-8")
    except UnicodeDecodeError:
        return plain


def _words_decoded(plain: str) -> str:
    """`plain` itself if it is anything but encoded words."""
    try:
        return "".join(map(_decode_word, plain.encode("utf-8").split(b" ")))
    except ValueError:
        return plain


def _decode_word(word: bytes) -> str:
    """The text of an encoded word. Raises ValueError, binascii.Error among them."""
    match = _ENCODED_WORD.fullmatch(word)
    codec = codec_of(match[1].decode("iso-8859-1")) if match else None
    if match is None or codec is None:
        raise ValueError("not an encoded word in a known charset")
    if match[2] in b"Bb":
        return a2b_base64(match[3], strict_mode=True).decode(codec)
    octets = _Q_OCTET.sub(lambda octet: bytes.fromhex(octet[1].decode("ascii")), match[3].replace(b"_", b" "))
    return octets.decode(codec)


def _is_replaced(plain: str, extended: str) -> bool:
    """Whether `plain` is `extended` with characters beyond ASCII left out or replaced."""
    position = 0
    for index, kept in enumerate(_REPLACEABLE.split(extended)):
        if index:
            gap = _REPLACEMENT.match(plain, position)
            assert gap is not None, "it matches nothing too"
            position = gap.end()
        if not plain.startswith(kept, position):
            return False
        position += len(kept)
    remaining = iter(extended)
    return position == len(plain) and all(c in remaining for c in plain if not c.isascii())
