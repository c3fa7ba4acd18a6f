"""The request line (RFC 9112 3): method, request target and version, checked from left to right."""

import re
from dataclasses import dataclass

from ..contract.problems import Problem
from ..contract.request import Pair
from .grammar import TOKEN, percent_decode
from .host import is_host
from .urlencoded import parse_pairs

# HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 2.3); the name is case-sensitive (R11)
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
# Visible ASCII without "#". This is wider than RFC 3986, because browsers send [ ] { } | " < > (R28).
# A fragment must not be sent (R29).
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e]+")
# absolute-form = scheme "://" authority path-abempty [ "?" query ] (RFC 9112 3.2.2)
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]*)(.*)")
_LEADING_SLASHES = re.compile(r"^/+")
_PATH_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A valid request line. `target` is in origin-form, `*`, or the authority of a CONNECT.

    `authority` is the authority of an absolute-form target, which replaces Host (R2).
    """

    method: str
    target: bytes
    minor_version: int
    authority: str | None = None
    https: bool = False


def parse_request_line(line: bytes) -> RequestLine:
    """Parse a request line without its CRLF. Raises Problem `request_line` or `unsupported_version`."""
    words = line.split(b" ")
    if len(words) != 3:
        raise Problem("request_line", f"the request line has {len(words) - 1} spaces instead of two")
    method, target, version = words
    if not TOKEN.fullmatch(method):
        raise Problem("request_line", "the method is not a valid token")
    if not _TARGET.fullmatch(target):
        wrong = "has a character that must be percent-encoded" if target else "is empty"
        raise Problem("request_line", f"the request target {wrong}")
    target, authority, https = _target_form(method, target)
    return RequestLine(method.decode("ascii"), target, _minor_version(version), authority, https)


def _minor_version(version: bytes) -> int:
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Problem("request_line", "the version is not HTTP/digit.digit")
    if match[1] != b"1":
        raise Problem("unsupported_version", f"HTTP/{match[1].decode()} is not supported")
    return int(match[2])


def _target_form(method: bytes, target: bytes) -> tuple[bytes, str | None, bool]:
    """The target in origin-form, the authority of an absolute-form, and whether its scheme is https."""
    if target.startswith(b"/") or method == b"CONNECT" or (target == b"*" and method == b"OPTIONS"):
        return target, None, False
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise Problem("request_line", "the request target has none of the four forms (RFC 9112 3.2)")
    scheme, authority, rest = match[1].lower(), match[2].decode("ascii"), match[3]
    if scheme not in (b"http", b"https"):
        raise Problem("request_line", "the scheme of the request target is not http")
    if not is_host(authority):
        raise Problem("request_line", "the authority of the request target is malformed")
    return rest if rest.startswith(b"/") else b"/" + rest, authority, scheme == b"https"


@dataclass(frozen=True, slots=True)
class DecodedTarget:
    """The result of step 5 of contract section 4: path, last segment of the path, and query."""

    path: str
    last_segment: str
    args: tuple[Pair, ...]


def decode_target(target: bytes) -> DecodedTarget:
    """Decode path and query once (R20 to R37). Raises Problem `bad_percent` or `target_not_utf8`."""
    raw_path, _, query = target.partition(b"?")
    try:
        path = _decode_path(raw_path, keep=b"/")
        last_segment = _decode_path(raw_path.rpartition(b"/")[2]) if b"%" in raw_path else ""
        args = tuple(parse_pairs(query, "utf-8"))
    except UnicodeDecodeError:
        raise Problem("target_not_utf8", "the request target does not decode as UTF-8") from None
    return DecodedTarget(path, last_segment or path.rpartition("/")[2], args)


AUTHORITY = DecodedTarget("", "", ())
"""The result for CONNECT, whose target is an authority without a path. It is refused with 501 (R7)."""


def _decode_path(raw: bytes, keep: bytes = b"") -> str:
    decoded = percent_decode(raw, keep=keep)
    control = _PATH_CONTROL.search(decoded)
    if control is not None:
        raise Problem("bad_percent", f"the path decodes to the control character {control[0][0]:#04x}")
    return _LEADING_SLASHES.sub("/", decoded.decode("utf-8")) if keep else decoded.decode("utf-8")
