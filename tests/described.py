"""What a request must be described as, written by hand: every key of the result (contract section 3)."""

import hashlib
from collections.abc import Iterable
from typing import Any

Pairs = Iterable[tuple[str, str]]


def described(
    method: str, target: str, *, body: dict[str, Any] | None = None, headers: Pairs, **more: Any
) -> dict[str, Any]:
    """The whole result; without `body` there was none. `headers` are all, in any order."""
    fields = pairs(sorted(headers))
    return {
        "method": method,
        "target": target,
        "path": target.partition("?")[0],
        "host": dict(headers)["host"],
        "args": [],
        "headers": fields,
        "cookies": [],
        "auth": None,
        "body": body or body_of("none", b"", sha256=None),
        "text": None,
        "json": None,
        "form": [],
        "files": [],
        **more,
    }


def body_of(kind: str, data: bytes, media_type: str | None = None, **more: Any) -> dict[str, Any]:
    """The `body` member for these bytes."""
    return {
        "kind": kind,
        "media_type": media_type,
        "parameters": [],
        "size": len(data),
        "sha256": sha256(data),
        **more,
    }


def field(index: int, name: str, value: str, headers: Pairs = ()) -> dict[str, Any]:
    """One entry of `form`."""
    return {"index": index, "name": name, "value": value, "headers": pairs(headers)}


def file(
    index: int,
    name: str | None,
    filename: str | None,
    data: bytes,
    *,
    content_type: str | None = None,
    headers: Pairs = (),
) -> dict[str, Any]:
    """One entry of `files`, stored."""
    return {
        "index": index,
        "name": name,
        "filename": filename,
        "content_type": content_type,
        "headers": pairs(headers),
        "size": len(data),
        "sha256": sha256(data),
        "href": f"/files/{sha256(data)}",
    }


def disposition(name: str, filename: str | None = None) -> tuple[str, str]:
    """The Content-Disposition of a part, as curl and requests write it."""
    value = f'form-data; name="{name}"'
    return "content-disposition", value if filename is None else f'{value}; filename="{filename}"'


def pairs(items: Pairs) -> list[dict[str, str]]:
    """Names and values as a description lists them."""
    return [{"name": name, "value": value} for name, value in items]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
