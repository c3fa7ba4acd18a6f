"""`/files/{sha256}` and `/files/{sha256}/{filename}`: a stored file or a range of it.

The fields of the response keep a browser from running the file.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from ..contract.digests import repr_digest_of_file
from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import FileSlice, Response
from ..contract.route import Context, Route
from ..storage.base import ReadableFile
from .conditions import is_unchanged, may_send_range

MAX_NAME = 255
"""The characters of a name to download a file under. No common file system allows more."""

_HASH = re.compile(r"[0-9a-f]{64}")
# RFC 9110 14.1.2: one int-range or one suffix-range. A list, another unit or a malformed value is ignored.
_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)
# RFC 6266 appendix D: what clients read in different ways stays out of `filename`.
_NOT_PLAIN = re.compile(r'[^ -~]|["%/\\]')
# attr-char of RFC 8187 3.2.1, without letters, digits and the four that `quote` never encodes.
_ATTR_CHARS = "!#$&+^`|"
_FOREIGN_CONTENT = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Range(NamedTuple):
    """Bytes of a file from `start` to before `stop`."""

    start: int
    stop: int


def send_file(request: ParsedRequest, context: Context) -> Response:
    """The whole file (200), a range of it (206), or 304 if the client has it already.

    The first block has been read when the response begins, so a file that cannot be read is a Problem too.
    Raises OSError, and Problem `bad_value`, `not_found`, `precondition_failed` and `range_not_satisfiable`.
    """
    head = request.head
    sha256, _, named = head.path.removeprefix("/files/").partition("/")
    disposition = _attachment(head.last_segment) if named else "attachment"
    file = context.store.open(sha256) if _HASH.fullmatch(sha256) else None
    if file is None:
        raise Problem("not_found", "no file with this hash is stored", rule="S3", field="target")
    try:
        return _response(request, sha256, file, disposition)
    except BaseException:
        file.close()
        raise


def _attachment(name: str) -> str:
    """A Content-Disposition with both forms of a file name (RFC 6266 4.3). Raises Problem `bad_value`.

    `filename` has `_` for every character that is not plain ASCII; `filename*` has the name as it is.
    """
    if len(name) > MAX_NAME:
        raise Problem(
            "bad_value",
            f"the file name has {len(name)} characters, at most {MAX_NAME} are allowed",
            field="target",
        )
    plain, exact = _NOT_PLAIN.sub("_", name), quote(name, safe=_ATTR_CHARS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _response(request: ParsedRequest, sha256: str, file: ReadableFile, disposition: str) -> Response:
    head = request.head
    etag = f'"{sha256}"'
    caching = (("ETag", etag), ("Cache-Control", "private, max-age=31536000, immutable"))
    if is_unchanged(head, etag):
        file.close()
        return Response(304, (*caching, ("Wireproof-Contract", "1")))
    wanted = range_of(head, file.size) if may_send_range(head, etag) else None
    fields = (
        ("Content-Type", "application/octet-stream"),
        ("Content-Disposition", disposition),
        *_FOREIGN_CONTENT,
        *caching,
        ("Accept-Ranges", "bytes"),
        *repr_digest_of_file(request.wants_digest, sha256, file),
        ("Wireproof-Contract", "1"),
    )
    start, stop = wanted or (0, file.size)
    body = FileSlice(file, start, stop - start)
    if head.method == "HEAD":
        body.close()
        return Response(200, fields, body, head_only=True)
    body.read_ahead()
    if wanted is None:
        return Response(200, fields, body)
    return Response(206, (*fields, ("Content-Range", f"bytes {start}-{stop - 1}/{file.size}")), body)


def range_of(head: RequestHead, size: int) -> Range | None:
    """The range that the client asked for, or None for the whole file (RFC 9110 14.2).

    Raises Problem `range_not_satisfiable`.
    """
    field = head.field("range")
    match = _RANGE.fullmatch(field) if field is not None else None
    if head.method != "GET" or match is None:
        return None
    first, last, suffix = (None if digits is None else _number(digits) for digits in match.groups())
    if suffix and not size:
        return None  # satisfiable, but no Content-Range can describe zero bytes (RFC 9110 14.1.2, W5)
    if suffix is not None:
        wanted = Range(max(size - suffix, 0), size)
    else:
        assert first is not None, "a range without a suffix has a first position"
        if last is not None and last < first:
            return None
        wanted = Range(first, size if last is None else min(last + 1, size))
    if wanted.start >= wanted.stop:
        raise Problem(
            "range_not_satisfiable",
            f"the file has {size} bytes",
            headers=(("Content-Range", f"bytes */{size}"),),
            rule="S6",
            field="range",
        )
    return wanted


def _number(digits: str) -> int | None:
    """The value of a position, or None for no digits. Twenty digits exceed the size of any file.

    CPython refuses to convert more than 4300 digits.
    """
    significant = digits.lstrip("0")
    return int(significant[:20] or "0") if digits else None


_PATH = r"/files/[^/]+(?:/[^/]+)?"
FILES = Route("files", _PATH, ("GET",), send_file, private=True, uses_store=True, shared=True)
