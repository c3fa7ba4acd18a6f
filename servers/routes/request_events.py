"""`/requests/events`: what changes in the history, as Server-Sent Events."""

import re
import time
from collections.abc import Generator

from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Event, EventStream, Response, event_stream_response
from ..contract.route import Context, Route
from ..web.change_feed import LOOK_SECONDS, event
from ..web.history import History
from .requests import history_of, readable
from .server_state import backends

_NUMBER = re.compile(r"[0-9]{1,15}")
# A comment after so many seconds without an event shows a proxy, and us, that the other side is there.
_HEARTBEAT_SECONDS = 10.0
_HEARTBEAT = b": \n\n"


def request_events(request: ParsedRequest, context: Context) -> Response:
    """The stream, from now on or from the event in Last-Event-ID on. It ends when the server stops.

    Raises Problem `not_found`, `store_unavailable` and `overloaded`.
    """
    history = history_of(context)
    if history.feed.is_full:
        raise Problem("overloaded", "too many listen to the history")
    given = request.head.field("last-event-id") or ""
    last = int(given) if _NUMBER.fullmatch(given) else None
    # Taken before the database is read, so that no change falls between. The feed leaves out what was read.
    position = history.feed.position
    with readable():
        change, newest, missed = history.missed(last, context.limits)
    servers = event("servers", {"backends": backends(request, context)})
    first = b"retry: 1000\n\n" + servers + b"".join(missed)
    response = event_stream_response(_events(history, context, change, newest, position, first))
    if request.head.method == "HEAD":
        response.close()
        return Response(200, response.headers, EventStream(_nothing()), head_only=True)
    return response


def _events(
    history: History, context: Context, change: int, newest: int, position: int, first: bytes
) -> Generator[Event, None, None]:
    history.feed.listen(change, newest, context.limits)
    try:
        yield Event(first, LOOK_SECONDS)
        sent = time.monotonic()
        while not history.stopping.is_set():
            data, position, change = history.feed.since(position, change)
            now = time.monotonic()
            if not data and now - sent >= _HEARTBEAT_SECONDS:
                data = _HEARTBEAT
            if data:
                sent = now
            yield Event(data, LOOK_SECONDS)
    finally:
        history.feed.leave()


def _nothing() -> Generator[Event, None, None]:
    yield from ()


REQUEST_EVENTS = Route(
    "request_events", r"/requests/events", ("GET",), request_events, private=True, uses_store=True
)
