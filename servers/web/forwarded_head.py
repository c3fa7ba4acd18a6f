"""The head of a request that the page sends: one head, made once from the fields `Wireproof-...`."""

import re
from typing import Any

from ..contract.json_reader import read_json
from ..contract.problems import Problem
from ..contract.request import RequestHead

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # a field value may have tabs
_MAX_DEPTH = 2
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
# What the server writes itself, and what would change how long the body is or what the connection means.
_NOT_GIVEN = frozenset(
    {
        *("host", "content-type", "content-length", "transfer-encoding", "trailer", "te"),
        *("connection", "keep-alive", "proxy-connection", "upgrade"),
    }
)


def forwarded_head(head: RequestHead, size: int) -> tuple[str, bytes]:
    """The method, and the bytes of the head for a body of `size` bytes. Raises Problem `bad_value`."""
    method = head.field("wireproof-method") or "POST"
    if not _TOKEN.fullmatch(method):
        raise Problem("bad_value", f"Wireproof-Method is a token, not {method!a}")
    target = head.field("wireproof-target") or "/upload/"
    if _CONTROL.search(target):
        raise Problem("bad_value", "Wireproof-Target has a control character")
    lines = [f"{method} {target} HTTP/1.1".encode("iso-8859-1")]
    lines += (name + b": " + value for name, value in _fields(head, method, size))
    return method, b"\r\n".join((*lines, b"", b""))


def _fields(head: RequestHead, method: str, size: int) -> list[tuple[bytes, bytes]]:
    fields = [(b"Host", (head.host or "").encode("iso-8859-1"))]
    fields += _token_of_the_page(head)
    content_type = head.field("content-type")
    if content_type:
        fields.append((b"Content-Type", content_type.encode("iso-8859-1")))
    if size or method in _WITH_LENGTH:
        fields.append((b"Content-Length", b"%d" % size))
    return fields + _given(head.field("wireproof-fields") or "[]")


def _token_of_the_page(head: RequestHead) -> list[tuple[bytes, bytes]]:
    """The Authorization of the page, if `Wireproof-Token: pass` says that the upload has to carry it."""
    wanted, sent = head.field("wireproof-token"), head.field("authorization")
    if wanted not in (None, "pass"):
        raise Problem("bad_value", f"Wireproof-Token is 'pass' or is left out, not {wanted!a}")
    return [(b"Authorization", sent.encode("iso-8859-1"))] if wanted and sent else []


def _given(text: str) -> list[tuple[bytes, bytes]]:
    """The further fields: a JSON list of [name, value]."""
    try:
        entries = read_json(text.encode("iso-8859-1"), _MAX_DEPTH)
    except Problem as problem:
        raise Problem("bad_value", f"Wireproof-Fields is a JSON list: {problem.detail}") from None
    if not isinstance(entries, list):
        raise Problem("bad_value", "Wireproof-Fields is a JSON list of [name, value]")
    return [_given_field(entry) for entry in entries]


def _given_field(entry: Any) -> tuple[bytes, bytes]:
    match entry:
        case [str(name), str(value)]:
            pass
        case _:
            raise Problem("bad_value", "Wireproof-Fields is a JSON list of [name, value], both strings")
    if not _TOKEN.fullmatch(name):
        raise Problem("bad_value", f"Wireproof-Fields: {name!a} is no name of a field")
    if name.lower() in _NOT_GIVEN:
        raise Problem("bad_value", f"Wireproof-Fields: {name} is written by the server itself")
    if _CONTROL_IN_VALUE.search(value):
        raise Problem("bad_value", f"Wireproof-Fields: the value of {name} has a control character")
    try:
        return name.encode("ascii"), value.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem("bad_value", f"Wireproof-Fields: the value of {name} is not Unicode") from None
