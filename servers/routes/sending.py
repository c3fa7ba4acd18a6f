"""`/ui/send` and `/requests/{id}/replay` send a request to the configured servers, `/ui/cases` lists some.

What sends is loaded by the first use: a server without a page does not need it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route
from .json_values import checked, json_object, optional
from .requests import argument, found_request, whole_number

if TYPE_CHECKING:
    from ..web.message import Message

MAX_CASES = 500
_DEFAULT_CASES = 50


def send(request: ParsedRequest, context: Context) -> Response:
    """Send the body, or a recorded request, to the servers that are named, and compare what they respond.

    Raises Problem `bad_value`, `not_found` and `overloaded`.
    """
    head = request.head
    name = argument(head, "case")

    def message() -> "Message":
        return _uploaded(request) if name is None else _recorded(request, name)

    return _send(message, _names(head), context)


def replay(request: ParsedRequest, context: Context) -> Response:
    """Send a request of the history again. Raises Problem as `send` does, and `store_unavailable`."""
    from ..web.sent_requests import message_again

    to = optional(json_object(request.body), "to", list, None)
    names = None if to is None else [checked(name, "a name in `to`", str) for name in to]
    row, _ = found_request(request.head, context)
    return _send(lambda: message_again(row), names, context)


def _send(message_of: "Callable[[], Message]", names: list[str] | None, context: Context) -> Response:
    from ..web import sending

    peers = sending.named_peers(context, names)
    with sending.a_send():
        return json_response(sending.send_and_describe(message_of(), peers, context))


def _names(head: RequestHead) -> list[str] | None:
    """The names in Wireproof-To, or None if the field is missing."""
    value = head.field("wireproof-to")
    return None if value is None else [name.strip(" \t") for name in value.split(",") if name.strip(" \t")]


def _uploaded(request: ParsedRequest) -> "Message":
    """The body of the page's request behind a head of its own."""
    from ..web.forwarded_head import forwarded_head
    from ..web.message import Message, Piece

    method, head = forwarded_head(request.head, request.body.size)
    content = request.body.content
    return Message((method,), (Piece(head), *([Piece(content)] if content is not None else [])))


def _recorded(request: ParsedRequest, name: str) -> "Message":
    from ..web import recorded

    if request.body.size:
        raise Problem("bad_value", "a recorded request has a body of its own: send none with it")
    message = recorded.message_of(name)
    if message is None:
        raise Problem("not_found", f"no recorded request has the name {name!a}", rule="S3", field="target")
    return message


def cases(request: ParsedRequest, _context: Context) -> Response:
    """The recorded requests with the words or the rule in `q`. Raises Problem `bad_value`."""
    from ..web import recorded

    limit = whole_number(request.head, "limit", _DEFAULT_CASES)
    if limit > MAX_CASES:
        raise Problem("bad_value", f"limit is at most {MAX_CASES}")
    found = recorded.find(argument(request.head, "q") or "")
    shown = found[:limit]
    value = {"total": len(found), "cases": [case.describe() for case in shown]}
    return json_response(value, head_only=request.head.method == "HEAD")


SEND = Route(
    "send", r"/ui/send", ("POST",), send, body="spooled", private=True, uses_store=True, uploads=True
)
REPLAY = Route("replay", r"/requests/[0-9]{1,15}/replay", ("POST",), replay, private=True, uses_store=True)
CASES = Route("cases", r"/ui/cases", ("GET",), cases, private=True, uses_store=True)
