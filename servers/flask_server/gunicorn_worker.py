"""A gthread worker that keeps the contract where gunicorn responds by itself. Slow heads hold no thread.

Threads are given to clients in turn (`fairness.py`), and one address may hold only so many of them. A
connection beyond `max_connections` is answered at once, where gunicorn would let it wait.
"""

import os
import socket
import time
from collections import Counter, deque
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http.errors import ParseException
from gunicorn.workers import gthread

from ..contract.capture import Capture, history_at
from ..contract.limits import LINGER_SECONDS, Limits
from ..contract.load import Permit, Quota, client_of
from ..contract.problems import Problem
from ..contract.remembered import KnownHeads
from ..contract.request_log import RequestLog, RequestRecord
from ..contract.responses import Response, problem_response
from ..descriptors import connections_within
from ..fairness import RELIEF_SECONDS, FairThreads, switch_threads_often
from ..flask_reading.wire_head import KnownHead
from ..settings import Settings
from .gunicorn_request import PeerClosed, StrictParser, late_head
from .gunicorn_shutdown import SHUTDOWN
from .linger import drain

ACCEPT_PAUSE_SECONDS = 0.5
# How often the waiting connections are looked through for late ones.
_LOOK_SECONDS = 0.25
_ACCEPTS_A_TURN = 16
_MOST_WAITING = 2048  # in the queue of the kernel, gunicorn's `backlog`
_LENGTH = b"\r\nContent-Length: "
_MOST_TURNED_AWAY = 64
_FOR_OTHERS = 0.2  # of the threads: no address may hold them
# So many threads begin with a request within 5 ms: more only take Python's lock from each other.
_AT_ONCE = 2


class PatientSocket(socket.socket):
    """A socket whose time-out in `sendall` holds for each piece, not for all pieces together.

    A client that reads slowly is served. One that reads nothing until the time-out is dropped.

    gunicorn sends a head and its body apart. Here a head that announces a Content-Length waits for what comes
    next, because its body follows at once: one packet instead of two. Call `flush` after each response.
    """

    _head = b""

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Raises OSError, TimeoutError among them."""
        if not self._head and _is_head_before_body(data):
            self._head = data
            return
        head, self._head = self._head, b""
        self._send_all(head + data if head else data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a head that waits, and the file behind it. Raises OSError, TimeoutError among them."""
        head, self._head = self._head, b""
        self._send_all(head, socket.MSG_MORE)
        sent = super().sendfile(file, offset, count)
        if count is not None and sent < count:  # the peer waits for the rest
            raise OSError("a stored file became shorter while it was sent")
        return sent

    def _send_all(self, data: Any, flags: int) -> None:
        view = memoryview(data)
        while view:
            view = view[self.send(view, flags) :]

    def flush(self) -> None:
        """Send a head that still waits: its response has no body. Raises OSError."""
        if self._head:
            self.sendall(b"")


def _is_head_before_body(data: bytes) -> bool:
    return data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n") and _LENGTH in data


class Connection(gthread.TConn):  # type: ignore[misc]  # gunicorn has no types
    """One connection with our parser. It lingers before it closes, so that the peer can read the response."""

    parser: StrictParser

    def __init__(
        self,
        cfg: Any,
        sock: Any,
        client: Any,
        server: Any,
        limits: Limits,
        log: RequestLog,
        capture: Capture | None,
        known: KnownHeads[KnownHead] | None = None,
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser = StrictParser(cfg, sock, client, limits, capture, known)
        self.permit: Permit | None = None
        self.in_request = False
        self.among: dict[Connection, None] = {}  # the open connections of the worker
        self._limits = limits
        self._log = log

    def gather(self) -> bool:
        """Whether a head is complete. Never waits. Raises Problem, PeerClosed and OSError."""
        self.data_ready = self.parser.unreader.gather()
        return self.data_ready

    @property
    def counted_as(self) -> str:
        """Its phase, for the metrics. Any thread may ask."""
        if not self.in_request:
            return "reading_head" if self.parser.unreader.wire.begun else "idle"
        return "reading_body" if self.has_unread_body() else "responding"

    def head_is_late(self, now: float) -> bool:
        """Whether a head has begun and was not complete in time."""
        return bool(now > self.parser.unreader.deadline)

    def is_idle_too_long(self, now: float, *, stopping: bool) -> bool:
        """Whether no request has begun, and the keep-alive time is over or the worker stops."""
        return not self.parser.unreader.wire.begun and (stopping or now > self.timeout)

    def refuse(self, problem: Problem, *, wait: bool = True) -> None:
        """Send the response to a request that does not reach the application, and linger. Never raises."""
        response = problem_response(problem)
        with suppress(OSError):
            self.sock.settimeout(self._limits.send_timeout if wait else 0)
            self.sock.sendall(_on_the_wire(response))
        self.log_head(response)
        self.linger(wait=wait)

    def turn_away(self, problem: Problem) -> None:
        """Send the response to a connection for which there is no room. Never waits, never raises."""
        response = problem_response(problem)
        self.sock.setblocking(False)
        with suppress(OSError):
            self.sock.sendall(_on_the_wire(response))
            self.sock.shutdown(socket.SHUT_WR)
        _log_refusal(self._log.record(self.client), response)

    def log_head(self, response: Response | None = None) -> None:
        """Log a request whose head did not become complete; without a response the peer left before."""
        reader = self.parser.unreader
        if not reader.wire.begun:
            return
        record = self._log.record(self.client, reader.capture)
        since = reader.deadline - self._limits.head_timeout
        record.begin(*reader.wire.request_line, since)
        _log_refusal(record, response)

    def has_unread_body(self) -> bool:
        """Whether the peer may still be sending the body of the last request."""
        request = self.parser.mesg
        return request is not None and not request.body.ended

    def linger(self, *, wait: bool) -> None:
        """Shut the write side and drain what the peer still sends, within bounds (contract section 4).

        Without `wait` only what has already arrived is drained. Unread bytes would make the kernel reset the
        connection, and the response would be lost.
        """
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            drain(self.sock, LINGER_SECONDS if wait else 0)

    def close(self, graceful: bool = False) -> None:
        """Close at once. Lingering was done before, in a thread and not in the worker's loop."""
        util.close(self.sock)
        self.among.pop(self, None)
        if self.permit is not None:
            self.permit.release()


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """Gives a connection a thread only when its head is complete, so that slow heads hold none."""

    def init_process(self) -> None:
        """Read the settings, and serve until stopped."""
        switch_threads_often()
        settings = Settings.from_environment()
        self.limits = settings.limits
        self.requests = settings.log
        self.known: KnownHeads[KnownHead] = KnownHeads()
        self.history = settings.open_history()
        self.resume_at = 0.0  # when to accept again, on the monotonic clock
        self.look_at = 0.0  # when to look for late connections again
        most = connections_within(self.limits.max_connections, self.cfg.threads)
        most = min(most, self.cfg.worker_connections)
        self.quota = Quota("connections", most, self.limits.max_connections_per_client)
        self.worker_connections = most + 1  # gunicorn itself never stops accepting
        self.turned_away: deque[tuple[float, Connection]] = deque()  # and when to close them
        self.connections: dict[Connection, None] = {}
        if self.requests.metrics is not None:
            self.requests.metrics.connections = self.phases
            self.requests.metrics.begin("gunicorn")
        super().init_process()

    def get_thread_pool(self) -> Any:
        """gunicorn's threads, which serve the clients in turn."""
        pool = super().get_thread_pool()
        self.fair = FairThreads(
            pool, most_of_one=int(self.cfg.threads * (1 - _FOR_OTHERS)) or 1, at_once=_AT_ONCE
        )
        return pool

    def phases(self) -> Counter[str]:
        """How many connections are in each phase, for the metrics. Any thread may call it."""
        counts = Counter(conn.counted_as for conn in list(self.connections))
        counts["closing"] += len(self.turned_away)
        return counts

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """gunicorn's. While work waits for a thread, it looks often whether there may be one more."""
        if self.fair.is_late:
            timeout = RELIEF_SECONDS
            self.fair.relieve()
        super().wait_for_and_dispatch_events(timeout)

    def enqueue_req(self, conn: Connection) -> None:
        """gunicorn's, but for the turn of the client."""
        future = self.fair.submit(client_of(conn.client), partial(self.handle, conn))
        future.add_done_callback(lambda ended: self.method_queue.defer(self.finish_request, conn, ended))

    def accept(self, listener: Any) -> None:
        """gunicorn's accept with our class of connection. Accepts several, because a turn may be long."""
        for _ in range(_ACCEPTS_A_TURN):
            if not self._accept(listener):
                return

    def _accept(self, listener: Any) -> bool:
        try:
            sock, client = listener.accept()
        except BlockingIOError:
            return False  # none is left, or another worker was faster
        except ConnectionAbortedError:
            return True  # the peer has already gone
        except OSError as error:
            # Out of descriptors or memory. The listener stays readable: without a pause the loop would use a
            # whole CPU.
            self.log.warning("Cannot accept: %s", error)
            self.resume_at = time.monotonic() + ACCEPT_PAUSE_SECONDS
            self.set_accept_enabled(False)
            return False
        patient = PatientSocket(fileno=sock.detach())
        server = listener.getsockname()
        try:
            permit = self.quota.acquire(client_of(client))
        except Problem as problem:
            refused = Connection(self.cfg, patient, client, server, self.limits, self.requests, None)
            self._turn_away(refused, problem)
            return True
        history = history_at(self.history, server)
        capture = None if history is None else history.capture("gunicorn", wire=True)
        conn = Connection(self.cfg, patient, client, server, self.limits, self.requests, capture, self.known)
        conn.permit = permit
        conn.among = self.connections
        self.connections[conn] = None
        self.nr_conns += 1
        self.enqueue_req(conn)
        return True

    def _turn_away(self, conn: Connection, problem: Problem) -> None:
        """Refuse a connection before its head has come. It is closed after 2 seconds at most."""
        conn.turn_away(problem)
        self.turned_away.append((time.monotonic() + LINGER_SECONDS, conn))
        if len(self.turned_away) > _MOST_TURNED_AWAY:
            self._close_turned_away(self.turned_away.popleft()[1])

    def _close_turned_away(self, conn: Connection) -> None:
        conn.linger(wait=False)  # what has arrived is read, so that no reset destroys the response
        conn.close()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop: streams of events that have no end are ended too."""
        if self.history is not None:
            self.history.stop()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections, or leave them in the backlog. The loop calls this again and again.

        A worker that stops accepts those that wait in the queue of the kernel, because their clients may have
        sent a request. Then it closes the sockets: a client that comes later is refused, and does not wait.
        """
        if not enabled or time.monotonic() >= self.resume_at:
            super().set_accept_enabled(enabled)
        if self.ppid != os.getppid():  # the master was killed: gunicorn's loop ends, but still is `alive`
            self.alive = False
        if not self.alive:
            for listener in self.sockets:
                for _ in range(_MOST_WAITING):
                    if not self._accept(listener):
                        break
                listener.close()

    def handle(self, conn: Connection) -> Any:
        """Serve one request, or let the connection wait for the rest of its head."""
        if SHUTDOWN.announced:
            self.max_keepalived = 0  # each response is the last one of its connection
        try:
            if not conn.gather():
                return gthread._DEFER
        except Problem as problem:
            conn.refuse(problem)
            return False
        except (PeerClosed, OSError) as error:
            self.log.debug("The peer left: %r", error)
            conn.log_head()
            return False
        except Exception:
            self.log.exception("Error reading a head")
            conn.refuse(Problem("internal", "the request failed; the log says why"))
            return False
        conn.in_request = True
        stays = super().handle(conn)
        conn.in_request = False
        with suppress(OSError):
            conn.sock.flush()
        if not stays:
            conn.linger(wait=conn.has_unread_body())
        return stays

    def murder_pending(self) -> None:
        """Close connections whose head did not come in time, with a 408 if it had begun.

        A worker that stops also closes connections on which no request has begun. Every turn of the loop
        calls this. Looking through thousands of connections in each turn would take all of its time.
        """
        now = time.monotonic()
        if self.alive and now < self.look_at:
            return
        self.look_at = now + _LOOK_SECONDS
        while self.turned_away and (self.turned_away[0][0] <= now or not self.alive):
            self._close_turned_away(self.turned_away.popleft()[1])
        stopping = not self.alive
        ended = [
            conn
            for conn in self.pending_conns
            if conn.head_is_late(now) or conn.is_idle_too_long(now, stopping=stopping)
        ]
        for conn in ended:
            self.pending_conns.remove(conn)
            with suppress(OSError, KeyError, ValueError):
                self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            if conn.head_is_late(now):
                conn.refuse(late_head(self.limits), wait=False)
            conn.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Send a problem, not HTML, for what failed outside the application (S5)."""
        if isinstance(exc, Problem):
            problem = exc
        elif isinstance(exc, ParseException):
            problem = Problem("bad_header", "the head is malformed", rule=None)  # gunicorn does not say which
        else:
            self.log.exception("Error handling request")
            problem = Problem("internal", "the request failed; the log says why")
        response = problem_response(problem)
        with suppress(OSError):
            client.sendall(_on_the_wire(response))
        if req is None:  # else the application has logged it
            _log_refusal(self.requests.record(addr), response)


def _log_refusal(record: RequestRecord, response: Response | None) -> None:
    record.begin(record.method, record.target)
    if response is not None:
        record.respond(response)
        record.sent = response.content_length or 0
    record.end()


def _on_the_wire(response: Response) -> bytes:
    """The whole response as bytes."""
    assert isinstance(response.body, bytes)
    fields = [
        ("Server", "gunicorn"),
        ("Date", util.http_date()),
        ("Connection", "close"),
        *response.headers,
        ("Content-Length", str(response.content_length)),
    ]
    head = f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in fields)
    return head.encode("iso-8859-1") + b"\r\n" + response.body
