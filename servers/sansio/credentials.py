"""The Authorization field (RFC 9110 11.4) and Basic (RFC 7617); rules A1 to A15."""

import binascii
import re

from ..contract.request import BasicCredentials, OtherCredentials

# auth-scheme [ 1*SP credentials ] (RFC 9110 11.4). A TAB belongs to the credentials (A3).
_PARTS = re.compile(r"([^ \t]+) *(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse_authorization(value: str) -> BasicCredentials | OtherCredentials | None:
    """The credentials in an Authorization value, or None for an empty one. Nothing is refused (A4)."""
    parts = _PARTS.fullmatch(value)
    if parts is None:
        return None
    scheme, credentials = parts[1].lower(), parts[2]
    if scheme == "basic":
        decoded = _decode_basic(credentials)
        if decoded is not None:
            return decoded
    return OtherCredentials(scheme, credentials)


def _decode_basic(credentials: str) -> BasicCredentials | None:
    """user-pass = user-id ":" password, in canonical base64 (RFC 4648 4), else None."""
    try:
        text = credentials.encode("ascii")
        user_pass = binascii.a2b_base64(text, strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    if binascii.b2a_base64(user_pass, newline=False) != text:
        return None  # not canonical: two texts would decode to the same bytes (A9)
    try:
        decoded = user_pass.decode("utf-8")
    except UnicodeDecodeError:
        decoded = user_pass.decode("iso-8859-1")  # as requests and aiohttp encode it (A10)
    username, colon, password = decoded.partition(":")
    if not colon or _CONTROL.search(decoded):
        return None
    return BasicCredentials(username, password)
