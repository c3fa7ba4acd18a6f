"""The request line (RFC 9112 3): method, request target and version, checked from left to right."""

import re
from dataclasses import dataclass, field

from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import Pair
from .grammar import TOKEN, end_of, percent_decode
from .host import end_of_host, is_host
from .urlencoded import parse_pairs

# HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 2.3); the name is case-sensitive (R11)
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
_BEGUN_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]|HTTP/[0-9]\.?|HTTP/?|HTT|HT|H")
_LONG_VERSION = re.compile(rb"HTTP/[0-9]+\.[0-9]+")
_TLS_HANDSHAKE = b"\x16\x03"  # TLSPlaintext: type, major version (RFC 8446 5.1)
# Visible ASCII without "#". This is wider than RFC 3986, because browsers send [ ] { } | " < > (R28).
# A fragment must not be sent (R29).
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e]+")
# absolute-form = scheme "://" authority path-abempty [ "?" query ] (RFC 9112 3.2.2)
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]*)(.*)")
_LEADING_SLASHES = re.compile(r"^/+")
_PATH_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ENCODED_CONTROL = re.compile(rb"%(?:[01][0-9A-Fa-f]|7[Ff])")
_OCTET = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A valid request line. `target` is in origin-form, `*`, or the authority of a CONNECT.

    `authority` is the authority of an absolute-form target, which replaces Host (R2). `offset` is the
    number of bytes in the line before what `target` begins with.
    """

    method: str
    target: bytes
    minor_version: int
    authority: str | None = None
    https: bool = False
    offset: int = field(default=0, compare=False)


@remembered
def parse_request_line(line: bytes) -> RequestLine:
    """Parse a request line without its CRLF. Raises Problem `request_line` or `unsupported_version`."""
    method, _, rest = line.partition(b" ")
    target, _, version = rest.partition(b" ")
    if not TOKEN.fullmatch(method):
        at = end_of(TOKEN, line)
        raise Problem(
            "request_line", "the method is not a valid token", rule=_method_rule(line, at), offset=at
        )
    offset = len(method) + 1
    if not _TARGET.fullmatch(target):
        wrong = "has a character that must be percent-encoded" if target else "is empty"
        at = min(end_of(_TARGET, line, offset), len(line))
        raise Problem("request_line", f"the request target {wrong}", rule=_target_rule(line, at), offset=at)
    origin, authority, https, offset = _target_form(method, target, offset)
    minor = _minor_version(version, len(line) - len(version))
    return RequestLine(method.decode("ascii"), origin, minor, authority, https, offset)


def _method_rule(line: bytes, at: int) -> str:
    """Which rule forbids the octet at this offset, before the end of the method."""
    if not line:
        return "R17"
    if line.startswith(_TLS_HANDSHAKE):
        return "R42"
    return "R14" if line[at : at + 1] in (b" ", b"\t") else "R40"


def _target_rule(line: bytes, at: int) -> str:
    """Which rule forbids the octet at this offset, before the end of the target."""
    octet = line[at : at + 1]
    if not octet:
        return "R13"
    if octet in b" \t":
        return "R14"
    if octet == b"#":
        return "R29"
    return "R27" if octet.isascii() else "R26"


def _minor_version(version: bytes, begin: int) -> int:
    match = _VERSION.fullmatch(version)
    if match is None:
        spaces = 2 + version.count(b" ")
        what = "the version is not HTTP/digit.digit" if spaces == 2 else f"there are {spaces} spaces, not two"
        at = end_of(_BEGUN_VERSION, version)
        raise Problem("request_line", what, rule=_version_rule(version, at), offset=begin + at)
    if match[1] != b"1":
        what = f"HTTP/{match[1].decode()} is not supported"
        raise Problem("unsupported_version", what, rule="R10", offset=begin + match.start(1))
    return int(match[2])


def _version_rule(version: bytes, at: int) -> str:
    """Which rule forbids the octet at this offset, where the version is or should be."""
    if not version:
        return "R13"
    if version[at : at + 1] in (b" ", b"\t"):
        return "R14"
    if b" " in version:
        return "R15"
    return "R12" if _LONG_VERSION.fullmatch(version) else "R11"


def _target_form(method: bytes, target: bytes, offset: int) -> tuple[bytes, str | None, bool, int]:
    """The target in origin-form, the authority of an absolute-form, and whether its scheme is https.

    `offset` is that of the target in the line. Returned last, it is that of the origin-form.
    """
    if target.startswith(b"/") or method == b"CONNECT" or (target == b"*" and method == b"OPTIONS"):
        return target, None, False, offset
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        what = "the request target has none of the four forms (RFC 9112 3.2)"
        raise Problem("request_line", what, rule="R6", offset=offset)
    scheme, authority, rest = match[1].lower(), match[2].decode("ascii"), match[3]
    if scheme not in (b"http", b"https"):
        what = "the scheme of the request target is not http"
        raise Problem("request_line", what, rule="R2", offset=offset)
    offset += match.start(2)
    if not is_host(authority):
        what, rule = "the authority of the request target is malformed", _authority_rule(authority)
        raise Problem("request_line", what, rule=rule, offset=offset + end_of_host(authority))
    offset += len(authority)
    if not rest.startswith(b"/"):
        rest = b"/" + rest
        offset -= 1
    return rest, authority, scheme == b"https", offset


def _authority_rule(authority: str) -> str:
    return "R2" if "@" in authority or authority.partition(":")[0] == "" else "R4"


@dataclass(frozen=True, slots=True)
class DecodedTarget:
    """The result of step 5 of contract section 4: path, last segment of the path, and query."""

    path: str
    last_segment: str
    args: tuple[Pair, ...]


@remembered
def decode_target(target: bytes) -> DecodedTarget:
    """Decode path and query once (R20 to R37). Raises Problem `bad_percent` or `target_not_utf8`.

    The offset of a Problem is that in the target.
    """
    raw_path, _, query = target.partition(b"?")
    try:
        path = _decode_path(raw_path, keep=b"/")
        last_segment = _decode_path(raw_path.rpartition(b"/")[2]) if b"%" in raw_path else ""
        args = tuple(parse_pairs(query, "utf-8"))
    except UnicodeDecodeError:
        raise _undecodable(target) from None
    return DecodedTarget(path, last_segment or path.rpartition("/")[2], args)


def _undecodable(target: bytes) -> Problem:
    """The Problem of a target that is not UTF-8. An octet of a separator cannot complete a sequence."""
    octets = list(_OCTET.finditer(target))
    decoded = percent_decode(target)
    offset = len(target)
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = octets[error.start].start()
    rule = "R37" if b"?" in target[:offset] else "R24"
    return Problem("target_not_utf8", "the request target does not decode as UTF-8", rule=rule, offset=offset)


AUTHORITY = DecodedTarget("", "", ())
"""The result for CONNECT, whose target is an authority without a path. It is refused with 501 (R7)."""


def _decode_path(raw: bytes, keep: bytes = b"") -> str:
    decoded = percent_decode(raw, keep=keep)
    control = _PATH_CONTROL.search(decoded)
    if control is not None:
        what = f"the path decodes to the control character {control[0][0]:#04x}"
        encoded = _ENCODED_CONTROL.search(raw)
        raise Problem("bad_percent", what, rule="R23", offset=encoded.start() if encoded else 0)
    return _LEADING_SLASHES.sub("/", decoded.decode("utf-8")) if keep else decoded.decode("utf-8")
