"""`/stream_echo`: Server-Sent Events with one character of the query each (contract section 6)."""

import json
from collections.abc import Generator

from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Event, Response, event_stream_response
from ..contract.route import Context, Route
from .json_values import json_object, required

DEFAULT_DELAY = 0.3
MAX_DELAY = 10


def stream_echo(request: ParsedRequest, _context: Context) -> Response:
    """The stream. Raises Problem `bad_value`, `unsupported_media_type` or `json_invalid` before it starts."""
    members = json_object(request.body)
    return event_stream_response(_characters(required(members, "query", str), _delay(members)))


def _delay(members: dict[str, object]) -> float:
    value = members.get("delay", DEFAULT_DELAY)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DELAY:
        raise Problem("bad_value", f"delay must be a number of seconds from 0 to {MAX_DELAY}")
    return float(value)


def _characters(query: str, delay: float) -> Generator[Event, None, None]:
    last = len(query) - 1
    for index, character in enumerate(query):
        data = b"data: %s\n\n" % json.dumps({"chunk": character}).encode("ascii")
        yield Event(data, delay if index < last else 0.0)


STREAM_ECHO = Route("stream_echo", r"/stream_echo", ("POST",), stream_echo)
