"""uvicorn's h11 protocol, with the request parsers of `sansio` and the time limits of the contract.

`uvicorn servers.fastapi_upload:app --http servers.fastapi_server.protocol:ContractProtocol`

It adds six things to uvicorn's class:

- `sansio` reads the requests, see `connection`. The application gets the head in the scope.
- A malformed head is answered with a problem, and the connection is then closed slowly.
- The application learns of a malformed body by a Problem that `receive` raises.
- A client that only ends its sending still gets its response (RFC 9112 9.6).
- Each connection has the time limits for heads, for sending and for waiting.
- A connection beyond the limits on connections is refused at once.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS
from ..contract.load import Permit, Quota, client_of
from ..contract.problems import Problem
from ..contract.responses import Response, problem_response
from ..settings import Settings
from .connection import Connection
from .interim import WRITE_EXTENSION
from .scope import HEAD_EXTENSION


@cache
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _connections() -> Quota:
    limits = _settings().limits
    return Quota("connections", limits.max_connections, limits.max_connections_per_client)


class _Timer:
    """Calls a function later; starting it again replaces the earlier call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._handle is not None

    def start(self, seconds: float, do: Callable[..., object], *args: object) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, do, *args)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class ContractProtocol(H11Protocol):
    """One connection to uvicorn."""

    conn: Connection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = _settings().limits
        self.conn = Connection(self._limits)
        self._application = self.app
        self.app = cast(Any, self._with_problems)
        self._head_since = 0.0  # when the head at hand has begun, if it did not come at once
        self._linger_left: int | None = None  # set once a head or a body was refused
        self._client_ended = asyncio.Event()
        self._permit: Permit | None = None
        self._head_timer = _Timer(self.loop)
        self._send_timer = _Timer(self.loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Close the connection if no first request begins in time. Refuse it if there are too many."""
        super().connection_made(transport)
        try:
            self._permit = _connections().acquire(client_of(self.client))
        except Problem as problem:
            self._refuse(problem)
            return
        self.timeout_keep_alive = self._limits.keep_alive_timeout
        # keep_alive_timeout=0 closes after every response, so the first request needs another limit.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive or self._limits.head_timeout, self.timeout_keep_alive_handler
        )

    def shutdown(self) -> None:
        """The server stops: streams of events that have no end are ended too."""
        if (history := _settings().open_history()) is not None:
            history.stop()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        super().connection_lost(exc)
        if self._permit is not None:
            self._permit.release()
        if self.conn.in_head and self._linger_left is None:
            self._log_head()
        self._client_ended.set()
        self._unset_keepalive_if_required()
        self._head_timer.stop()
        self._send_timer.stop()

    def data_received(self, data: bytes) -> None:
        """Read requests; after a malformed one, discard what arrives: at most 1 MiB after the response."""
        if self._linger_left is None:
            super().data_received(data)
            self._watch_head()
        elif self.cycle is None or self.cycle.response_started:
            self._linger_left -= len(data)
            if self._linger_left < 0:
                self.transport.close()

    def _watch_head(self) -> None:
        if not self.conn.in_head or self._linger_left is not None:
            self._head_timer.stop()
            self._head_since = 0.0
        elif not self._head_timer.runs:
            self._head_since = time.monotonic()
            late = Problem(
                "request_timeout",
                f"the head was not complete after {self._limits.head_timeout} s",
                rule=None,  # B3 is about bodies
            )
            self._head_timer.start(self._limits.head_timeout, self._refuse, late)

    def pause_writing(self) -> None:
        """Give a client that does not read `send_timeout` seconds to go on."""
        super().pause_writing()
        self._watch_client(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The client has read most of what was sent."""
        super().resume_writing()
        self._send_timer.stop()

    def _watch_client(self, unsent: int) -> None:
        self._send_timer.start(self._limits.send_timeout, self._drop_stalled_client, unsent)

    def _drop_stalled_client(self, unsent: int) -> None:
        still_unsent = self.transport.get_write_buffer_size()
        if still_unsent < unsent:
            self._watch_client(still_unsent)
        else:
            self.transport.abort()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether to keep our side open, which a response under way needs (RFC 9112 9.6)."""
        self._client_ended.set()
        if self._linger_left is None:
            if self.conn.in_head:
                self._log_head()
            self.conn.receive_data(b"")
            self.handle_events()
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """Answer `conn.problem`: of a head here, of a body by the application, which waits for `receive`."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._linger_left = LINGER_BYTES
            self.cycle.message_event.set()
        elif self.conn.problem is not None and self.conn.our_state is h11.IDLE:
            self._refuse(self.conn.problem)
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        response = problem_response(problem)
        assert isinstance(response.body, bytes)
        fields = [*response.headers, ("Content-Length", str(len(response.body))), ("Connection", "close")]
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
        events = (
            h11.Response(status_code=response.status, headers=self.server_state.default_headers + headers),
            h11.Data(data=response.body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(event) for event in events))
        if self.transport.can_write_eof():  # not over TLS
            self.transport.write_eof()
        self._log_head(response)
        self._linger_left = LINGER_BYTES
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _log_head(self, response: Response | None = None) -> None:
        """Log a request whose head did not become complete; without a response the client left before."""
        record = _settings().log.record(self.client)
        record.begin(*self.conn.request_line, self._head_since)
        if response is not None:
            record.respond(response)
            record.sent = response.content_length or 0
        record.end()

    async def _with_problems(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the application, with the head in the scope and a `receive` that raises a body's Problem."""
        cycle = self.cycle
        assert self.conn.received is not None
        head = self.conn.received.head

        async def receive_or_raise() -> Any:
            if self.conn.problem is not None:
                cycle.message_event.set()
            message = await receive()
            problem = self.conn.problem
            if problem is not None and message.get("more_body") and not message["body"]:
                raise problem
            return message

        async def send_and_linger(message: Any) -> None:
            if self.conn.problem is not None and not message.get("more_body", True):
                # Read on, so that a client that still sends can read the response (contract section 4).
                self.flow.resume_reading()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._client_ended.wait(), LINGER_SECONDS)
            await send(message)

        # RFC 9110 15.2: a client of HTTP/1.0 gets no interim response.
        writes = {WRITE_EXTENSION: self.transport.write} if self.conn.received.minor_version else {}
        known = {
            "headers": [(name.encode("ascii"), value.encode("latin-1")) for name, value in head.headers],
            "extensions": {**scope.get("extensions", {}), HEAD_EXTENSION: head, **writes},
        }
        await self._application({**scope, **known}, receive_or_raise, send_and_linger)
