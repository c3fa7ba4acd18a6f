"""The events of a recorded stream as values, so that two streams can be compared event by event."""

import json
from typing import Any

from .event_stream import Event, EventStreamParser


def event_values(body: bytes) -> list[Any]:
    """One value for each event, in order: the JSON value of its data, or its data as text (`[DONE]`).

    An event with a type or an id of its own is an object with `data`, `event` and `id`.
    """
    items = EventStreamParser().feed(body)
    return [_value(item) for item in items if isinstance(item, Event)]


def _value(event: Event) -> Any:
    try:
        data = json.loads(event.data)
    except ValueError:
        data = event.data
    if (event.type, event.id) == ("message", ""):
        return data
    return {"data": data, "event": event.type, "id": event.id}
