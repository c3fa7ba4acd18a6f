"""The request target (RFC 9112 3.2): its form at step 1, its percent-encoding and UTF-8 at step 5."""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ..contract.problems import Problem
from ..contract.request import Pair
from .forms import split_pairs
from .host import is_host

# Visible ASCII without "#": a fragment is never sent (R26, R27, R29).
_CHARACTERS = re.compile(r"[\x21\x22\x24-\x7e]+")
_ABSOLUTE = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?]*)(?P<rest>.*)", re.IGNORECASE)
_ANY_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<authority>[^/?]*).*")
_ENCODED_SLASH = re.compile(r"(%2[Ff])")
_DECODED_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Target(NamedTuple):
    """A target whose form fits its method. `origin` is its path and query as sent.

    `authority` is None unless the target is in absolute-form.
    """

    origin: str
    authority: str | None = None
    https: bool = False


class Location(NamedTuple):
    """A decoded target: the path, its last segment decoded completely, and the query pairs."""

    path: str
    last_segment: str
    args: tuple[Pair, ...]


def read_target(method: str, raw: str) -> Target:
    """The four forms of RFC 9112 3.2.1 to 3.2.4. Raises Problem `request_line`."""
    if not _CHARACTERS.fullmatch(raw):
        what = "the request target must be visible ASCII: percent-encode the rest"
        raise Problem("request_line", what, rule=_which_octet(raw), field="target")
    if method == "CONNECT" or raw.startswith("/"):
        return Target(raw)
    if raw == "*" and method == "OPTIONS":
        return Target(raw)
    absolute = _ABSOLUTE.fullmatch(raw)
    if absolute is None or not is_host(absolute["authority"]):
        what = f"the request target is not a valid one for {method[:20]}"
        raise Problem("request_line", what, rule=_which_form(raw), field="target")
    rest = absolute["rest"]
    origin = rest if rest.startswith("/") else "/" + rest
    return Target(origin, absolute["authority"], absolute["scheme"].lower() == "https")


def _which_octet(raw: str) -> str:
    """The rule about the first character that is not allowed in a target."""
    match = _CHARACTERS.match(raw)
    wrong = raw if match is None else raw[match.end() :]
    if wrong[0] == "\t":
        return "R14"
    if wrong[0] == "#":
        return "R29"
    return "R27" if wrong[0].isascii() else "R26"


def _which_form(raw: str) -> str:
    """The rule about a target of visible characters that is in no form."""
    url = _ANY_URL.fullmatch(raw)
    if url is None:
        return "R6"
    authority = url["authority"]
    if url["scheme"].lower() not in ("http", "https") or "@" in authority or authority[:1] in ("", ":"):
        return "R2"
    return "R4"


def locate(method: str, target: Target) -> Location:
    """Decode path and query once. Raises Problem `bad_percent` or `target_not_utf8` (R23, R24, R37)."""
    if method == "CONNECT":
        return Location("", "", ())  # an authority, not a path; step 6 refuses it
    path, _, query = target.origin.partition("?")
    # "%2F" is data and not a separator, so it stays as written (R21). An invalid "%zz" is literal (R22).
    pieces = _ENCODED_SLASH.split(path)
    decoded = b"".join(
        piece.encode("ascii") if index % 2 else unquote_to_bytes(piece) for index, piece in enumerate(pieces)
    )
    if _DECODED_CONTROL.search(decoded):
        what = f"the path {path[:80]!a} decodes to a control character"
        raise Problem("bad_percent", what, rule="R23", field="target")
    try:
        readable = decoded.decode("utf-8")
        args = tuple(split_pairs(query.encode("ascii"), "utf-8"))
    except UnicodeDecodeError as error:
        what = f"byte {error.start} of the decoded target is not UTF-8"
        rule = "R24" if error.object == decoded else "R37"
        raise Problem("target_not_utf8", what, rule=rule, field="target") from None
    if readable.startswith("/"):
        readable = "/" + readable.lstrip("/")  # R31
    last = unquote_to_bytes(path.rpartition("/")[2]).decode("utf-8")
    return Location(readable, last, args)
