"""One worker process: accepts connections and runs them in its loop until it is stopped."""

import errno
import logging
import math
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

from ..contract.load import Permit, client_of
from ..contract.problems import Problem
from ..contract.remembered import KnownHeads
from ..contract.route import Context
from ..handshakes import SETTLE_SECONDS, take_no_new
from ..sansio.connection import HeadReceived
from .connection import Connection
from .loop import READ, Deadline, Loop
from .scoreboard import BEAT_SECONDS, Row, Scoreboard
from .turned_away import TurnedAway

if TYPE_CHECKING:
    from .observer import Observer
    from .wire.screen import Screen

LOG = logging.getLogger("wireproof.socket")
_ACCEPTS_A_TURN = 64
_MOST_WAITING = 1024  # in the queue of the kernel
_PAUSE_SECONDS = 0.1
# The kernel keeps so many bytes for a client that does not read. Without a limit it keeps megabytes.
_MOST_NOT_SENT = 256 * 1024
# How long a new connection is left to other workers before this one looks again, and how often. Then this
# one accepts it: the others may be busy, or stuck.
_LEAVE_SECONDS = 0.001
_MOST_LOOKS = 10
_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener:
    """Accepts connections from one listening socket, which all workers share.

    A worker that has clearly more connections than another leaves the next ones to that worker, so a burst is
    spread evenly. When descriptors run out it pauses, so that the loop does not spin (X09).
    """

    client = None

    def __init__(self, sock: socket.socket, worker: "Worker") -> None:
        self.socket = sock
        self._worker = worker
        self._looks = 0
        self._pause = Deadline(worker.loop, self._listen)
        worker.loop.watch(sock, READ, self)

    def _listen(self) -> None:
        self._worker.show_load()
        self._worker.loop.watch(self.socket, READ, self)

    def on_ready(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            if self._looks < _MOST_LOOKS and self._worker.row.should_leave_it():
                self._looks += 1
                self._pause_for(_LEAVE_SECONDS)
                return
            self._looks = 0
            if not self._accept():
                return

    def accept_all(self) -> None:
        """Accept what waits in the queue of the kernel."""
        for _ in range(_MOST_WAITING):
            if not self._accept():
                return

    def _accept(self) -> bool:
        """Accept one connection; False when there is none, or no descriptor for it."""
        try:
            sock, _ = self.socket.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                self._worker.row.connections = math.inf  # the other workers do not wait for this one
                self._pause_for(_PAUSE_SECONDS)
                return False
            return True  # the client has already gone (ECONNABORTED)
        self._worker.accept(sock)
        return True

    def _pause_for(self, seconds: float) -> None:
        self._worker.loop.watch(self.socket, 0, self)
        self._pause.set(time.monotonic() + seconds)

    def close(self) -> None:
        self._pause.cancel()
        self._worker.loop.watch(self.socket, 0, self)
        self.socket.close()


class Worker:
    """Owns the connections of one process, and its loop.

    `row` is its row of the scoreboard that it shares with other workers.
    """

    def __init__(
        self,
        listeners: list[socket.socket],
        context: Context,
        *,
        screen: "Screen | None" = None,
        row: Row | None = None,
    ) -> None:
        self.loop = Loop()
        self.context = context
        self.row = row or Scoreboard(1).rows[0]
        self.known_heads: KnownHeads[HeadReceived] = KnownHeads()
        self.draining = False
        self.stop_has_begun = False
        self.stopping = False
        self._screen = screen
        self._observed = 0
        self._connections: dict[Connection, Permit] = {}
        self._turned_away = TurnedAway(self.loop, context.log)
        self._listeners = [Listener(sock, self) for sock in listeners]
        self._end_of_delay = Deadline(self.loop, self.begin_to_stop)
        self._next_step = Deadline(self.loop, self.stop)
        self._end_of_grace = Deadline(self.loop, self._end)
        self._next_beat = Deadline(self.loop, self._beat)

    def run(self) -> None:
        """Serve until stopped."""
        if self.context.metrics is not None:
            self.context.metrics.connections = self.phases
            self.context.metrics.begin("socket")
        self.show_load()
        self._beat()
        self.loop.run()

    def _beat(self) -> None:
        self.row.beat()
        self._next_beat.set(time.monotonic() + BEAT_SECONDS)

    def show_load(self) -> None:
        """Tell the other workers how many connections this one has."""
        takes_no_more = self.draining or self.context.load.connections.is_full
        self.row.connections = math.inf if takes_no_more else len(self._connections)

    def phases(self) -> Counter[str]:
        """How many connections are in each phase, for the metrics. Any thread may call it."""
        counts = Counter(connection.counted_as for connection in list(self._connections))
        counts["closing"] += len(self._turned_away)
        return counts

    def accept(self, sock: socket.socket) -> None:
        """Start a connection on a socket that was accepted, or refuse it if there are too many."""
        permit: Permit | None = None
        try:
            permit = self.context.load.connections.acquire(client_of(sock.getpeername()))
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_NOT_SENT)
            self._connections[Connection(sock, self)] = permit
            permit = None
        except Problem as problem:
            self._turned_away.add(sock, problem)
        except OSError:  # the client has already gone
            sock.close()
        except Exception:  # no memory for one more: the other connections go on (H109)
            LOG.exception("a connection could not begin")
            sock.close()
        if permit is not None:
            permit.release()
        self.show_load()

    def observer(self, sock: socket.socket) -> "Observer | None":
        """The observer of a new connection, or None without a screen."""
        if self._screen is None:
            return None
        from .observer import Observer  # only --wire needs it, and with it rich

        self._observed += 1
        host, port = sock.getpeername()[:2]
        return Observer(self._screen, self._observed, f"{host} port {port}")

    @property
    def leaves(self) -> bool:
        """Whether each response is the last one of its connection."""
        return self.draining or self.context.shutdown.announced

    def connection_closed(self, connection: Connection) -> None:
        """Called by each connection when it is closed."""
        if (permit := self._connections.pop(connection, None)) is not None:
            permit.release()
        self.show_load()
        self._end_when_empty()

    def drain(self) -> None:
        """Accept no more, close each connection after its next response, and end when none is left.

        No time is set, and no idle connection is closed before its time: no client loses a request. What
        waits to be accepted is left to other workers. Safe to call twice.
        """
        if self.draining:
            return
        self.draining = True
        self._end_event_streams()
        self.show_load()
        for listener in self._listeners:
            listener.close()
        self._end_when_empty()

    def _end_event_streams(self) -> None:
        if self.context.history is not None:
            self.context.history.stop()

    def announce_stop(self) -> None:
        """Stop after the delay of `context.shutdown`, which is announced now."""
        self.context.shutdown.announce()
        self._end_of_delay.set(time.monotonic() + self.context.shutdown.delay)

    def begin_to_stop(self) -> None:
        """Stop when the handshakes under way are over: a client that has connected is served."""
        self.stop_has_begun = True
        can_wait = take_no_new(listener.socket for listener in self._listeners)
        self._next_step.set(time.monotonic() + (SETTLE_SECONDS if can_wait else 0))

    def stop(self) -> None:
        """Accept no more, close idle connections, and end when the last response is sent.

        Ends after the grace of `context.shutdown` in any case. Safe to call twice.
        """
        if self.stopping:
            return
        if not self.draining:
            for listener in self._listeners:
                listener.accept_all()  # a client that waits to be accepted may have sent a request
        self.stopping = True
        self.drain()
        self._turned_away.close()
        for connection in list(self._connections):
            connection.stop()
        self._end_of_grace.set(time.monotonic() + self.context.shutdown.grace)
        self._end_when_empty()

    def stop_at_once(self) -> None:
        """End now. Only work that runs in a thread is finished."""
        self._end()

    def _end_when_empty(self) -> None:
        if self.draining and not self._connections:
            self._end()

    def _end(self) -> None:
        self._next_beat.cancel()
        self.row.end()
        self.loop.stop()
