"""One connection: requests come in, responses go out, and the connection ends.

A connection never waits in a call. Four inputs move it, all of them from the event loop: its socket is ready,
its deadline has come, a thread has finished, or its turn has come. Each input runs one step inside `_guard`.
The step ends by choosing what the connection waits for next: a phase, the events that the loop watches, and
one deadline. `phase.py` has the table of phases and transitions.

The phase is the only state of the connection itself. What belongs to a request is in `CurrentRequest`, which
exists from the end of the head until the response begins. What belongs to a response is in `Outbox`. Received
bytes are in `Inbox`, which also knows whether the client has ended its side.

`_advance` is the only loop that reads the inbox. It runs while the phase is IDLE, HEAD or BODY. After a
response it goes on with the bytes behind the request, so pipelined requests are answered in order. While a
thread works or a stream pauses, about 512 KiB is received ahead and kept.

A Problem refuses the request, unless its response has begun. The connection is kept if the request was
received to its end. Otherwise the write side is shut first, and what the client still sends is drained, so
that a reset does not destroy the response (RFC 9112 9.6).
"""

import contextlib
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS
from ..contract.problems import Problem
from ..contract.responses import EventStream, Response, problem_response
from ..contract.route import Context
from ..sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from ..sansio.parsers import SansIoParsers
from ..sansio.stream import NEED_DATA
from .current_request import CurrentRequest
from .inbox import Inbox
from .loop import READ, WRITE, Deadline, Loop
from .observer import Observer
from .outbox import Outbox, Progress
from .phase import RECEIVING, Phase
from .responses import CONTINUE, encode_head, is_chunked, pieces_of

LOG = logging.getLogger("wireproof.socket")
PARSERS = SansIoParsers()
Outcome = TypeVar("Outcome")

_SMALL_READ = 64 * 1024
_LARGE_READ = 1024 * 1024
# From this size on, a body is parsed, hashed and written in a thread while the loop receives.
_LARGE_BODY = 256 * 1024
# After so many events it is the turn of the other connections.
_EVENTS_A_TURN = 32
_RESET_POLL = 0.1


class ConnectionOwner(Protocol):
    """What a connection needs of the worker that it belongs to."""

    loop: Loop
    context: Context
    stopping: bool

    def observer(self, sock: socket.socket) -> Observer | None:
        """The observer that prints this connection's bytes (`--wire`), or None."""

    def connection_closed(self, connection: "Connection") -> None:
        """Called once, when the connection is closed."""


class Connection:
    """One accepted socket. Its owner calls `stop`, its loop calls everything else."""

    def __init__(self, sock: socket.socket, owner: ConnectionOwner) -> None:
        self._socket = sock
        self._owner = owner
        self._limits = owner.context.limits
        self._observer = observer = owner.observer(sock)
        self._inbox = Inbox(observer.reader(self._limits) if observer else RequestReader(self._limits))
        self._parsers = observer.parsers() if observer else PARSERS
        self._request: CurrentRequest | None = None
        self._outbox = Outbox(sock, observer)
        self._linger_left = LINGER_BYTES
        self._deadline = Deadline(owner.loop, lambda: self._guard(self._on_deadline))
        self._phase = Phase.IDLE
        self._wait_for_data()

    # The inputs.

    def on_ready(self) -> None:
        """The socket is ready for what the phase waits for."""
        if self._phase is Phase.LINGERING:
            self._guard(self._drain)
        elif self._phase is Phase.SENDING:
            self._guard(self._go_on_sending)
        else:
            self._guard(self._receive)

    def stop(self) -> None:
        """Close the connection if it is idle. Otherwise it is closed after its response."""
        if self._phase is Phase.IDLE:
            self._guard(self._receive)  # a request that has already arrived is answered
        if self._phase is Phase.IDLE:
            self._close()

    def _guard(self, step: Callable[[], None]) -> None:
        """Run `step`. A Problem refuses the request; what follows has its turn after other connections."""
        try:
            while not self._succeeds(step):
                step = self._advance_later
        except OSError:  # reset or broken pipe: the client has gone
            self._close()
        except Exception:  # refusing failed too: only this connection ends
            LOG.exception("a connection failed")
            self._close()

    def _succeeds(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Problem as problem:
            self._refuse(problem)
        except OSError:
            raise
        except Exception:
            LOG.exception("a request failed")
            self._refuse(Problem("internal", "the server failed; its log says where"))
        else:
            return True
        return False

    def _on_deadline(self) -> None:
        now = time.monotonic()
        if self._phase is Phase.BODY and (again := self._check_pace(now)) is not None:
            self._deadline.set(again)
        elif self._phase in (Phase.HEAD, Phase.BODY):
            raise Problem("request_timeout", f"waited too long for {self._phase.value}")
        elif self._phase is Phase.SENDING and self._outbox.unsent.made_progress():
            self._deadline.set(now + self._limits.send_timeout)
        elif self._phase is Phase.PAUSING:
            self._end_pause(now)
        else:
            self._close()

    # Receiving.

    def _receive(self) -> None:
        is_large = self._request is not None and self._request.body_size >= _LARGE_BODY
        try:
            data = self._socket.recv(_LARGE_READ if is_large else _SMALL_READ)
        except BlockingIOError:
            return
        if self._observer:
            self._observer.read(data)
        if self._phase in RECEIVING:
            self._inbox.feed(data)
            self._advance()
        else:
            self._receive_ahead(data)

    def _receive_ahead(self, data: bytes) -> None:
        """Keep what comes while a thread works or a stream pauses. Each pause reads only once."""
        if not self._inbox.receive_ahead(data) or self._phase is Phase.PAUSING:
            self._watch(0)
        if self._phase is Phase.PAUSING:
            self._deadline.set(self._next_look())

    def _advance(self) -> None:
        """Handle the events that the bytes at hand complete, until something has to be waited for."""
        for _ in range(_EVENTS_A_TURN):
            if self._phase not in RECEIVING:
                return
            event = self._inbox.next_event()
            if event is NEED_DATA:
                if self._observer:
                    self._observer.waiting()
                self._wait_for_data()
                return
            if isinstance(event, HeadReceived):
                self._begin(event)
            elif isinstance(event, BodyReceived):
                self._feed_body(event.data)
            elif isinstance(event, BodyComplete):
                self._finish()
            else:
                self._close()
        self._advance_later()

    def _advance_later(self) -> None:
        """Let other connections run first. What the client sends meanwhile stays in the kernel."""
        if self._phase in RECEIVING:
            self._wait_for(Phase.QUEUED, 0, None)
            self._owner.loop.call_soon(lambda: self._guard(self._take_turn))

    def _take_turn(self) -> None:
        if self._phase is Phase.QUEUED:
            self._phase = Phase.BODY if self._request else Phase.IDLE
            self._advance()

    def _wait_for_data(self) -> None:
        now = time.monotonic()
        if self._request is not None:
            self._wait_for(Phase.BODY, READ, self._request.pace.wait(now))
        elif not self._inbox.between_requests:
            if self._phase is not Phase.HEAD:  # its first bytes: one deadline for the whole head
                self._wait_for(Phase.HEAD, READ, now + self._limits.head_timeout)
        elif self._owner.stopping:
            self._close()
        else:
            # keep_alive_timeout=0 closes after every response, so only the first request is waited for.
            seconds = self._limits.keep_alive_timeout or self._limits.head_timeout
            self._wait_for(Phase.IDLE, READ, now + seconds)

    def _begin(self, received: HeadReceived) -> None:
        request = self._request = CurrentRequest(received, self._owner.context, time.monotonic())
        self._phase = Phase.BODY
        if self._observer:
            self._observer.began(received)
        request.check_head(self._parsers)
        if received.expects_continue and received.has_body and not self._inbox.buffered:
            with contextlib.suppress(BlockingIOError):  # no room: it may be left out (RFC 9110 10.1.1)
                self._socket.send(CONTINUE)
            if self._observer:
                self._observer.continued()

    def _check_pace(self, now: float) -> float | None:
        assert self._request is not None
        return self._request.pace.check(now, self._request.body_size)

    def _feed_body(self, data: memoryview) -> None:
        request = self._request
        assert request is not None
        request.body_size += len(data)
        if request.body_size < _LARGE_BODY or self._observer:
            request.feed(data)
        else:
            self._in_thread(request, lambda: request.feed(data), lambda _: self._advance())

    def _finish(self) -> None:
        request = self._request
        assert request is not None
        request.complete = True
        if request.publishes:
            self._in_thread(request, request.finish, self._respond_and_go_on)
        else:
            self._respond(request.finish())

    def _in_thread(
        self, request: CurrentRequest, work: Callable[[], Outcome], then: Callable[[Outcome], None]
    ) -> None:
        self._phase = Phase.BUSY
        self._deadline.set(None)
        busy_since = time.monotonic()

        def done(outcome: Future[Outcome]) -> None:
            if self._phase is Phase.CLOSED:  # the client has gone meanwhile
                self._discard(request, outcome)
                return
            self._phase = Phase.BODY
            request.pace.exclude(time.monotonic() - busy_since)
            self._guard(lambda: then(outcome.result()))

        self._owner.loop.in_thread(work, done)

    def _discard(self, request: CurrentRequest, outcome: Future[Outcome]) -> None:
        if outcome.exception() is None and isinstance(response := outcome.result(), Response):
            response.close()
        request.abort(self._owner.loop)

    # Sending.

    def _refuse(self, problem: Problem) -> None:
        request = self._request
        if request is not None:
            request.abort(self._owner.loop)
        if self._phase not in RECEIVING:
            # A response has begun: the client could not tell a second one from its body.
            self._close()
            return
        if request is not None and not request.received.has_body and not request.complete:
            self._inbox.next_event()  # its BodyComplete
            request.complete = True
        self._respond(problem_response(problem, head=request.received.head if request else None), problem)

    def _respond_and_go_on(self, response: Response) -> None:
        self._respond(response)
        self._advance()

    def _respond(self, response: Response, problem: Problem | None = None) -> None:
        """Send the response to the request under way, or to bytes that did not become a request."""
        request, self._request = self._request, None
        minor_version = request.received.minor_version if request else 1
        chunked = is_chunked(response, minor_version)
        keep_alive = (
            request is not None
            and request.complete
            and request.received.keep_alive
            and self._limits.keep_alive_timeout > 0
            and not self._owner.stopping
            # Without chunks the end of the connection is the end of a stream.
            and (chunked or not isinstance(response.body, EventStream))
        )
        head = encode_head(response, keep_alive=keep_alive, minor_version=minor_version)
        if self._observer:
            if request is not None and request.complete:
                self._observer.complete(request.received)
            self._observer.responded(response, head, problem, keep_alive=keep_alive)
        self._outbox.begin(pieces_of(response, head, chunked=chunked), closes=not keep_alive)
        self._flush()

    def _go_on_sending(self) -> None:
        self._flush()
        if self._phase is Phase.IDLE:
            self._watch(self._ahead_events)  # no longer for room in the socket: a thread may be next
        self._advance()

    def _flush(self) -> None:
        """Send what the socket takes. The rest follows when it is writable, or when the next event is due."""
        self._phase = Phase.SENDING
        progress = self._outbox.send()
        if progress is Progress.SENT:
            self._sent()
        elif progress is Progress.PAUSES:  # reading goes on, to notice a client that leaves
            self._wait_for(Phase.PAUSING, self._ahead_events, self._next_look())
        else:
            self._wait_for(Phase.SENDING, WRITE, time.monotonic() + self._limits.send_timeout)

    @property
    def _ahead_events(self) -> int:
        """READ while more may be received ahead, else 0."""
        return 0 if self._inbox.ended or self._inbox.is_full else READ

    def _next_look(self) -> float:
        """The time of the next event, or of the next look for a reset if reading would not show it."""
        soon = time.monotonic() + _RESET_POLL
        return self._outbox.resume_at if self._ahead_events else min(self._outbox.resume_at, soon)

    def _end_pause(self, now: float) -> None:
        if now >= self._outbox.resume_at:
            self._go_on_sending()
        elif self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._close()
        else:
            self._deadline.set(self._next_look())

    def _sent(self) -> None:
        if not self._outbox.closes:
            self._phase = Phase.IDLE
        elif self._inbox.ended:
            self._close()
        else:
            self._linger()

    # The end.

    def _linger(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)
        self._wait_for(Phase.LINGERING, READ, time.monotonic() + LINGER_SECONDS)

    def _drain(self) -> None:
        try:
            data = self._socket.recv(_SMALL_READ)
        except BlockingIOError:
            return
        self._linger_left -= len(data)
        if self._observer:
            self._observer.dropped(len(data))
        if not data or self._linger_left < 0:
            self._close()

    def _close(self) -> None:
        if self._phase is Phase.CLOSED:
            return
        busy = self._phase is Phase.BUSY
        self._phase = Phase.CLOSED
        self._deadline.cancel()
        self._watch(0)
        self._socket.close()
        if self._observer:
            self._observer.closed()
        self._outbox.close()
        if self._request is not None and not busy:  # a thread that is busy with it aborts it at its end
            self._request.abort(self._owner.loop)
        self._owner.connection_closed(self)

    def _wait_for(self, phase: Phase, events: int, deadline: float | None) -> None:
        self._phase = phase
        self._deadline.set(deadline)
        self._watch(events)

    def _watch(self, events: int) -> None:
        self._owner.loop.watch(self._socket, events, self)
