"""One connection's life: receive, judge, answer, again; and how it ends."""

import contextlib
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from ..contract.exchange import Exchange
from ..contract.problems import Problem
from ..contract.responses import EventStream, Response, problem_response
from ..contract.route import Context
from ..routes import TABLE
from ..sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from ..sansio.parsers import SansIoParsers
from ..sansio.stream import NEED_DATA
from .inbox import Inbox
from .loop import READ, WRITE, Deadline, Loop
from .observer import Observer
from .outbox import Outbox, Progress
from .pace import Backlog, BodyPace
from .phase import RECEIVING, Phase
from .responses import CONTINUE, encode_head, is_chunked, pieces_of

LOG = logging.getLogger("wireproof.socket")
PARSERS = SansIoParsers()
Outcome = TypeVar("Outcome")

_SMALL_READ = 64 * 1024
_LARGE_READ = 1024 * 1024
# From this size on, a body is parsed, hashed and written in a thread while the loop receives.
_LARGE_BODY = 256 * 1024
# One connection's bytes at hand may decide so many events before the others have their turn.
_EVENTS_A_TURN = 32
_RESET_POLL = 0.1
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1024 * 1024


class Home(Protocol):
    """Where connections live: the worker."""

    loop: Loop
    context: Context
    stopping: bool

    def observer(self, sock: socket.socket) -> Observer | None:
        """Somebody who watches the connection's bytes, if that was asked for (`--wire`)."""

    def left(self, connection: "Connection") -> None:
        """The connection is closed."""


class Connection:
    """A state machine round the sans-IO reader; readiness and deadlines are all that move it."""

    def __init__(self, sock: socket.socket, home: Home) -> None:
        self._socket = sock
        self._home = home
        self._limits = home.context.limits
        self._observer = observer = home.observer(sock)
        self._inbox = Inbox(RequestReader(self._limits, observer.trace if observer else None))
        self._reading = SansIoParsers(observer.trace) if observer else PARSERS
        self._deadline = Deadline(home.loop, lambda: self._guard(self._on_deadline))
        self._received: HeadReceived | None = None
        self._exchange: Exchange | None = None
        self._body_size = 0
        self._pace = BodyPace(self._limits)
        self._backlog = Backlog(sock)
        self._peer_ended = False
        self._outbox = Outbox(sock)
        self._resume_at = 0.0
        self._complete = False
        self._close_after = False
        self._lingered = 0
        self._phase = Phase.IDLE
        self._wait_for_data()

    # The inputs.

    def on_ready(self, events: int) -> None:
        if self._phase is Phase.LINGERING:
            self._guard(self._drain)
        elif events & WRITE:
            self._guard(self._go_on_sending)
        else:
            self._guard(self._receive)

    def stop(self) -> None:
        """The server stops: an idle connection is closed now, any other after its answer."""
        if self._phase is Phase.IDLE:
            self._guard(self._receive)  # a request that has come is one in flight
        if self._phase is Phase.IDLE:
            self._close()

    def _guard(self, step: Callable[[], None]) -> None:
        """Do `step`; refuse what it finds wrong, and go on with what follows if the connection may."""
        try:
            while not self._succeeds(step):
                step = self._advance_later
        except OSError:  # reset or broken pipe: the client is gone
            self._close()
        except Exception:  # even refusing fails: the other connections live on
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
        again = self._pace.look_again(now, self._body_size) if self._phase is Phase.BODY else None
        if again is not None:
            self._deadline.set(again)
        elif self._phase in (Phase.HEAD, Phase.BODY):
            raise Problem("request_timeout", f"waited too long for {self._phase.value}")
        elif self._phase is Phase.SENDING and self._backlog.shrinks():
            self._deadline.set(now + self._limits.send_timeout)
        elif self._phase is Phase.PAUSING:
            self._end_pause(now)
        else:
            self._close()

    # Receiving.

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_LARGE_READ if self._body_size >= _LARGE_BODY else _SMALL_READ)
        except BlockingIOError:
            return
        if self._observer:
            self._observer.read(len(data))
        self._peer_ended = self._peer_ended or not data
        if self._phase in RECEIVING:
            self._inbox.feed(data)
            self._advance()
        else:
            self._receive_ahead(data)

    def _receive_ahead(self, data: bytes) -> None:
        """Keep what comes while a thread works or a stream pauses, so that both go on at once."""
        if not self._inbox.receive_ahead(data) or self._phase is Phase.PAUSING:
            self._home.loop.watch(self._socket, 0, self)
        if self._phase is Phase.PAUSING:
            self._deadline.set(self._next_look())

    def _advance(self) -> None:
        """Handle the events that the bytes at hand decide, until something has to be waited for."""
        for _ in range(_EVENTS_A_TURN):
            if self._phase not in RECEIVING:
                return
            event = self._inbox.next_event()
            if event is NEED_DATA:
                self._wait_for_data()
                return
            if isinstance(event, BodyReceived):
                self._take(event.data)
            elif isinstance(event, HeadReceived):
                self._begin(event)
            elif isinstance(event, BodyComplete):
                self._finish()
            else:
                self._close()
        if self._phase in RECEIVING:
            self._queue()

    def _advance_later(self) -> None:
        """What follows a refusal has its turn after the others: requests to refuse cost as much as any."""
        if self._phase in RECEIVING:
            self._queue()

    def _queue(self) -> None:
        """Let the others have their turn; what the client sends meanwhile stays in the kernel."""
        self._phase = Phase.QUEUED
        self._deadline.set(None)
        self._home.loop.watch(self._socket, 0, self)
        self._home.loop.call_soon(lambda: self._guard(self._take_turn))

    def _take_turn(self) -> None:
        if self._phase is Phase.QUEUED:
            self._phase = Phase.IDLE if self._received is None else Phase.BODY
            self._advance()

    def _wait_for_data(self) -> None:
        now = time.monotonic()
        if self._received is not None:
            self._phase = Phase.BODY
            self._deadline.set(self._pace.wait(now))
        elif self._inbox.at_rest:
            if self._home.stopping:
                self._close()
                return
            self._phase = Phase.IDLE
            # Of no seconds of keep-alive no answer is sent that would let a second request wait.
            self._deadline.set(now + (self._limits.keep_alive_timeout or self._limits.head_timeout))
        elif self._phase is not Phase.HEAD:  # its first bytes: the whole head has one deadline
            self._phase = Phase.HEAD
            self._deadline.set(now + self._limits.head_timeout)
        self._home.loop.watch(self._socket, READ, self)

    def _begin(self, received: HeadReceived) -> None:
        self._received = received
        self._complete = False
        self._body_size = 0
        self._pace.begin(time.monotonic())
        if self._observer:
            self._observer.began(received)
        self._exchange = Exchange(received.head, TABLE, self._reading, self._home.context)
        if received.expects_continue and received.has_body and not self._inbox.buffered:
            with contextlib.suppress(BlockingIOError):  # no room: it may be left out (RFC 9110 10.1.1)
                self._socket.send(CONTINUE)
            if self._observer:
                self._observer.continued()

    def _take(self, data: memoryview) -> None:
        exchange = self._exchange
        assert exchange is not None
        self._body_size += len(data)
        if self._body_size < _LARGE_BODY or self._observer:
            exchange.feed(data)
        else:
            self._in_thread(lambda: exchange.feed(data), lambda _: self._advance())

    def _finish(self) -> None:
        self._complete = True
        exchange = self._exchange
        assert exchange is not None
        if exchange.stores:  # waits for the disk
            self._in_thread(exchange.finish, self._answer_and_go_on)
        else:
            self._answer(exchange.finish())

    def _answer_and_go_on(self, response: Response) -> None:
        self._answer(response)
        self._advance()

    def _in_thread(self, work: Callable[[], Outcome], then: Callable[[Outcome], None]) -> None:
        self._phase = Phase.BUSY
        self._deadline.set(None)
        busy_since = time.monotonic()

        def done(outcome: Future[Outcome]) -> None:
            if self._phase is Phase.CLOSED:  # the client left meanwhile
                self._forget(outcome)
                return
            self._phase = Phase.BODY
            self._pace.excuse(time.monotonic() - busy_since)
            self._guard(lambda: then(outcome.result()))

        self._home.loop.in_thread(work, done)

    def _forget(self, outcome: "Future[Outcome]") -> None:
        if outcome.exception() is None and isinstance(response := outcome.result(), Response):
            response.close()
        self._abort_exchange()

    # Answering.

    def _refuse(self, problem: Problem) -> None:
        received = self._received
        self._abort_exchange()
        if self._phase not in RECEIVING:
            self._close()  # an answer is under way: a second one would be noise
            return
        if received is not None and not received.has_body and not self._complete:
            self._inbox.next_event()  # its BodyComplete
            self._complete = True
        whole = received is not None and self._complete
        response = problem_response(problem, head=received.head if received else None)
        self._send(response, close=not whole, problem=problem)

    def _answer(self, response: Response) -> None:
        self._exchange = None
        self._send(response, close=False)

    def _send(self, response: Response, *, close: bool, problem: Problem | None = None) -> None:
        received, self._received = self._received, None
        self._body_size = 0
        minor_version = received.minor_version if received else 1
        keep_alive = received is not None and received.keep_alive and not close and self._keeps_alive
        if isinstance(response.body, EventStream) and not is_chunked(response, minor_version):
            keep_alive = False  # the end of the connection is the end of the stream
        self._close_after = not keep_alive
        head = encode_head(response, keep_alive=keep_alive, minor_version=minor_version)
        if self._observer:
            if received is not None and self._complete:
                self._observer.complete(received)
            self._observer.answered(response, head, problem, keep_alive=keep_alive)
        self._outbox.begin(pieces_of(response, head, chunked=is_chunked(response, minor_version)))
        self._flush()

    @property
    def _keeps_alive(self) -> bool:
        return self._limits.keep_alive_timeout > 0 and not self._home.stopping

    def _go_on_sending(self) -> None:
        self._flush()
        self._advance()

    def _flush(self) -> None:
        """Send what the socket takes; the rest when it is writable again, or the next event is due."""
        self._phase = Phase.SENDING
        progress = self._outbox.send()
        if progress is Progress.SENT:
            self._sent()
        elif progress is Progress.PAUSES:
            self._pause()
        else:
            self._backlog.shrinks()
            self._deadline.set(time.monotonic() + self._limits.send_timeout)
            self._home.loop.watch(self._socket, WRITE, self)

    def _pause(self) -> None:
        """Wait for the next event's time, holding no thread; meanwhile notice a client that leaves."""
        self._phase = Phase.PAUSING
        self._resume_at = time.monotonic() + self._outbox.take_wait()
        self._home.loop.watch(self._socket, 0 if self._is_deaf else READ, self)
        self._deadline.set(self._next_look())

    @property
    def _is_deaf(self) -> bool:
        """Whether nothing more is read while a stream pauses."""
        return self._peer_ended or self._inbox.is_full

    def _next_look(self) -> float:
        # A half-closed client may still read: only a reset tells that it does not, and is looked for.
        soon = time.monotonic() + _RESET_POLL
        return min(self._resume_at, soon) if self._is_deaf else self._resume_at

    def _end_pause(self, now: float) -> None:
        if now >= self._resume_at:
            self._go_on_sending()
        elif self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._close()
        else:
            self._deadline.set(self._next_look())

    def _sent(self) -> None:
        if not self._close_after:
            self._phase = Phase.IDLE
        elif self._peer_ended:
            self._close()
        else:
            self._linger()

    # The end.

    def _linger(self) -> None:
        """Let the client read the answer before a reset could take it away (RFC 9112 9.6)."""
        self._socket.shutdown(socket.SHUT_WR)
        self._phase = Phase.LINGERING
        self._deadline.set(time.monotonic() + _LINGER_SECONDS)
        self._home.loop.watch(self._socket, READ, self)

    def _drain(self) -> None:
        try:
            data = self._socket.recv(_SMALL_READ)
        except BlockingIOError:
            return
        self._lingered += len(data)
        if not data or self._lingered > _LINGER_BYTES:
            self._close()

    def _abort_exchange(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None and exchange.stores:
            self._home.loop.in_thread(exchange.abort, lambda _: None)

    def _close(self) -> None:
        if self._phase is Phase.CLOSED:
            return
        busy = self._phase is Phase.BUSY
        self._phase = Phase.CLOSED
        self._deadline.cancel()
        self._home.loop.watch(self._socket, 0, self)
        self._socket.close()
        if self._observer:
            self._observer.closed()
        self._outbox.close()
        if not busy:  # else when its thread is done
            self._abort_exchange()
        self._home.left(self)
