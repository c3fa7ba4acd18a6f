"""One connection as h11 sees it, under uvicorn: what h11 refuses, rewrites or drops is kept beside."""

from typing import Any

import h11

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..fastapi_reading.characters import OWS
from ..fastapi_reading.scope import known_field
from ..fastapi_reading.trailers import judge_trailers
from ..fastapi_reading.wire_head import diagnose, sent_fields


class Connection(h11.Connection):
    """h11's state of one connection. `problem` is what was wrong when it raised RemoteProtocolError.

    It stays None for a peer that left in the middle of a head: there is nobody to answer.
    """

    def __init__(self, limits: Limits) -> None:
        most = limits.max_request_line + limits.max_fields * limits.max_field_line
        super().__init__(h11.SERVER, max_incomplete_event_size=most + 1024)
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.problem: Problem | None = None
        self._limits = limits
        self._head = bytearray()

    @property
    def in_head(self) -> bool:
        """Whether a head has begun and is not complete."""
        return self.their_state is h11.IDLE and bool(self._head)

    def receive_data(self, data: bytes) -> None:
        """Keep the head beside: h11 drops what it has read."""
        if self.their_state is h11.IDLE:
            self._head += data
        super().receive_data(data)

    def next_event(self) -> Any:
        """h11's next event; the end of the peer's sending is none. Raises RemoteProtocolError."""
        state = self.their_state
        if state is h11.IDLE and not self._head:
            self._head += self.trailing_data[0]  # a pipelined request
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            if state not in (h11.IDLE, h11.SEND_BODY):
                return h11.NEED_DATA  # bytes behind the last request (B4)
            self.problem = self._diagnose(state, str(error))
            raise
        if isinstance(event, h11.Request):
            self._remember(event)
        elif isinstance(event, h11.EndOfMessage):
            self._judge_trailers(event)
        return h11.NEED_DATA if isinstance(event, h11.ConnectionClosed) else event

    def _remember(self, request: h11.Request) -> None:
        self.target = request.target
        self.fields = [(line.name.lower(), line.value.strip(OWS)) for line in sent_fields(bytes(self._head))]
        self._head.clear()

    def _judge_trailers(self, end: h11.EndOfMessage) -> None:
        lines = [known_field(*field) for field in end.headers]
        try:
            judge_trailers(
                lines, self._limits, has_type=any(name == b"content-type" for name, _ in self.fields)
            )
        except Problem as problem:
            self.problem = problem
            raise h11.RemoteProtocolError(problem.detail) from None

    def _diagnose(self, state: Any, error: str) -> Problem | None:
        peer_ended = self.trailing_data[1]
        if state is h11.IDLE:
            return None if peer_ended else diagnose(bytes(self._head), self._limits)
        return Problem("body_truncated" if peer_ended else "bad_chunk", f"the body: {error}")
