"""Pairs, queries, cookies and credentials as the bytes that requests sends.

Pairs take requests' shapes: a mapping or an iterable of pairs; a value may be str, bytes, a number, None
(left out) or an iterable of values. When a value is a mapping, only its keys are sent, as requests does.
"""

import base64
import json as json_module
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import UsageError

_FORBIDDEN_IN_FIELD = re.compile("[\r\n\0]")


def urlencode(pairs: object) -> str:
    """`application/x-www-form-urlencoded` text of `pairs`, also used for a query.

    Raises UsageError for text that UTF-8 cannot encode (lone surrogates).
    """
    given = [(name, item) for name, value in pairs_of(pairs) for item in values_of(value)]
    try:
        return urllib.parse.urlencode(given, doseq=True)  # doseq: a second level of lists is flattened too
    except UnicodeEncodeError as error:
        raise UsageError(f"{error.object!a} cannot be encoded as UTF-8") from None


def pairs_of(value: Any) -> list[tuple[Any, Any]]:
    """The pairs of a mapping or of an iterable of pairs. Raises UsageError for anything else."""
    if isinstance(value, (str, bytes, bool, int)):
        raise UsageError(f"{value!r} is neither a mapping nor a list of pairs")
    try:
        pairs = list(value.items()) if isinstance(value, Mapping) else [(name, item) for name, item in value]
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is neither a mapping nor a list of pairs") from None
    return pairs


def values_of(value: Any) -> Iterator[Any]:
    """The values under one name: None is left out, an iterable gives its items, a mapping its keys."""
    values = value if not isinstance(value, (str, bytes)) and hasattr(value, "__iter__") else [value]
    return (item for item in values if item is not None)


def json_bytes(value: object) -> bytes:
    """JSON as requests writes it, with blanks and in ASCII. Raises UsageError for NaN and for non-JSON."""
    try:
        return json_module.dumps(value, allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise UsageError(f"not a JSON value: {error}") from None


def cookie_field(cookies: Mapping[str, str | None]) -> str | None:
    """The value of the Cookie field (RFC 6265, section 4.2.1), verbatim, or None when there is no cookie.

    A cookie whose value is None is its name alone. Raises UsageError for CR, LF and NUL.
    """
    if not cookies:
        return None
    field = "; ".join(
        name if value is None else f"{name}={_unescape_quoted(value)}" for name, value in cookies.items()
    )
    if _FORBIDDEN_IN_FIELD.search(field):
        raise UsageError("a cookie contains CR, LF or NUL")
    return field


def _unescape_quoted(value: str) -> str:
    """requests' cookie jar takes `\\"` out of a quoted value, and every cookie passes through two jars."""
    for _ in range(2):
        if value.startswith('"') and value.endswith('"'):
            value = value.replace('\\"', "")
    return value


def basic_credentials(username: object, password: object) -> str:
    """The Authorization value of Basic (RFC 7617): bytes verbatim, text in ISO-8859-1, as requests does.

    Raises UsageError for text that ISO-8859-1 cannot encode: give its UTF-8 bytes instead.
    """
    pair = b":".join(_credential(part) for part in (username, password))
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _credential(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return str(value).encode("latin-1")
    except UnicodeEncodeError:
        raise UsageError("credentials outside of ISO-8859-1 are given as bytes") from None


def as_utf8(text: str) -> bytes:
    """`text` in UTF-8. Raises UsageError for lone surrogates."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{text!a} cannot be encoded as UTF-8") from None
