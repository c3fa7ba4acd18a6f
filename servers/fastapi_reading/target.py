"""The request target (RFC 9112 3.2) as bytes: its form (step 1), then its path and query (step 5)."""

from typing import NamedTuple

from ..contract.problems import Problem
from ..contract.request import Pair
from .characters import VISIBLE, consists_of, controls
from .host import is_host
from .percent import decode_percent, read_pairs

# Without "#", which begins a fragment (R29); "[", "|" and their like are sent by browsers (R28).
_SENDABLE = VISIBLE.replace(b"#", b"")


class Target(NamedTuple):
    """`origin` is path and query as sent; `scheme` and `authority` are empty but in absolute-form."""

    origin: bytes
    scheme: bytes = b""
    authority: bytes = b""


def classify_target(method: bytes, raw: bytes) -> Target:
    """Raises Problem `request_line` (R2, R6, R26, R27, R29)."""
    if raw == b"":
        raise Problem("request_line", "there is no request target")
    if not consists_of(raw, _SENDABLE):
        raise Problem("request_line", f"the target {raw[:80]!r} holds what must be percent-encoded")
    if raw[:1] == b"/" or method == b"CONNECT" or (method, raw) == (b"OPTIONS", b"*"):
        return Target(raw)
    scheme, separator, rest = raw.partition(b"://")
    if scheme.lower() not in (b"http", b"https") or not separator:
        raise Problem("request_line", f"the target {raw[:80]!r} has none of the four forms")
    authority = rest[: min(len(rest.partition(end)[0]) for end in (b"/", b"?"))]
    if not is_host(authority):
        raise Problem("request_line", f"the target {raw[:80]!r} has no host, or one with userinfo")
    origin = rest[len(authority) :]
    return Target(origin if origin[:1] == b"/" else b"/" + origin, scheme.lower(), authority)


class Location(NamedTuple):
    """What path and query mean."""

    path: str
    last_segment: str
    args: tuple[Pair, ...]


def decode_target(origin: bytes) -> Location:
    """Raises Problem `bad_percent` (R23) or `target_not_utf8` (R24, R37)."""
    raw_path, _, query = origin.partition(b"?")
    octets = decode_percent(raw_path, but=b"/")  # an encoded slash is data (R21)
    if controls(octets):
        raise Problem("bad_percent", f"{raw_path[:80]!r} decodes to a control character")
    try:
        path = octets.decode("utf-8")
        last_segment = decode_percent(raw_path[raw_path.rfind(b"/") + 1 :]).decode("utf-8")
        args = tuple(read_pairs(query, "utf-8"))
    except UnicodeDecodeError as error:
        raise Problem("target_not_utf8", f"the target does not decode: {error.reason}") from None
    rooted = "/" + path.lstrip("/") if path.startswith("/") else path  # R31
    return Location(rooted, last_segment, args)
