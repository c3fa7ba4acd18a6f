"""Parses Server-Sent Events: bytes in, in any split, events out (HTML, section 9.2).

The parser has no socket and no clock. It gives an event out with the byte that ends its blank line, a CR
included. It does not wait for the LF that may follow a CR, because it could be seconds away.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

# A browser sets no limit. A stream that never ends its line or event must not fill our memory.
MAX_EVENT_CHARACTERS = 16 << 20

# end-of-line = ( cr lf / cr / lf )                                        HTML, section 9.2.5
_LINE_END = re.compile("[\r\n]")
# "If the field value consists of only ASCII digits"; at most 18 of them, which is a limit of ours
_RETRY = re.compile("[0-9]{1,18}")
_BOM = "\ufeff"


class EventStreamError(Exception):
    """The stream has an event that is too large to be kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """A dispatched event. `id` is the last event ID at that time, which an event without an id inherits."""

    data: str
    type: str = "message"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that begins with a colon, such as the pings that keep a proxy from closing."""

    text: str


Item: TypeAlias = Event | Comment


class EventStreamParser:
    """Feed it with `feed`, which returns the events and comments that the bytes complete, in order.

    A client that reconnects would use `last_event_id` and `retry` (milliseconds, None before the stream sets
    it).
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._after_cr = False
        self._line: list[str] = []
        self._data: list[str] = []
        self._type = ""
        self._id = ""
        self._line_size = 0
        self._data_size = 0

    @property
    def unfinished(self) -> bool:
        """Whether an event has begun and no blank line has ended it. The end of the stream discards it."""
        return bool(self._line or self._data)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes; return the events and comments that they complete. Raises EventStreamError."""
        text = self._decoder.decode(data)
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix(_BOM)
        return [item for line in self._lines(text) if (item := self._take(line)) is not None]

    def _lines(self, text: str) -> Iterator[str]:
        """The lines that end in `text`; the rest is kept for the next call."""
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        start = 0
        for end in _LINE_END.finditer(text):
            if end.start() < start:
                continue  # the LF of a CRLF
            yield "".join((*self._line, text[start : end.start()]))
            self._line.clear()
            self._line_size = 0
            start = end.end()
            if end[0] == "\r":
                self._after_cr = start == len(text)
                start += text.startswith("\n", start)
        if start < len(text):
            self._line.append(text[start:])
            self._line_size += len(text) - start
            self._check_size()

    def _take(self, line: str) -> Item | None:
        """One line, without its end (HTML, section 9.2.6)."""
        if not line:
            return self._dispatch()
        name, colon, value = line.partition(":")
        if colon and not name:
            return Comment(value.removeprefix(" "))
        self._set(name, value.removeprefix(" "))
        return None

    def _set(self, name: str, value: str) -> None:
        """A field; an unknown name is ignored, and names are case-sensitive."""
        if name == "data":
            self._data.append(value)
            self._data_size += len(value) + 1
            self._check_size()
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and _RETRY.fullmatch(value):
            self.retry = int(value)

    def _dispatch(self) -> Event | None:
        """The blank line ends an event. Without a data line there is no event, but its id counts."""
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data, self._data_size, self._type = [], 0, ""
        return Event("\n".join(data), kind or "message", self._id) if data else None

    def _check_size(self) -> None:
        if self._line_size + self._data_size > MAX_EVENT_CHARACTERS:
            raise EventStreamError(f"an event has more than {MAX_EVENT_CHARACTERS >> 20} Mi characters")
