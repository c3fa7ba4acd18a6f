"""A whole head from its request line and its fields: steps 3 to 5 of contract section 4."""

from collections.abc import Iterable

from ..contract.problems import Problem
from ..contract.request import Pair, RequestHead
from .authorization import read_authorization
from .cookies import read_cookies
from .framing import read_framing
from .host import is_host
from .request_line import RequestLine
from .target import locate

Fields = dict[str, list[str]]
"""Maps each name, in lower case, to the trimmed values of its lines in order of arrival."""


def assemble(line: RequestLine, fields: Fields) -> RequestHead:
    """Check framing, Host, path and query, and build the head.

    Raises Problem `bad_framing`, `unsupported_transfer_coding`, `bad_host`, `bad_percent` and
    `target_not_utf8`, in this order.
    """
    framing = read_framing(
        fields.get("content-length", []), fields.get("transfer-encoding", []), http_1_0=line.http_1_0
    )
    host = _read_host(fields.get("host", []), line)
    location = locate(line.method, line.target)
    headers = {name: join_lines(name, values) for name, values in fields.items()}
    if line.target.authority is not None:
        headers["host"] = line.target.authority  # RFC 9112 3.2.2: it replaces the field (R2)
    authorization = headers.get("authorization")
    return RequestHead(
        method=line.method,
        target=line.target.origin,
        path=location.path,
        host=host,
        args=location.args,
        headers=tuple(Pair(name, headers[name]) for name in sorted(headers)),
        cookies=read_cookies(headers.get("cookie", "")),
        auth=read_authorization(authorization) if authorization else None,
        content_length=framing.content_length,
        chunked=framing.chunked,
        last_segment=location.last_segment,
        https_target=line.target.https,
    )


def join_lines(name: str, values: Iterable[str]) -> str:
    """Join repeated fields with a comma and no blank, as WSGI does (H20), but Cookie with `; ` (H21).

    Empty Cookie lines are left out: a value would otherwise begin or end with a blank.
    """
    return "; ".join(value for value in values if value) if name == "cookie" else ",".join(values)


def _read_host(values: list[str], line: RequestLine) -> str | None:
    """The value of Host. The field is checked even if the authority of the target replaces it."""
    if len(values) > 1:
        raise Problem("bad_host", "two Host lines (H26)", rule="H26", field="host")
    if not values and not line.http_1_0:
        raise Problem("bad_host", "HTTP/1.1 requires a Host field (H24)", rule="H24", field="host")
    if values and not is_host(values[0]):
        what = f"{values[0][:80]!a} is not a valid host (H27)"
        raise Problem("bad_host", what, rule="H27", field="host")
    if line.target.authority is not None:
        return line.target.authority
    return values[0] if values else None
