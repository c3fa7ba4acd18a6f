"""How long the body is (RFC 9112 6.3): step 3 of contract section 4."""

import re
from typing import NamedTuple

from ..contract.problems import Problem
from .abnf import BLANKS, TOKEN

_DIGITS = re.compile(r"[0-9]+")
# More digits than any limit has. The exact value no longer matters, and int() refuses 4301 digits (B7).
_MANY_DIGITS = 19


class Framing(NamedTuple):
    """How the body is framed. `content_length` is in bytes, or None without such a field."""

    content_length: int | None
    chunked: bool


def read_framing(lengths: list[str], codings: list[str], *, http_1_0: bool) -> Framing:
    """The framing, from the trimmed values of all Content-Length and Transfer-Encoding lines.

    Raises Problem `bad_framing` or `unsupported_transfer_coding`.
    """
    if lengths and codings:
        raise Problem("bad_framing", "both Content-Length and Transfer-Encoding (B16)")
    if codings:
        _check_codings(codings, http_1_0=http_1_0)
        return Framing(None, chunked=True)
    if not lengths:
        return Framing(None, chunked=False)
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0]):
        raise Problem("bad_framing", f"Content-Length {', '.join(lengths)[:40]!a} is not one run of digits")
    digits = lengths[0].lstrip("0")
    return Framing(int(digits[:_MANY_DIGITS] or "0"), chunked=False)


def _check_codings(values: list[str], *, http_1_0: bool) -> None:
    if http_1_0:
        raise Problem("bad_framing", "HTTP/1.0 does not define Transfer-Encoding (B23)")
    if len(values) > 1:
        raise Problem("bad_framing", "two Transfer-Encoding lines (B20)")
    *others, final = [coding.strip(BLANKS).lower() for coding in values[0].split(",")]
    if final != "chunked" or "chunked" in others or not all(map(TOKEN.fullmatch, others)):
        raise Problem("bad_framing", f"Transfer-Encoding {values[0][:40]!a} must end with one chunked")
    if others:
        raise Problem("unsupported_transfer_coding", f"cannot decode {', '.join(others)[:40]} (B19)")
