"""Authorization (RFC 9110 11.6.2) and Basic (RFC 7617): shown to its sender, never refused (A1 to A15)."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from ..contract.request import BasicCredentials, OtherCredentials
from .characters import controls


def describe_authorization(value: bytes) -> BasicCredentials | OtherCredentials | None:
    """What the value, trimmed, says; None when it says nothing."""
    scheme = value[: min(len(value.partition(blank)[0]) for blank in (b" ", b"\t"))]
    if not scheme:
        return None
    # 1*SP before credentials: a TAB is theirs (A2, A3).
    credentials = value[len(scheme) :].lstrip(b" ")
    basic = _basic(credentials) if scheme.lower() == b"basic" else None
    return basic or OtherCredentials(scheme.lower().decode("iso-8859-1"), credentials.decode("iso-8859-1"))


def _basic(credentials: bytes) -> BasicCredentials | None:
    try:
        user_pass = b64decode(credentials, validate=True)
    except Base64Error:
        return None
    # Decoding is lenient about surplus bits and padding; one text for one pair is what is asked (A9).
    canonical = b64encode(user_pass) == credentials
    if not canonical or controls(user_pass) or b":" not in user_pass:
        return None
    try:
        text = user_pass.decode("utf-8")  # RFC 7617 2.1
    except UnicodeDecodeError:
        text = user_pass.decode("iso-8859-1")  # requests and aiohttp encode so (A10)
    return BasicCredentials(*text.split(":", 1))
