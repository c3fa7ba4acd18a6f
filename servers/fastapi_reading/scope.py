"""An ASGI scope as a request head: what any ASGI server tells an application about a request."""

from starlette.requests import Request
from starlette.types import Scope

from ..contract.limits import Limits
from ..contract.request import RequestHead
from .fields import FieldLine
from .head import RequestLine, read_head

TARGET_EXTENSION = "wireproof.target"
"""A key of `scope["extensions"]`: the request target, where the server still knows it as it was sent."""


def read_scope(request: Request, limits: Limits) -> RequestHead:
    """Steps 1 to 5 of the order of judgement. Raises Problem.

    `path` and `url` are decoded by replacement and made up from Host, so that they are not looked at.
    """
    scope = request.scope
    version = b"HTTP/" + scope["http_version"].encode("ascii")
    line = RequestLine(scope["method"].encode("ascii"), _target(scope), version)
    return read_head(line, (known_field(*field) for field in request.headers.raw), limits)


def _target(scope: Scope) -> bytes:
    """As it was sent; where no server says so, an empty query cannot be told from none (R34)."""
    known: bytes | None = scope.get("extensions", {}).get(TARGET_EXTENSION)
    if known is not None:
        return known
    path, query = scope["raw_path"], scope["query_string"]
    target: bytes = path + b"?" + query if query else path
    return target


def known_field(name: bytes, value: bytes) -> FieldLine:
    """A field that a server has split; the blank after the colon was most likely there (H30)."""
    return FieldLine(name, value, len(name) + len(b": ") + len(value) + len(b"\r\n"))
