"""One connection: requests come in, responses go out, and the connection ends.

A connection never waits in a call. Four inputs move it, all of them from the event loop: its socket is ready,
its deadline has come, a thread has finished, or its turn has come. Each input runs one step inside `guard`.
The step ends by choosing what the connection waits for next, see `Waiting`: a phase, the events that the loop
watches, and one deadline. `phase.py` has the table of phases and transitions.

The phase is the only state of the connection itself. What belongs to a request is in `CurrentRequest`, which
exists from the end of the head until the response begins. Received bytes are in `Inbox`, which also knows
whether the client has ended its side. `Sender` sends the responses, and ends the connection after the last.

What may wait for the disk runs in a thread: `Exchange` says when. Bytes of files are kept until then, so a
small upload needs a thread once, and a request that stores nothing needs none.

`_advance` is the only loop that reads the inbox. It runs while the phase is IDLE, HEAD or BODY. After a
response it goes on with the bytes behind the request, so pipelined requests are answered in order. While a
stream pauses or a thread works, about 512 KiB is received ahead and kept, but of a large body nothing.

A Problem refuses the request, unless its response has begun. The connection is kept if the request was
received to its end. Otherwise the write side is shut first, and what the client still sends is drained, so
that a reset does not destroy the response (RFC 9112 9.6).
"""

import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ..contract.capture import Capture
from ..contract.cors import with_permission
from ..contract.problems import Problem
from ..contract.responses import Response, problem_response
from ..routes import TABLE
from ..sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from ..sansio.parsers import SansIoParsers
from ..sansio.stream import NEED_DATA
from .connection_owner import ConnectionOwner
from .connection_record import ConnectionRecord
from .current_request import CurrentRequest
from .inbox import Inbox
from .interim import Interim
from .large_body import LITTLE, LargeBody
from .loop import READ
from .outbox import close_response
from .phase import COUNTED_AS, IN_THREAD, RECEIVING, Phase
from .sender import Sender
from .tracing import traced
from .waiting import Outcome, Waiting

LOG = logging.getLogger("wireproof.socket")
PARSERS = SansIoParsers()

_SMALL_READ = 64 * 1024
_LARGE_READ = 1024 * 1024
# From this size on, a body with files is received, parsed, hashed and written in a thread (`large_body.py`).
# What comes before is kept, so that a small upload needs a thread only once.
_LARGE_BODY = 256 * 1024
# After so many events it is the turn of the other connections.
_EVENTS_A_TURN = 32


class Connection:
    """One accepted socket. Its owner calls `stop`, its loop calls everything else."""

    def __init__(self, sock: socket.socket, owner: ConnectionOwner) -> None:
        self._socket = sock
        self._owner = owner
        self._context = owner.context.arrived_at(sock.getsockname(), sock.getpeername())
        self.client = self._context.client
        self._limits = owner.context.limits
        self._observer = observer = owner.observer(sock)
        history = self._context.history
        self._capture: Capture | None = None if history is None else history.capture("socket", wire=True)
        self._reader = (
            observer.reader(self._limits)
            if observer
            else RequestReader(self._limits, known=owner.known_heads)
        )
        self._inbox = Inbox(self._reader, self._capture)
        self._interim = Interim(sock, observer)
        self._parsers = observer.parsers() if observer else PARSERS
        self._request: CurrentRequest | None = None
        self._record = ConnectionRecord(owner.context.log, sock, self._capture)
        self._waiting = waiting = Waiting(sock, owner.loop, self)
        self._sender = Sender(
            sock,
            self._limits,
            waiting,
            self._inbox,
            self._record,
            observer,
            resume=self._go_on_sending,
            close=self._close,
        )
        self._wait_for_data()

    @property
    def counted_as(self) -> str:
        """Its phase, for the metrics."""
        return COUNTED_AS[self._waiting.phase]

    # The inputs.

    def on_ready(self) -> None:
        """The socket is ready for what the phase waits for."""
        if self._waiting.phase is Phase.LINGERING:
            self.guard(self._sender.drain)
        elif self._waiting.phase is Phase.SENDING:
            self.guard(self._go_on_sending)
        else:
            self.guard(self._receive)

    def on_deadline(self) -> None:
        """The deadline of the phase has come."""
        now, phase = time.monotonic(), self._waiting.phase
        if phase is Phase.IDLE:
            self._close()
        elif phase not in RECEIVING:
            self._sender.on_deadline(now)
        elif (
            self._request is not None
            and (again := self._request.pace.check(now, self._request.body_size)) is not None
        ):
            self._waiting.set_deadline(again)
        else:
            rule = "B3" if phase is Phase.BODY else None
            raise Problem("request_timeout", f"waited too long for {phase.value}", rule=rule)

    def stop(self) -> None:
        """Close the connection if it is idle. Otherwise it is closed after its response."""
        if self._waiting.phase is Phase.IDLE:
            self.guard(self._receive)  # a request that has already arrived is answered
        if self._waiting.phase is Phase.IDLE:
            self._close()

    def guard(self, step: Callable[[], None]) -> None:
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

    # Receiving.

    def _receive(self) -> None:
        is_large = self._request is not None and self._request.body_size >= _LARGE_BODY
        try:
            data = self._socket.recv(_LARGE_READ if is_large else _SMALL_READ)
        except BlockingIOError:
            return
        except OSError:
            if self._waiting.phase is not Phase.BUSY:
                raise
            data = b""  # the client has gone; the thread finishes first
        if self._observer:
            self._observer.read(data)
        if self._waiting.phase in RECEIVING:
            self._arrived(data)
            self._advance()
        else:
            if self._capture is not None:
                self._capture.read(len(data))
            self._receive_ahead(data)

    def _arrived(self, data: bytes) -> None:
        if self._capture is not None:
            self._capture.read(len(data))
        self._inbox.feed(data)

    def _receive_ahead(self, data: bytes) -> None:
        """Keep what comes while a thread works or a stream pauses. Each pause reads only once."""
        if not self._inbox.receive_ahead(data) or self._waiting.phase is Phase.PAUSING:
            self._waiting.watch(0)
        if self._waiting.phase is Phase.PAUSING:
            self._waiting.set_deadline(self._sender.next_look())

    def _advance(self) -> None:
        """Handle the events that the bytes at hand complete, until something has to be waited for."""
        for _ in range(_EVENTS_A_TURN):
            if self._waiting.phase not in RECEIVING:
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
        if self._waiting.phase in RECEIVING:
            self._waiting.for_turn(self._take_turn)

    def _take_turn(self) -> None:
        if self._waiting.phase is Phase.QUEUED:
            self._waiting.phase = Phase.BODY if self._request else Phase.IDLE
            self._advance()

    def _wait_for_data(self) -> None:
        now = time.monotonic()
        if self._request is not None:
            self._waiting.wait_for(Phase.BODY, READ, self._request.pace.wait(now))
        elif not self._inbox.between_requests:
            if self._waiting.phase is not Phase.HEAD:  # its first bytes: one deadline for the whole head
                self._waiting.wait_for(Phase.HEAD, READ, now + self._limits.head_timeout)
            self._record.begin(*self._inbox.request_line)
        elif self._owner.stopping:
            self._close()
        else:
            # keep_alive_timeout=0 closes after every response, so only the first request is waited for.
            seconds = self._limits.keep_alive_timeout or self._limits.head_timeout
            self._waiting.wait_for(Phase.IDLE, READ, now + seconds)

    # One request.

    def _begin(self, received: HeadReceived) -> None:
        now = time.monotonic()
        request = self._request = CurrentRequest(received, self._context, now)
        self._waiting.phase = Phase.BODY
        self._record.begin(received.head.method, received.head.target, now)
        self._record.token = self._context.access.token_name(received.head)
        self._record.route = TABLE.name_of(received.head)
        if self._observer:
            self._observer.began(received)
        parsers = self._parsers
        if self._capture is not None:
            self._capture.head_complete(received.head, self._inbox.unparsed)
            parsers = traced(self._capture, self._reader, received.head, parsers, self._observer)
        request.check_head(parsers)
        if request.exchange.must_ask_store:
            self._in_thread(request.exchange.ask_store, lambda _: self._go_on_with_room(received))
        else:
            self._interim.let_body_come(received, self._inbox)

    def _go_on_with_room(self, received: HeadReceived) -> None:
        self._interim.let_body_come(received, self._inbox)
        self._written()

    def _written(self, waited: float = 0.0) -> None:
        if self._request is not None:
            self._request.pace.exclude(-waited)
        self._interim.tell(self._request)
        self._advance()

    def _feed_body(self, data: memoryview) -> None:
        request = self._request
        assert request is not None
        exchange = request.exchange
        self._note_body(request, data)
        # The observer is used only in the loop.
        if request.body_size >= _LARGE_BODY and exchange.has_files and not self._observer:
            self._store_large(request, data)
            return
        exchange.hold(data)
        if exchange.must_write(_LARGE_BODY):
            self._in_thread(exchange.write, lambda _: self._written())

    def _store_large(self, request: CurrentRequest, data: memoryview) -> None:
        body = LargeBody(
            self._socket,
            self._inbox,
            request.exchange,
            received=request.body_size,
            arrived=self._arrived,
            note=lambda piece: self._note_body(request, piece),
        )
        pieces, receives = body.with_more(data), len(data) >= LITTLE
        self._in_thread(
            lambda: body.store(pieces, receives=receives),
            self._written,
            uses_disk=request.exchange.stores_files,
            receives=receives,
        )

    def _note_body(self, request: CurrentRequest, data: memoryview) -> None:
        request.body_size += len(data)
        self._record.received = request.body_size
        if self._capture is not None:
            self._capture.body(data)

    def _finish(self) -> None:
        request = self._request
        assert request is not None
        self._note_complete(request)
        (exchange := request.exchange).end()
        if exchange.waits:
            self._in_thread(exchange.respond, self._respond_and_go_on, uses_disk=exchange.uses_disk)
        else:
            self._respond(exchange.respond())

    def _note_complete(self, request: CurrentRequest) -> None:
        request.complete = True
        if self._capture is not None:
            self._reader.trace(self._observer.trace if self._observer else None)
            self._capture.complete(self._inbox.unparsed)

    def _in_thread(
        self,
        work: Callable[[], Outcome],
        then: Callable[[Outcome], None],
        *,
        uses_disk: bool = True,
        receives: bool = False,
    ) -> None:
        request = self._request
        assert request is not None
        busy_since = time.monotonic()

        def done(outcome: Outcome) -> None:
            request.pace.exclude(time.monotonic() - busy_since)
            then(outcome)

        events = READ if self._inbox.may_receive and not receives else 0
        self._waiting.for_thread(work, done, phase=Phase.BUSY, events=events, uses_disk=uses_disk)

    # Responding.

    def _refuse(self, problem: Problem) -> None:
        if self._waiting.phase not in RECEIVING:
            # A thread works, or a response has begun: the client could not tell a second one from its body.
            self._close()
            return
        request = self._request
        if request is not None:
            request.abort(self._owner.loop)
        if request is not None and not request.received.has_body and not request.complete:
            self._inbox.next_event()  # its BodyComplete
            self._note_complete(request)
        self._respond(problem_response(problem, head=request.received.head if request else None), problem)

    def _respond_and_go_on(self, response: Response) -> None:
        self._respond(response)
        self._advance()

    def _respond(self, response: Response, problem: Problem | None = None) -> None:
        """Respond to the request under way, or to bytes that did not become a request."""
        request, self._request = self._request, None
        if request is None:
            self._record.begin(*self._inbox.request_line)
        else:
            response = with_permission(response, request.received.head, self._context, TABLE)
        self._sender.begin(response, request, problem, last=self._owner.leaves)

    def _go_on_sending(self) -> None:
        self._sender.go_on()
        self._advance()

    # The end.

    def _close(self) -> None:
        phase = self._waiting.phase
        if phase is Phase.CLOSED:
            return
        self._waiting.close()
        if self._observer:
            self._observer.closed()
        self._sender.note_end()
        if phase not in IN_THREAD:
            self._release()
        self._owner.connection_closed(self)

    def discard(self, outcome: Future[Any]) -> None:
        """A thread has finished, and the connection was closed meanwhile."""
        if outcome.exception() is None and isinstance(response := outcome.result(), Response):
            close_response(response, self._owner.loop)
        self._release()

    def _release(self) -> None:
        """Close the file that was sent, and remove what was stored of the request."""
        self._sender.close(self._owner.loop)
        if self._request is not None:
            self._request.abort(self._owner.loop)
