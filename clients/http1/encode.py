"""Pairs, queries, cookies and credentials as the bytes that requests sends, written by hand.

Pairs take requests' shapes: a mapping or an iterable of pairs; a value may be str, bytes, a number, None
(left out) or an iterable of values. Of a mapping as a value only its keys are sent, as requests does.
"""

from __future__ import annotations

import base64
import json as json_module
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .errors import UsageError

# unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"                        RFC 3986, section 2.3
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_FORBIDDEN_IN_FIELD = re.compile("[\r\n\0]")


def percent_encode(data: bytes, safe: frozenset[int]) -> str:
    """`data` with every byte outside `safe` as %XX (RFC 3986, section 2.1)."""
    if safe.issuperset(data):
        return data.decode("ascii")
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in data)


def form_encode(value: object) -> str:
    """One name or value: a blank is `+`; like Python's quote_plus it leaves `~` and encodes `*`.

    Bytes stand for themselves, everything else is its `str` in UTF-8. Raises UsageError for what UTF-8 cannot
    say (lone surrogates).
    """
    data = bytes(value) if isinstance(value, bytes) else as_utf8(str(value))
    return percent_encode(data, _FORM_SAFE).replace(" ", "+")


_FORM_SAFE = UNRESERVED | {ord(" ")}


def urlencode(pairs: object) -> str:
    """`application/x-www-form-urlencoded` text of `pairs`, also used for a query."""
    return "&".join(
        f"{form_encode(name)}={form_encode(item)}"
        for name, value in pairs_of(pairs)
        for each in values_of(value)
        for item in _flattened(each)
    )


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


def _flattened(value: Any) -> Iterable[Any]:
    """A second level of lists is flattened too: urlencode(doseq=True), which requests calls, does so."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return (value,)
    items: Iterable[Any] = value
    return items


def json_bytes(value: object) -> bytes:
    """JSON as requests writes it, with blanks and in ASCII. Raises UsageError for NaN and for non-JSON."""
    try:
        return json_module.dumps(value, allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise UsageError(f"not a JSON value: {error}") from None


def cookie_field(cookies: Mapping[str, str | None]) -> str | None:
    """The Cookie field's value (RFC 6265, section 4.2.1), verbatim, or None when there is no cookie.

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

    Raises UsageError for text that ISO-8859-1 cannot say: give its UTF-8 bytes instead.
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
