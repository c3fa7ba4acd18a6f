"""Connections that a worker has no room for: each gets its response at once, before its head has come."""

import socket
import time
from contextlib import suppress

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS
from ..contract.problems import Problem
from ..contract.request_log import RequestLog
from ..contract.responses import problem_response
from .loop import READ, Deadline, Loop
from .responses import encode_head

_MOST_LINGERING = 64
_READ_SIZE = 64 * 1024


class TurnedAway:
    """Refuses connections of one worker. At most 64 wait for their end; then the oldest one is closed."""

    def __init__(self, loop: Loop, log: RequestLog) -> None:
        self._loop = loop
        self._log = log
        self._lingering: dict[_Lingering, None] = {}  # in the order in which they came

    def __len__(self) -> int:
        """How many of them wait for their end."""
        return len(self._lingering)

    def add(self, sock: socket.socket, problem: Problem) -> None:
        """Send the response. The connection is closed when the client ends it, or after 2 seconds."""
        response = problem_response(problem)
        assert isinstance(response.body, bytes)
        try:
            record = self._log.record(sock.getpeername())
            record.begin()
            sock.setblocking(False)
            # It fits into the empty buffer of a new connection.
            sock.send(encode_head(response, keep_alive=False, minor_version=1) + response.body)
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has already gone
            sock.close()
            return
        record.respond(response)
        record.sent = len(response.body)
        record.end()
        if len(self._lingering) >= _MOST_LINGERING:
            next(iter(self._lingering)).close()
        self._lingering[_Lingering(sock, self._loop, self._lingering)] = None

    def close(self) -> None:
        """Close all connections that still wait."""
        for lingering in list(self._lingering):
            lingering.close()


class _Lingering:
    """One connection that has its response. It is read until its end, so that no reset destroys that."""

    client = None

    def __init__(self, sock: socket.socket, loop: Loop, others: "dict[_Lingering, None]") -> None:
        self._socket = sock
        self._loop = loop
        self._others = others
        self._left = LINGER_BYTES
        self._deadline = Deadline(loop, self.close)
        self._deadline.set(time.monotonic() + LINGER_SECONDS)
        loop.watch(sock, READ, self)

    def on_ready(self) -> None:
        """Drop what the client still sends."""
        data = b""
        with suppress(OSError):
            data = self._socket.recv(_READ_SIZE)
        self._left -= len(data)
        if not data or self._left < 0:
            self.close()

    def close(self) -> None:
        """Wait no longer."""
        self._deadline.cancel()
        self._loop.watch(self._socket, 0, self)
        self._socket.close()
        self._others.pop(self, None)
