"""What the log says of the requests of one socket."""

import socket
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from ..contract.capture import Capture
from ..contract.request_log import RequestLog, RequestRecord
from ..contract.responses import Event, EventStream, Response


class ConnectionRecord(RequestRecord):
    """The record of the request under way. It counts what was sent of the response's body.

    Raises OSError when the client has already gone.
    """

    __slots__ = ("_head_size", "_streams")

    def __init__(self, log: RequestLog, sock: socket.socket, capture: Capture | None = None) -> None:
        super().__init__(log, sock.getpeername(), capture)
        self._head_size = 0
        self._streams = False

    def send(self, response: Response, head: bytes) -> Response:
        """Note the response and the size of its head. Returns the response that is to be sent."""
        self.respond(response)
        self._head_size = len(head)
        self._streams = isinstance(response.body, EventStream)
        if not isinstance(response.body, EventStream):
            return response
        return replace(response, body=EventStream(self._counted(response.body.events)))

    def sent_in_all(self, size: int) -> None:
        """The response or the connection has ended. `size` is in bytes, with the head and chunked coding."""
        if self.status is not None and not self._streams:
            self.sent = max(0, size - self._head_size)
        self.end()

    def _counted(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        with closing(events):
            for event in events:
                if self.capture is not None and event.data:
                    self.capture.piece(event.data)
                yield event
                self.sent += len(event.data)  # the next event is wanted: this one is sent
