"""Replaces credentials by asterisks before anything of a request is kept.

Credentials are the values of `Authorization`, `Proxy-Authorization`, `Cookie`, and of every other field whose
name contains one of `_WORDS`. Each of their bytes becomes one asterisk, so all offsets stay true.
Query strings, bodies and other fields are kept as they are.

`redact_head` is for a head that was accepted. `redact_any` is for bytes in which nobody knows where a head
begins or ends: malformed heads, and what came behind a refusal. It hides whatever could be such a field.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..contract.canonical import canonical_json

_WORDS = ("authorization", "cookie", "api-key", "apikey", "token", "secret", "password")
_ENCODED = tuple(word.encode() for word in _WORDS)
_ANY_WORD = b"|".join(_ENCODED)
# A line of an accepted head (RFC 9112 5): nothing is folded.
_FIELD = re.compile(rb"(\n[^\r\n:]*(?:%s)[^\r\n:]*:)([^\r\n]*)" % _ANY_WORD, re.IGNORECASE)
# A line that could be meant as one: up to its colon, or up to the end of the name when there is no colon.
# Then the value, with all folded lines. A bare CR does not end a value here, because readers differ.
_ANY_FIELD = re.compile(
    rb"((?:\A|[\r\n])[^\r\n:]*?(?:%s)[a-z0-9_-]*[\x00-\x09\x0b\x0c\x0e-\x20]*:?)"
    rb"([^\n]*(?:\n[\x00-\x09\x0b\x0c\x0e-\x20][^\n]*)*)" % _ANY_WORD,
    re.IGNORECASE,
)
_REQUEST_LINE = re.compile(rb"[A-Z]+ [!-~]+ HTTP/1\.[01]\r?(?=\n)")
_VISIBLE = re.compile(rb"[^ \t\r\n](?:[^\r\n]*[^ \t\r\n])?")
_OF_REQUEST = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI", "REQUEST_URI"),
        *("CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"),
        *("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme"),
    }
)
# Those that IANA lists (RFC 9110 16.4.1), and some in wide use. Any other word that is read as a scheme may
# be a credential that was sent without one (A15).
_SCHEMES = frozenset(
    {
        *("basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "negotiate", "oauth"),
        *("privatetoken", "scram-sha-1", "scram-sha-256", "vapid", "ntlm", "token", "aws4-hmac-sha256"),
    }
)
_SHORTEST = 4  # a shorter piece of a credential says nothing


def is_secret(name: str) -> bool:
    """Whether a field of this name, in lower case, holds credentials. An environ has `_` in place of `-`."""
    name = name.replace("_", "-")
    return any(word in name for word in _WORDS)


def has_secrets(data: bytes) -> bool:
    """Whether these bytes may have a field with credentials. It costs little."""
    lower = data.lower()
    return any(word in lower for word in _ENCODED)


def redact_any(data: bytes) -> bytes:
    """The same bytes without the values of fields that hold credentials."""
    if not has_secrets(data):
        return data
    end = _request_line(data)
    return data[:end] + _ANY_FIELD.sub(_hidden, data[end:])


def redact_head(data: bytes) -> bytes:
    """The same, for a head that was accepted."""
    return _FIELD.sub(_hidden, data) if has_secrets(data) else data


def secrets_of(data: bytes) -> list[str]:
    """The credentials in these bytes, as text: what `redact_any` hides."""
    if not has_secrets(data):
        return []
    values = (match[2] for match in _ANY_FIELD.finditer(data, _request_line(data)))
    return [value[0].decode("latin-1") for match in values for value in _VISIBLE.finditer(match)]


def _request_line(data: bytes) -> int:
    """The length of a well-formed request line: a target may have the name of a field in it."""
    line = _REQUEST_LINE.match(data)
    return line.end() if line else 0


def _hidden(match: re.Match[bytes]) -> bytes:
    return match[1] + _VISIBLE.sub(lambda value: b"*" * len(value[0]), match[2])


def strings_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """What a WSGI environ says of the request. Some servers add the variables of their process to it."""
    return {
        name: value
        for name, value in environ.items()
        if isinstance(value, str) and (name in _OF_REQUEST or name.startswith("HTTP_"))
    }


def redact_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The strings of an environ, without credentials."""
    return {name: "*" * len(value) if is_secret(name.lower()) else value for name, value in environ.items()}


def redact_answer(answer: bytes, secrets: Iterable[str]) -> bytes | None:
    """The answer to a request that had these credentials, without them; None when it cannot be understood."""
    try:
        value = json.loads(answer)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return answer
    _hide_members(value, list(secrets))
    return canonical_json(value)


def _hide_members(value: dict[str, Any], secrets: list[str]) -> None:
    for pair in value.get("headers") or ():
        if is_secret(pair["name"]):
            pair["value"] = "*" * len(pair["value"])
    for pair in value.get("cookies") or ():
        pair["value"] = "*" * len(pair["value"])
    if isinstance(auth := value.get("auth"), dict):
        value["auth"] = {
            name: text if name == "scheme" and text in _SCHEMES else "*" * len(text)
            for name, text in auth.items()
        }
    if isinstance(detail := value.get("detail"), str):
        value["detail"] = redact_text(detail, secrets)
    if isinstance(error := value.get("error"), dict) and isinstance(error.get("message"), str):
        error["message"] = redact_text(error["message"], secrets)


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """The text with each piece of a credential hidden. A sentence may quote a part of a field line."""
    for secret in secrets:
        text = _without(text, secret)
    return text


def _without(text: str, secret: str) -> str:
    least = min(_SHORTEST, len(secret))
    kept: list[str] = []
    at = 0
    while at < len(text):
        size = least
        if text[at : at + size] not in secret or at + size > len(text):
            kept.append(text[at])
            at += 1
            continue
        while at + size < len(text) and text[at : at + size + 1] in secret:
            size += 1
        kept.append("*" * size)
        at += size
    return "".join(kept)
