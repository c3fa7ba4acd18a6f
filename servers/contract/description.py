"""The result: a request described as canonical JSON (contract section 3)."""

import json
from collections.abc import Iterable
from typing import Any

from .request import FileEntry, FormField, Pair, ParsedBody, ParsedRequest

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, ASCII only and a final LF: equal values give equal bytes (S11)."""
    return _ENCODER.encode(value).encode("ascii") + b"\n"


def describe(request: ParsedRequest) -> dict[str, Any]:
    """The result for a request. Every key is always present, and lists keep the order of arrival."""
    head, body = request.head, request.body
    return {
        "method": head.method,
        "target": head.target,
        "path": head.path,
        "host": head.host,
        "args": _pairs(head.args),
        "headers": _pairs(head.headers),
        "cookies": _pairs(head.cookies),
        "auth": head.auth.describe() if head.auth else None,
        "body": _describe_body(body),
        "text": body.text,
        "json": body.json,
        "form": [_describe_field(field) for field in body.form],
        "files": [_describe_file(file) for file in body.files],
    }


def _pairs(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _describe_body(body: ParsedBody) -> dict[str, Any]:
    media_type = body.media_type
    return {
        "kind": body.kind,
        "media_type": media_type.essence if media_type else None,
        "parameters": _pairs(media_type.parameters) if media_type else [],
        "size": body.size,
        "sha256": body.sha256,
    }


def _describe_field(field: FormField) -> dict[str, Any]:
    return {
        "index": field.index,
        "name": field.name,
        "value": field.value,
        "headers": _pairs(field.headers),
    }


def _describe_file(file: FileEntry) -> dict[str, Any]:
    return {
        "index": file.index,
        "name": file.name,
        "filename": file.filename,
        "content_type": file.content_type,
        "headers": _pairs(file.headers),
        "size": file.size,
        "sha256": file.sha256,
        "href": f"/files/{file.sha256}" if file.stored else None,
    }
