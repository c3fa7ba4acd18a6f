"""Draws one response while it is sent: its head, its body or each chunk of a stream, and the times."""

from collections.abc import Callable

from ...contract.responses import JSON, PROBLEM_JSON, Event, EventStream, Response
from .data_run import SHOWN_BYTES, DataRun
from .folded_json import folded_json
from .screen import Rows
from .visible_bytes import visible

_SHOWN_WHOLE = 4096  # a body of text is shown whole up to this size
_SHOWN_ROWS = 60  # of a JSON body


class ResponseDrawing:
    """Call `piece` before each piece is sent, and `end` when all are. `seconds` gives the time."""

    def __init__(
        self, rows: Rows, seconds: Callable[[], float], response: Response, head: bytes, *, keep_alive: bool
    ) -> None:
        self._rows = rows
        self._seconds = seconds
        self._response = response
        self._head = head
        self._keep_alive = keep_alive
        self._size = 0
        self._run = DataRun(rows, "resp. body")

    def piece(self, piece: Event) -> None:
        """The next bytes. The first piece begins with the whole head."""
        data = piece.data
        if not self._size:
            self._rows.mark(self._seconds(), "the response begins")
            for line in self._head.decode("ascii").splitlines():
                if line:
                    self._rows.say("response", line, "blue")
            data = data[len(self._head) :]
        self._size += len(piece.data)
        if not data:
            return
        if isinstance(self._response.body, EventStream):
            self._draw_chunk(data)
        elif isinstance(self._response.body, bytes):
            self._draw_body(data)
        else:
            self._run.add(data)

    def end(self) -> None:
        """The last piece is sent."""
        then = "the connection stays open" if self._keep_alive else "the connection is closed"
        self._finish(f"the response ends: {self._size:,} bytes sent; {then}")

    def cut_off(self) -> None:
        """The connection has ended before the last piece."""
        self._finish(f"the response is cut off after {self._size:,} bytes")

    def _finish(self, what: str) -> None:
        self._run.end()
        self._rows.mark(self._seconds(), what)

    def _draw_chunk(self, data: bytes) -> None:
        self._rows.say("chunk", f"{self._seconds():.3f} s  {visible(data[:SHOWN_BYTES])}")
        if len(data) > SHOWN_BYTES:
            self._rows.say("", f"… {len(data) - SHOWN_BYTES:,} more bytes of this chunk", "dim")

    def _draw_body(self, body: bytes) -> None:
        rows = self._folded(body)
        if rows:
            self._rows.say("resp. body", f"({len(body):,} bytes of JSON, shown folded)", "dim")
            for row in rows[:_SHOWN_ROWS]:
                self._rows.say("", visible(row))
            if len(rows) > _SHOWN_ROWS:
                self._rows.say("", f"… {len(rows) - _SHOWN_ROWS:,} more rows", "dim")
            return
        limit = _SHOWN_WHOLE if len(body) <= _SHOWN_WHOLE else SHOWN_BYTES
        self._run = DataRun(self._rows, "resp. body", limit=limit)
        self._run.add(body)

    def _folded(self, body: bytes) -> list[str]:
        """The rows of a JSON body, or none for other bodies."""
        content_type = dict(self._response.headers).get("Content-Type")
        if content_type not in (JSON, PROBLEM_JSON):
            return []
        try:
            return folded_json(body, self._rows.room)
        except ValueError:
            return []
