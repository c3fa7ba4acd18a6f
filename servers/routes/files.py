"""`/files/{sha256}`: a stored file or a range of it, with fields that keep a browser from running it."""

import base64
import re
from typing import NamedTuple

from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import FileSlice, Response
from ..contract.route import Context, Route
from ..storage.base import ReadableFile

_HASH = re.compile(r"[0-9a-f]{64}")
# RFC 9110 14.1.2: one int-range or one suffix-range. A list, another unit or a malformed value is ignored.
_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19}))[ \t]*", re.IGNORECASE)
_FOREIGN_CONTENT = (
    ("Content-Type", "application/octet-stream"),
    ("Content-Disposition", "attachment"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class _Range(NamedTuple):
    """Bytes of a file from `start` to before `stop`."""

    start: int
    stop: int


def send_file(request: ParsedRequest, context: Context) -> Response:
    """The whole file (200), a range of it (206), or 304 if the client has it already.

    Raises Problem `not_found` and `range_not_satisfiable`.
    """
    head = request.head
    sha256 = head.path.removeprefix("/files/")
    file = context.store.open(sha256) if _HASH.fullmatch(sha256) else None
    if file is None:
        raise Problem("not_found", "no file with this hash is stored")
    try:
        return _response(head, sha256, file)
    except BaseException:
        file.close()
        raise


def _response(head: RequestHead, sha256: str, file: ReadableFile) -> Response:
    etag = f'"{sha256}"'
    caching = (("ETag", etag), ("Cache-Control", "private, max-age=31536000, immutable"))
    if _none_match(head.field("if-none-match"), etag):
        file.close()
        return Response(304, (*caching, ("Wireproof-Contract", "1")))
    wanted = _range(head, etag, file.size)
    digest = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
    fields = (
        *_FOREIGN_CONTENT,
        *caching,
        ("Accept-Ranges", "bytes"),
        ("Repr-Digest", f"sha-256=:{digest}:"),
        ("Wireproof-Contract", "1"),
    )
    head_only = head.method == "HEAD"
    if wanted is None:
        return Response(200, fields, FileSlice(file, 0, file.size), head_only)
    content_range = ("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{file.size}")
    body = FileSlice(file, wanted.start, wanted.stop - wanted.start)
    return Response(206, (*fields, content_range), body, head_only)


def _none_match(field: str | None, etag: str) -> bool:
    """Whether If-None-Match names this file: weak comparison (RFC 9110 13.1.2)."""
    if field is None:
        return False
    return any(tag.strip(" \t").removeprefix("W/") in ("*", etag) for tag in field.split(","))


def _range(head: RequestHead, etag: str, size: int) -> _Range | None:
    """The range that the client asked for, or None for the whole file (RFC 9110 14.2, 13.1.5)."""
    field, if_range = head.field("range"), head.field("if-range")
    match = _RANGE.fullmatch(field) if field is not None else None
    if head.method != "GET" or match is None or (if_range is not None and if_range != etag):
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        wanted = _Range(max(size - int(suffix), 0), size)
    elif last and int(last) < int(first):
        return None
    else:
        wanted = _Range(int(first), min(int(last) + 1, size) if last else size)
    if wanted.start >= wanted.stop:
        raise Problem(
            "range_not_satisfiable",
            f"the file has {size} bytes",
            headers=(("Content-Range", f"bytes */{size}"),),
        )
    return wanted


FILES = Route("files", r"/files/[^/]+", ("GET",), send_file, private=True)
