"""The Authorization field (RFC 9110 11.6.2, RFC 7617). It is reported and never refused (A1 to A15)."""

import base64
import binascii
import re

from ..contract.request import BasicCredentials, OtherCredentials

_SCHEME = re.compile(r"[^ \t]*")
_CTL = re.compile(r"[\x00-\x1f\x7f]")


def read_authorization(value: str) -> BasicCredentials | OtherCredentials:
    """The scheme in lower case, and its credentials. Basic that does not decode is reported raw (A4)."""
    scheme = _SCHEME.match(value)
    assert scheme is not None  # the pattern matches the empty string too
    # The credentials follow 1*SP, not a TAB (A2, A3).
    credentials = value[scheme.end() :].lstrip(" ")
    if scheme[0].lower() == "basic":
        basic = _decode_basic(credentials)
        if basic is not None:
            return basic
    return OtherCredentials(scheme[0].lower(), credentials)


def _decode_basic(encoded: str) -> BasicCredentials | None:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):  # ValueError: a character beyond ASCII (A13)
        return None
    # Only the canonical encoding is accepted: no extra `=`, no stray bits at the end (A9).
    if base64.b64encode(decoded).decode("ascii") != encoded:
        return None
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        text = decoded.decode("iso-8859-1")  # requests and aiohttp encode like this (A10)
    username, colon, password = text.partition(":")
    if not colon or _CTL.search(text):
        return None
    return BasicCredentials(username, password)
