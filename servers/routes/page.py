"""`/ui/` and `/ui/FILE`: the page, as it is in the folder `servers/web/page`. `/` leads a browser there."""

import hashlib
import re
from pathlib import Path

from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import DYNAMIC, Response
from ..contract.route import Context, Route
from .conditions import is_unchanged

FOLDER = Path(__file__).resolve().parent.parent / "web" / "page"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The page may load, run and reach only what this server sends."""

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json",
}
_FIELDS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Wireproof-Contract", "1"),
)
# media-range of RFC 9110 12.5.1, with its weight. Other parameters make a range more special than ours.
_RANGE = re.compile(r"([A-Za-z0-9!#$&^_.+-]+|\*)/([A-Za-z0-9!#$&^_.+-]+|\*)((?:[ \t]*;[^,]*)?)")
_WEIGHT = re.compile(r"[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)


def send_page_file(request: ParsedRequest, _context: Context) -> Response:
    """The file, or 304 if the client has it already. Raises Problem `not_found`, and OSError."""
    name = request.head.path.removeprefix("/ui/") or "index.html"
    try:
        data = (FOLDER / name).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise Problem("not_found", f"{name!a} is not a file of the page", rule="S3", field="target") from None
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    # The client asks each time whether its copy is the newest.
    caching = (("ETag", etag), ("Cache-Control", "no-cache"))
    if is_unchanged(request.head, etag):
        return Response(304, (*caching, ("Wireproof-Contract", "1")))
    kind = _TYPES[name.rpartition(".")[2]]
    fields = (("Content-Type", kind), *_FIELDS, *caching)
    return Response(200, fields, data, head_only=request.head.method == "HEAD")


def lead_to_page(_request: ParsedRequest, _context: Context) -> Response:
    """A redirect to the page. It is relative, so it is right under a path prefix of a proxy too."""
    return Response(303, (("Location", "ui/"), ("Vary", "Accept"), *DYNAMIC))


def prefers_html(head: RequestHead) -> bool:
    """Whether this is a GET or HEAD whose Accept weighs text/html more than application/json."""
    accept = head.field("accept")
    if head.method not in ("GET", "HEAD") or accept is None:
        return False
    return _weight(accept, "text", "html") > _weight(accept, "application", "json")


def _weight(accept: str, kind: str, subtype: str) -> float:
    """The weight of a media type: that of the most special range that it is in (RFC 9110 12.5.1)."""
    best = (-1, 0.0)
    for element in accept.split(","):
        match = _RANGE.fullmatch(element.strip(" \t"))
        if match is None:
            continue
        found = match[1].lower(), match[2].lower()
        if found not in ((kind, subtype), (kind, "*"), ("*", "*")):
            continue
        weight = _WEIGHT.fullmatch(match[3]) if match[3] else None
        if match[3] and weight is None:
            continue
        special = sum(part != "*" for part in found)
        best = max(best, (special, float(weight[1]) if weight else 1.0))
    return best[1]


_NAMES = "|".join(_TYPES)
HOME = Route("home", r"/", ("GET",), lead_to_page, open=True, when=prefers_html)
PAGE = Route("page", r"/ui", ("GET",), lead_to_page, open=True)
PAGE_FILES = Route(
    "page_files",
    rf"/ui/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:{_NAMES}))?",
    ("GET",),
    send_page_file,
    open=True,
    uses_store=True,
)
