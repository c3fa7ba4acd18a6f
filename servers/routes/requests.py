"""`/requests/`: the last requests of this store, as JSON, as their bytes and as a HAR."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import DYNAMIC, Response, json_response
from ..contract.route import Context, Route
from ..web.har import har_of
from ..web.history import History, Page
from ..web.history_writer import Busy, Failed
from ..web.kept_body import decoded_body
from .files import range_of

MOST_ROWS = 500
MOST_SPANS = 2000

_NUMBER = re.compile(r"[0-9]{1,15}")
_ID = r"[0-9]{1,15}"


def history_of(context: Context) -> History:
    """The history. Raises Problem `not_found` when it is off."""
    if not isinstance(context.history, History):
        raise Problem(
            "not_found",
            "this server keeps no history of requests: --history 500 turns it on",
            rule="S3",
            field="target",
        )
    return context.history


@contextmanager
def readable() -> Iterator[None]:
    """What is raised when the history cannot be read becomes Problem `store_unavailable`."""
    try:
        yield
    except (Busy, Failed) as error:
        raise Problem("store_unavailable", f"the history cannot be read: {error}") from None


def list_requests(request: ParsedRequest, context: Context) -> Response:
    """The rows, the newest first. Raises Problem `bad_value`, `not_found` and `store_unavailable`."""
    history = history_of(context)
    head = request.head
    only = argument(head, "only") or "all"
    if only not in ("all", "forms", "refused", "differ"):
        raise Problem("bad_value", "only is all, forms, refused or differ")
    limit = whole_number(head, "limit", 80)
    if not 1 <= limit <= MOST_ROWS:
        raise Problem("bad_value", f"limit is 1 to {MOST_ROWS}")
    before = whole_number(head, "before", 0) if argument(head, "before") else None
    with readable():
        page = history.page(Page(before, limit, argument(head, "q") or "", only), context.limits)
    return _json(request, page)


def one_request(request: ParsedRequest, context: Context) -> Response:
    """Everything that is kept of a request. Raises Problem `not_found` and `store_unavailable`."""
    history = history_of(context)
    with readable():
        found = history.request(_id(request.head), context.limits)
    if found is None:
        raise _gone(request.head, history)
    return _json(request, found)


def spans(request: ParsedRequest, context: Context) -> Response:
    """Spans of a request from an offset on. Raises Problem."""
    history, head = history_of(context), request.head
    start, limit = whole_number(head, "from", 0), whole_number(head, "limit", MOST_SPANS)
    if not 1 <= limit <= MOST_SPANS:
        raise Problem("bad_value", f"limit is 1 to {MOST_SPANS}")
    with readable():
        row = history.find(_id(head))
        if row is None:
            raise _gone(head, history)
        found = history.spans(_id(head), context.limits)
    wanted = [] if found is None else [span for span in found.spans if span.end > start]
    return _json(request, {**_indexed(wanted[:limit]), "total": 0 if found is None else len(found.spans)})


def _indexed(found: list[Any]) -> dict[str, Any]:
    """Spans with numbers for their roles, paths and rules, and the lists that the numbers point to."""
    lists: dict[str, dict[str, int]] = {name: {"": 0} for name in ("paths", "rules")}
    roles: dict[str, int] = {}
    rows = []
    for span in found:
        row = [span.start, span.length, roles.setdefault(span.role, len(roles))]
        row.append(lists["paths"].setdefault(span.path, len(lists["paths"])))
        row.append(lists["rules"].setdefault(span.rule, len(lists["rules"])))
        if span.also:
            row.append(lists["paths"].setdefault(span.also, len(lists["paths"])))
        rows.append(row)
    return {"roles": list(roles), **{name: list(values) for name, values in lists.items()}, "spans": rows}


def wire_bytes(request: ParsedRequest, context: Context) -> Response:
    """The first bytes of a request as they are kept, or a range of them. Raises Problem."""
    row, _ = found_request(request.head, context)
    if row["kept"] is None:
        raise Problem("not_found", "no backend saw the bytes of this request", rule="S3", field="target")
    return _bytes(request.head, row["kept"], f"request-{row['id']}.http")


def body_bytes(request: ParsedRequest, context: Context) -> Response:
    """The body of a request without the chunked coding, or a range of it, as far as it is kept."""
    row, _ = found_request(request.head, context)
    if row["kept"] is None:
        raise Problem("not_found", "no backend saw the bytes of this request", rule="S3", field="target")
    return _bytes(request.head, decoded_body(row["kept"], row["head"], chunked=bool(row["chunked"])), None)


def har(request: ParsedRequest, context: Context) -> Response:
    """A request and its answers in the format of browsers' network tabs."""
    row, runs = found_request(request.head, context)
    return _json(request, har_of(row, runs))


def found_request(head: RequestHead, context: Context) -> tuple[Any, list[Any]]:
    """The row and the runs of the request in the path. Raises Problem."""
    history = history_of(context)
    with readable():
        found = history.find(_id(head))
    if found is None:
        raise _gone(head, history)
    return found


def _bytes(head: RequestHead, data: bytes, name: str | None) -> Response:
    wanted = range_of(head, len(data))
    fields: tuple[tuple[str, str], ...] = (
        ("Content-Type", "application/octet-stream"),
        *DYNAMIC,
        ("Accept-Ranges", "bytes"),
    )
    if name is not None:
        fields = (*fields, ("Content-Disposition", f'attachment; filename="{name}"'))
    head_only = head.method == "HEAD"
    if wanted is None:
        return Response(200, fields, data, head_only)
    content_range = f"bytes {wanted.start}-{wanted.stop - 1}/{len(data)}"
    return Response(
        206, (*fields, ("Content-Range", content_range)), data[wanted.start : wanted.stop], head_only
    )


def _json(request: ParsedRequest, value: Any) -> Response:
    return json_response(value, head_only=request.head.method == "HEAD")


def _id(head: RequestHead) -> int:
    return int(head.path.removeprefix("/requests/").partition("/")[0].partition(".")[0])


def _gone(head: RequestHead, history: History) -> Problem:
    what = f"request {_id(head)} is not in the history, which keeps the last {history.most}"
    return Problem("not_found", what, rule="S3", field="target")


def argument(head: RequestHead, name: str) -> str | None:
    """The value of the first pair of the query with this name."""
    return next((pair.value for pair in head.args if pair.name == name), None)


def whole_number(head: RequestHead, name: str, default: int) -> int:
    """The value of a pair of the query. Raises Problem `bad_value`."""
    value = argument(head, name)
    if value is None or value == "":
        return default
    if not _NUMBER.fullmatch(value):
        raise Problem("bad_value", f"{name} is a whole number")
    return int(value)


def _route(name: str, path: str, handler: Any) -> Route:
    return Route(name, path, ("GET",), handler, private=True, uses_store=True)


REQUESTS = _route("requests", r"/requests/", list_requests)
ONE_REQUEST = _route("request", rf"/requests/{_ID}", one_request)
SPANS = _route("request_spans", rf"/requests/{_ID}/spans", spans)
WIRE_BYTES = _route("request_bytes", rf"/requests/{_ID}\.http", wire_bytes)
BODY_BYTES = _route("request_body", rf"/requests/{_ID}\.body", body_bytes)
HAR = _route("request_har", rf"/requests/{_ID}\.har", har)
