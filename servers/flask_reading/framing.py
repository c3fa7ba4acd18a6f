"""How long the body is (RFC 9112 6.3): step 3 of contract section 4."""

import re
from typing import NamedTuple

from ..contract.limits import BEYOND_ALL_LIMITS, MAX_CONTENT_LENGTH_DIGITS
from ..contract.problems import Problem
from .abnf import BLANKS, TOKEN

_DIGITS = re.compile(r"[0-9]+")
_LIST_OF_DIGITS = re.compile(r"[0-9]+(?:[ \t]*,[ \t]*[0-9]+)+")
_LIKE_CHUNKED = re.compile(r"chunked.*|.*chunked")


class Framing(NamedTuple):
    """How the body is framed. `content_length` is in bytes, or None without such a field."""

    content_length: int | None
    chunked: bool


def read_framing(lengths: list[str], codings: list[str], *, http_1_0: bool) -> Framing:
    """The framing, from the trimmed values of all Content-Length and Transfer-Encoding lines.

    Raises Problem `bad_framing` or `unsupported_transfer_coding`.
    """
    if lengths and codings:
        raise Problem("bad_framing", "both Content-Length and Transfer-Encoding (B16)", rule="B16")
    if codings:
        _check_codings(codings, http_1_0=http_1_0)
        return Framing(None, chunked=True)
    if not lengths:
        return Framing(None, chunked=False)
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0]):
        what = f"Content-Length {', '.join(lengths)[:40]!a} is not one run of digits"
        raise Problem("bad_framing", what, rule=_which_length(lengths), field="content-length")
    digits = lengths[0].lstrip("0")
    if len(digits) > MAX_CONTENT_LENGTH_DIGITS:  # int() refuses 4301 of them
        return Framing(BEYOND_ALL_LIMITS, chunked=False)
    return Framing(int(digits or "0"), chunked=False)


def _check_codings(values: list[str], *, http_1_0: bool) -> None:
    if http_1_0:
        raise _not_chunked("HTTP/1.0 does not define Transfer-Encoding (B23)", "B23")
    if len(values) > 1:
        raise _not_chunked("two Transfer-Encoding lines (B20)", "B20")
    *others, final = [coding.strip(BLANKS).lower() for coding in values[0].split(",")]
    if final != "chunked" or "chunked" in others or not all(map(TOKEN.fullmatch, others)):
        what = f"Transfer-Encoding {values[0][:40]!a} must end with one chunked"
        raise _not_chunked(what, _which_codings([*others, final]))
    if others:
        what = f"cannot decode {', '.join(others)[:40]} (B19)"
        raise Problem("unsupported_transfer_coding", what, rule="B19", field="transfer-encoding")


def _not_chunked(what: str, rule: str) -> Problem:
    return Problem("bad_framing", what, rule=rule, field="transfer-encoding")


def _which_length(lengths: list[str]) -> str:
    """The rule about these lengths: two lines, a list in one line, or anything that is not digits."""
    if len(lengths) > 1:
        return "B8" if lengths[0] == lengths[1] else "B9"
    return "B10" if _LIST_OF_DIGITS.fullmatch(lengths[0]) else "B5"


def _which_codings(codings: list[str]) -> str:
    """The rule about codings that are not a list of tokens with one `chunked` at its end."""
    malformed = [coding for coding in codings if not TOKEN.fullmatch(coding)]
    if malformed:
        # str.strip() takes these for blanks.
        return "B22" if malformed[0].strip("\x85\xa0") != malformed[0] else "B21"
    if "chunked" in codings:
        return "B20"
    if _LIKE_CHUNKED.fullmatch(codings[-1]):
        return "B21"
    return "B17" if codings[-1] == "identity" else "B18"
