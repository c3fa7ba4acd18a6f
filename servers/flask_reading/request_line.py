"""The request line (RFC 9112 3), checked from left to right: step 1 of contract section 4."""

import re
from typing import NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from .abnf import TOKEN
from .target import Target, read_target

# HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 2.3)
_VERSION = re.compile(r"HTTP/([0-9])\.([0-9])")
_BLANK_ROUND_VERSION = re.compile(r"(?:H(?:T(?:T(?:P(?:/(?:[0-9](?:\.[0-9]?)?)?)?)?)?)?)?[ \t]")
_MANY_DIGITS = re.compile(r"HTTP/[0-9]+\.[0-9]+")


class RequestLine(NamedTuple):
    """A request line that passed step 1."""

    method: str
    target: Target
    http_1_0: bool


def split_request_line(line: str, limits: Limits) -> RequestLine:
    """Parse a whole line without its CRLF. Raises Problem `uri_too_long` before any other (R41)."""
    _check_length(len(line), limits)
    if not line or "\r" in line:
        what = "there is a second empty line (R17), or a bare CR (R19)"
        raise Problem("request_line", what, rule="R19" if line else "R17")
    method, _, rest = line.partition(" ")
    target, space, version = rest.partition(" ")
    return _read(method, target, version if space else None)


def join_request_line(method: str, target: str, version: str, limits: Limits) -> RequestLine:
    """Check a line that a server has already parsed. Raises the same Problems."""
    _check_length(len(method) + len(target) + len(version) + 2, limits)
    return _read(method, target, version)


def _check_length(length: int, limits: Limits) -> None:
    if length > limits.max_request_line:
        what = f"the request line has more than {limits.max_request_line} bytes"
        raise Problem("uri_too_long", what, rule="R41")


def _read(method: str, target: str, version: str | None) -> RequestLine:
    if not TOKEN.fullmatch(method):
        what = f"the method {method[:40]!a} is not a valid token (R40)"
        raise Problem("request_line", what, rule=_which_method(method), field="method")
    if not target:
        what = "the request line has no target"
        raise Problem("request_line", what, rule="R13" if version is None else "R14", field="target")
    form = read_target(method, target)
    version = version or ""
    match = _VERSION.fullmatch(version)
    if match is None:
        what = f"the version {version[:40]!a} is not HTTP/1.1 (R11, R12, R14)"
        raise Problem("request_line", what, rule=_which_version(version))
    if match[1] != "1":
        raise Problem("unsupported_version", f"{version} is not supported (R10)", rule="R10")
    return RequestLine(method, form, http_1_0=match[2] == "0")


def _which_method(method: str) -> str:
    """The rule about what stands in the place of a method and is no token."""
    if method.startswith("\x16\x03"):  # a TLS handshake
        return "R42"
    token = TOKEN.match(method)
    wrong = method if token is None else method[token.end() :]
    return "R14" if not wrong or wrong[0] == "\t" else "R40"  # a space or TAB too many


def _which_version(version: str) -> str:
    """The rule about what stands in the place of a version."""
    if not version:
        return "R13"
    if _BLANK_ROUND_VERSION.match(version):
        return "R14"
    if " " in version:
        return "R15"  # the target has a space, and so the version is not where it is looked for
    return "R12" if _MANY_DIGITS.fullmatch(version) else "R11"
