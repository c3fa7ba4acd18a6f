"""uvicorn's h11 protocol, with what ASGI cannot say: `--http servers.uvicorn_protocol:ContractProtocol`.

h11, not httptools: it hands over the target and the field values as they were sent, and takes any token as
method, where httptools refuses methods that it does not know and takes absolute-form targets apart. What
h11 refuses is answered with a problem here, what it rewrites is handed over as sent, a peer that only ends
its sending is answered still, and the application learns of a broken body in place of a lost connection.
"""

from functools import cache
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from servers.contract.answers import problem_answer
from servers.contract.limits import MIB, Limits
from servers.contract.problems import Problem
from servers.fastapi_reading.characters import OWS
from servers.fastapi_reading.scope import TARGET_EXTENSION, known_field
from servers.fastapi_reading.trailers import judge_trailers
from servers.fastapi_reading.wire_head import diagnose, sent_fields
from servers.settings import Settings

LINGER_SECONDS = 2.0
LINGER_BYTES = MIB


@cache
def _limits() -> Limits:
    return Settings.from_environment().limits


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


class ContractProtocol(H11Protocol):
    """One connection of uvicorn's."""

    conn: Connection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = Connection(_limits())
        self._application = self.app
        self.app = cast(Any, self._with_problems)
        self._linger_left: int | None = None

    def data_received(self, data: bytes) -> None:
        """Once a head was refused the rest is drained, 1 MiB at most."""
        if self._linger_left is None:
            super().data_received(data)
            return
        self._linger_left -= len(data)
        if self._linger_left < 0:
            self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether to keep our side open, that is for an answer that is being made (RFC 9112 9.6)."""
        if self._linger_left is not None:
            return False
        self.conn.receive_data(b"")
        self.handle_events()
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """Answer what h11 refused; within a body that is for the application, which waits for it."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.message_event.set()
        elif self.conn.problem is None:
            self.transport.close()
        else:
            self._refuse(self.conn.problem)

    def _refuse(self, problem: Problem) -> None:
        answer = problem_answer(problem)
        assert isinstance(answer.body, bytes)
        fields = [*answer.headers, ("Content-Length", str(len(answer.body))), ("Connection", "close")]
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
        events = (
            h11.Response(status_code=answer.status, headers=self.server_state.default_headers + headers),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(event) for event in events))
        self.transport.write_eof()
        self._linger_left = LINGER_BYTES
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    async def _with_problems(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, with target and fields as they were sent and a body that fails by a Problem."""
        cycle = self.cycle

        async def receive_or_raise() -> Any:
            if self.conn.problem is not None:
                cycle.message_event.set()
            message = await receive()
            problem = self.conn.problem
            if problem is not None and message.get("more_body") and not message["body"]:
                raise problem
            return message

        known = {
            "headers": self.conn.fields,
            "extensions": {**scope.get("extensions", {}), TARGET_EXTENSION: self.conn.target},
        }
        await self._application({**scope, **known}, receive_or_raise, send)
