"""One connection under uvicorn: `sansio` reads what the client sends, h11 keeps the connection's state.

uvicorn asks an `h11.Connection` for events and gives it the response to encode. h11 is laxer than the
contract in some places and stricter in others, so it does not see the client's bytes:

    bytes -> sansio.RequestReader -> Connection -> h11's events -> uvicorn

    event of sansio     what h11 gets                    what uvicorn gets
    HeadReceived        a short head with chunked body   h11.Request
    BodyReceived        nothing                          h11.Data
    BodyComplete        the last chunk                   h11.EndOfMessage
    ConnectionClosed    the end of the peer's sending    h11.NEED_DATA
    NEED_DATA           nothing                          h11.NEED_DATA
    Problem             nothing                          h11.RemoteProtocolError

So h11 knows when the request ends, whether the connection may be used again, and how to frame the response.
"""

from typing import Any

import h11

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from ..sansio.stream import NEED_DATA

# In any other state the client has said that no further request follows: more bytes mean nothing (B4).
_READABLE = (h11.IDLE, h11.SEND_BODY, h11.DONE)


class Connection(h11.Connection):
    """An h11 connection that reads by the parsers of `sansio`.

    `received` is the head of the request at hand. `problem` is what was wrong with a head or a body; from
    then on nothing more is read.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=limits.max_request_line + 1024)
        self.received: HeadReceived | None = None
        self.problem: Problem | None = None
        self._requests = RequestReader(limits)

    @property
    def in_head(self) -> bool:
        """Whether a head has begun and is not complete."""
        return self.their_state is h11.IDLE and not self._requests.between_requests

    @property
    def request_line(self) -> tuple[str | None, str | None]:
        """The method and the target of the head at hand, or None twice until its line was accepted."""
        return self._requests.request_line

    def receive_data(self, data: bytes) -> None:
        """Take what arrived; b"" says that the peer has ended its side."""
        if self.problem is None:
            self._requests.feed(data)

    def next_event(self) -> Any:
        """The next event for uvicorn. Raises RemoteProtocolError once, when `problem` becomes known."""
        if self.problem is not None or self.their_state not in _READABLE:
            return h11.NEED_DATA
        if self.their_state is h11.DONE and self._requests.buffered:
            return h11.PAUSED  # a pipelined request waits until this one is answered
        try:
            event = self._requests.next_event()
        except Problem as problem:
            self.problem = problem
            raise h11.RemoteProtocolError(problem.detail) from None
        if event is NEED_DATA:
            return h11.NEED_DATA
        if isinstance(event, BodyReceived):
            return h11.Data(data=bytes(event.data))
        if isinstance(event, HeadReceived):
            self.received = event
            return self._pass_on(self._short_head(event))
        if isinstance(event, BodyComplete):
            return self._pass_on(b"0\r\n\r\n")
        self._pass_on(b"")
        return h11.NEED_DATA  # uvicorn does not know h11.ConnectionClosed

    def _pass_on(self, data: bytes) -> Any:
        super().receive_data(data)
        return super().next_event()

    def _short_head(self, received: HeadReceived) -> bytes:
        head = received.head
        fields = b"Host: h\r\nTransfer-Encoding: chunked\r\n"
        if not received.keep_alive:
            fields += b"Connection: close\r\n"
        if received.expects_continue and received.has_body:
            fields += b"Expect: 100-continue\r\n"  # uvicorn then sends a 100 when the body is read
        return f"{head.method} {head.target} HTTP/1.1\r\n".encode("ascii") + fields + b"\r\n"

    def send(self, event: Any) -> Any:
        """The bytes of an event. A client of HTTP/1.0 gets no chunks, and reads that the connection stays."""
        if isinstance(event, h11.Response) and self.received is not None and self.received.minor_version == 0:
            self.their_http_version = b"1.0"
            if all(name != b"connection" for name, _ in event.headers):
                fields = [*event.headers, (b"connection", b"keep-alive")]
                event = h11.Response(status_code=event.status_code, headers=fields, reason=event.reason)
        return super().send(event)
