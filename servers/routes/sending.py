"""`/ui/send` sends a request to the configured servers, `/ui/cases` lists the recorded ones.

What sends is loaded by the first use: a server without a page does not need it.
"""

import re
from typing import TYPE_CHECKING

from ..contract.problems import Problem
from ..contract.request import ParsedRequest, RequestHead
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route

if TYPE_CHECKING:
    from ..web.message import Message

MAX_CASES = 500
_DEFAULT_CASES = 50


def send(request: ParsedRequest, context: Context) -> Response:
    """Send the body, or a recorded request, to the servers that are named, and compare what they respond.

    Raises Problem `bad_value`, `not_found` and `overloaded`.
    """
    from ..web import sending

    head = request.head
    peers = sending.named_peers(context, _names(head))
    name = _argument(head, "case")
    with sending.a_send():
        message = _uploaded(request) if name is None else _recorded(request, name)
        outcomes = sending.send_to_all(message, peers)
    return json_response(sending.describe(outcomes, None))


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
        raise Problem("not_found", f"no recorded request has the name {name!a}")
    return message


def cases(request: ParsedRequest, _context: Context) -> Response:
    """The recorded requests with the words or the rule in `q`. Raises Problem `bad_value`."""
    from ..web import recorded

    found = recorded.find(_argument(request.head, "q") or "")
    shown = found[: _limit(_argument(request.head, "limit"))]
    value = {"total": len(found), "cases": [case.describe() for case in shown]}
    return json_response(value, head_only=request.head.method == "HEAD")


def _argument(head: RequestHead, name: str) -> str | None:
    return next((pair.value for pair in head.args if pair.name == name), None)


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_CASES
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > MAX_CASES:
        raise Problem("bad_value", f"limit is a number of at most {MAX_CASES}")
    return int(text)


SEND = Route("send", r"/ui/send", ("POST",), send, body="spooled", private=True, uses_store=True)
CASES = Route("cases", r"/ui/cases", ("GET",), cases, private=True, uses_store=True)
