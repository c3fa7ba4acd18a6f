"""The sending side of one connection: its responses one after the other, and its end after the last one."""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS, Limits
from ..contract.problems import Problem
from ..contract.responses import EventStream, Response
from .connection_record import ConnectionRecord
from .current_request import CurrentRequest
from .inbox import Inbox
from .loop import READ, WRITE, Loop
from .outbox import Outbox, Progress
from .phase import Phase
from .responses import encode_head, is_chunked
from .waiting import Waiting

if TYPE_CHECKING:
    from .observer import Observer

_DRAINED = 64 * 1024
_RESET_POLL = 0.1


class Sender:
    """Sends what `begin` gets, as fast as the client takes it.

    It calls `resume` when it can go on, and `close` when the connection has ended.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        waiting: Waiting,
        inbox: Inbox,
        record: ConnectionRecord,
        observer: "Observer | None",
        *,
        resume: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        self._socket = sock
        self._limits = limits
        self._waiting = waiting
        self._inbox = inbox
        self._record = record
        self._observer = observer
        self._resume = resume
        self._close = close
        self._outbox = Outbox(sock, observer)
        self._linger_left = LINGER_BYTES

    def begin(
        self,
        response: Response,
        request: CurrentRequest | None,
        problem: Problem | None = None,
        *,
        last: bool = False,
    ) -> None:
        """Send the response to `request`, or to bytes that did not become a request.

        `problem` is the reason if it is a refusal. The `last` response ends the connection.
        """
        minor_version = request.received.minor_version if request else 1
        chunked = is_chunked(response, minor_version)
        keep_alive = (
            request is not None
            and request.complete
            and request.received.keep_alive
            and self._limits.keep_alive_timeout > 0
            and not last
            # Without chunks the end of the connection is the end of a stream.
            and (chunked or not isinstance(response.body, EventStream))
        )
        head = encode_head(response, keep_alive=keep_alive, minor_version=minor_version)
        if self._observer:
            if request is not None and request.complete:
                self._observer.complete(request.received)
            self._observer.responded(response, head, problem, keep_alive=keep_alive)
        response = self._record.send(response, head)
        self._outbox.begin(response, head, chunked=chunked, closes=not keep_alive)
        self.go_on()

    def go_on(self) -> None:
        """Send what the socket takes. The rest follows when it takes more, or when more is due or read."""
        self._waiting.phase = Phase.SENDING
        progress = self._outbox.send()
        if progress is Progress.SENT:
            self._sent()
        elif progress is Progress.MUST_READ:
            self._waiting.for_thread(
                self._outbox.read, lambda _: self._resume(), phase=Phase.READING, events=0
            )
        elif progress is Progress.PAUSES:  # reading goes on, to notice a client that leaves
            events = READ if self._inbox.may_receive else 0
            self._waiting.wait_for(Phase.PAUSING, events, self.next_look())
        else:
            self._waiting.wait_for(Phase.SENDING, WRITE, time.monotonic() + self._limits.send_timeout)

    def on_deadline(self, now: float) -> None:
        """The deadline of the phase SENDING, PAUSING or LINGERING has come."""
        if self._waiting.phase is Phase.SENDING and self._outbox.unsent.made_progress():
            self._waiting.set_deadline(now + self._limits.send_timeout)
        elif self._waiting.phase is Phase.PAUSING and now >= self._outbox.resume_at:
            self._resume()
        elif self._waiting.phase is Phase.PAUSING and not self._is_reset():
            self._waiting.set_deadline(self.next_look())
        else:
            self._close()

    def next_look(self) -> float:
        """The time of the next event, or of the next look for a reset if reading would not show it."""
        soon = time.monotonic() + _RESET_POLL
        return self._outbox.resume_at if self._inbox.may_receive else min(self._outbox.resume_at, soon)

    def _is_reset(self) -> bool:
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0

    def _sent(self) -> None:
        self.note_end()
        if not self._outbox.closes:
            self._waiting.phase = Phase.IDLE
        elif self._inbox.ended:
            self._close()
        else:
            self._socket.shutdown(socket.SHUT_WR)
            self._waiting.wait_for(Phase.LINGERING, READ, time.monotonic() + LINGER_SECONDS)

    def drain(self) -> None:
        """Discard what a client still sends after the last response."""
        try:
            data = self._socket.recv(_DRAINED)
        except BlockingIOError:
            return
        self._linger_left -= len(data)
        if self._observer:
            self._observer.dropped(len(data))
        if not data or self._linger_left < 0:
            self._close()

    def note_end(self) -> None:
        """The response is sent, or its connection has ended: it is logged with what was sent of it."""
        self._record.sent_in_all(self._outbox.sent)

    def close(self, loop: Loop) -> None:
        """Send nothing more."""
        self._outbox.close(loop)
