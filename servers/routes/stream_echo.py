"""`/stream_echo`: Server-Sent Events with one character of the query each (contract section 6)."""

import json
from collections.abc import Generator

from ..contract.request import ParsedRequest
from ..contract.responses import Event, Response, event_stream_response
from ..contract.route import Context, Route
from .json_values import json_object, required, seconds

DEFAULT_DELAY = 0.3


def stream_echo(request: ParsedRequest, _context: Context) -> Response:
    """The stream. Raises Problem `bad_value`, `unsupported_media_type` or `json_invalid` before it starts."""
    members = json_object(request.body)
    query, delay = required(members, "query", str), seconds(members, "delay", DEFAULT_DELAY)
    return event_stream_response(_characters(query, delay))


def _characters(query: str, delay: float) -> Generator[Event, None, None]:
    last = len(query) - 1
    for index, character in enumerate(query):
        data = b"data: %s\n\n" % json.dumps({"chunk": character}).encode("ascii")
        yield Event(data, delay if index < last else 0.0)


STREAM_ECHO = Route("stream_echo", r"/stream_echo", ("POST",), stream_echo)
