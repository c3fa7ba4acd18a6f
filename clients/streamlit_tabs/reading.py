"""Reads a stream in a thread of its own, so that drawing it does not change when its events come."""

from __future__ import annotations

import json
import queue
import threading
from typing import Any

from ..http1.errors import ClientError
from ..http1.upload_call import Call
from ..sse.event_stream import Event
from ..sse.stream_recording import Arrival, StreamRecording, record
from ..sse.streaming_response import OpenStream

MAX_SECONDS = 120.0


class Reading:
    """A stream that is being read since this object was made.

    `pieces` and `times` are the texts of the events that `take` has found, and their seconds since the
    request. At the end there is either a `recording` or an `error`, a sentence.
    """

    def __init__(self, call: Call, opener: OpenStream, *, whole: bool) -> None:
        self.pieces: list[str] = []
        self.times: list[float] = []
        self.recording: StreamRecording | None = None
        self.error = ""
        self._call, self._opener, self._whole = call, opener, whole
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the stream is at its end and all its events have been taken."""
        return not self._thread.is_alive() and self._arrivals.empty()

    def take(self) -> bool:
        """Add the events that have come since the last time. Returns whether there are any."""
        before = len(self.times)
        while not self._arrivals.empty():
            arrival = self._arrivals.get()
            if isinstance(arrival.item, Event):
                self.pieces.append(text_of(arrival.item.data))
                self.times.append(arrival.at)
        return len(self.times) > before

    def _run(self) -> None:
        try:
            self.recording = record(
                self._call,
                self._opener,
                whole=self._whole,
                max_time=MAX_SECONDS,
                on_arrival=self._arrivals.put,
            )
        except ClientError as error:
            self.error = str(error)


def text_of(data: str) -> str:
    """The text in the data of one event: of an echo, or of OpenAI's chat. Empty if it has none."""
    try:
        value: Any = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(value, dict):
        return ""
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    text = delta.get("content") if isinstance(delta, dict) else value.get("chunk")
    return text if isinstance(text, str) else ""
