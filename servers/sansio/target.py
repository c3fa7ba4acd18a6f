"""The request line (RFC 9112 3): method, request target and version, judged from left to right."""

import re
from dataclasses import dataclass

from ..contract.problems import Problem
from ..contract.request import Pair
from .grammar import TOKEN, percent_decode
from .host import is_host
from .urlencoded import parse_pairs

# HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 2.3); the name is case-sensitive (R11)
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
# Visible ASCII without "#": wider than RFC 3986 on purpose, as browsers send [ ] { } | " < > (R28);
# a fragment is never sent (R29).
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e]+")
# absolute-form = scheme "://" authority path-abempty [ "?" query ] (RFC 9112 3.2.2)
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]*)(.*)")
_LEADING_SLASHES = re.compile(r"^/+")
_PATH_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request line that follows the grammar. `target` is origin-form, `*`, or CONNECT's authority.

    `authority` is that of an absolute-form target (R2), which takes the place of Host.
    """

    method: str
    target: bytes
    minor_version: int
    authority: str | None = None
    https: bool = False


def parse_request_line(line: bytes) -> RequestLine:
    """A request line without its CRLF. Raises Problem `request_line` or `unsupported_version`."""
    words = line.split(b" ")
    if len(words) != 3:
        raise Problem("request_line", f"{len(words) - 1} spaces instead of two")
    method, target, version = words
    if not TOKEN.fullmatch(method):
        raise Problem("request_line", "the method is no token")
    if not _TARGET.fullmatch(target):
        wrong = "a character of the request target must be percent-encoded" if target else "no request target"
        raise Problem("request_line", wrong)
    target, authority, https = _target_form(method, target)
    return RequestLine(method.decode("ascii"), target, _minor_version(version), authority, https)


def _minor_version(version: bytes) -> int:
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Problem("request_line", "the version is not HTTP/digit.digit")
    if match[1] != b"1":
        raise Problem("unsupported_version", f"HTTP/{match[1].decode()} is not spoken here")
    return int(match[2])


def _target_form(method: bytes, target: bytes) -> tuple[bytes, str | None, bool]:
    """The target as origin-form, the authority of an absolute-form, and whether that is https."""
    if target.startswith(b"/") or method == b"CONNECT" or (target == b"*" and method == b"OPTIONS"):
        return target, None, False
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise Problem("request_line", "the request target has none of the four forms")
    scheme, authority, rest = match[1].lower(), match[2].decode("ascii"), match[3]
    if scheme not in (b"http", b"https"):
        raise Problem("request_line", "the scheme of the request target is not http")
    if not is_host(authority):
        raise Problem("request_line", "the authority of the request target is malformed")
    return rest if rest.startswith(b"/") else b"/" + rest, authority, scheme == b"https"


@dataclass(frozen=True, slots=True)
class DecodedTarget:
    """What step 5 of the order of judgement finds in a target."""

    path: str
    last_segment: str
    args: tuple[Pair, ...]


def decode_target(target: bytes) -> DecodedTarget:
    """Path and query, decoded once (R20 to R37). Raises Problem `bad_percent` or `target_not_utf8`."""
    raw_path, _, query = target.partition(b"?")
    try:
        path = _decode_path(raw_path, keep=b"/")
        last_segment = _decode_path(raw_path.rpartition(b"/")[2]) if b"%" in raw_path else ""
        args = tuple(parse_pairs(query, "utf-8"))
    except UnicodeDecodeError:
        raise Problem("target_not_utf8", "the request target does not decode as UTF-8") from None
    return DecodedTarget(path, last_segment or path.rpartition("/")[2], args)


AUTHORITY = DecodedTarget("", "", ())
"""Of CONNECT: its target is an authority and no path, whatever it looks like; 501 follows (R7)."""


def _decode_path(raw: bytes, keep: bytes = b"") -> str:
    decoded = percent_decode(raw, keep=keep)
    control = _PATH_CONTROL.search(decoded)
    if control is not None:
        raise Problem("bad_percent", f"the path decodes to the control character {control[0][0]:#04x}")
    return _LEADING_SLASHES.sub("/", decoded.decode("utf-8")) if keep else decoded.decode("utf-8")
