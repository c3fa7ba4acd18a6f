"""The request line (RFC 9112 3), checked from left to right: step 1 of contract section 4."""

import re
from typing import NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from .abnf import TOKEN
from .target import Target, read_target

# HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 2.3)
_VERSION = re.compile(r"HTTP/([0-9])\.([0-9])")


class RequestLine(NamedTuple):
    """A request line that passed step 1."""

    method: str
    target: Target
    http_1_0: bool


def split_request_line(line: str, limits: Limits) -> RequestLine:
    """Parse a whole line without its CRLF. Raises Problem `uri_too_long` before any other (R41)."""
    _check_length(len(line), limits)
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    return _read(method, target, version)


def join_request_line(method: str, target: str, version: str, limits: Limits) -> RequestLine:
    """Check a line that a server has already parsed. Raises the same Problems."""
    _check_length(len(method) + len(target) + len(version) + 2, limits)
    return _read(method, target, version)


def _check_length(length: int, limits: Limits) -> None:
    if length > limits.max_request_line:
        raise Problem("uri_too_long", f"the request line has more than {limits.max_request_line} bytes")


def _read(method: str, target: str, version: str) -> RequestLine:
    if not TOKEN.fullmatch(method):
        raise Problem("request_line", f"the method {method[:40]!a} is not a valid token (R40)")
    form = read_target(method, target)
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Problem("request_line", f"the version {version[:40]!a} is not HTTP/1.1 (R11, R12, R14)")
    if match[1] != "1":
        raise Problem("unsupported_version", f"{version} is not supported (R10)")
    return RequestLine(method, form, http_1_0=match[2] == "0")
