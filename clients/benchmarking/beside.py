"""Connections that are held open beside a load: idle ones, and uploads that come slowly."""

import contextlib
import resource
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context

from ..launch import HOST
from .small_requests import SmallRequests

_CONNECT_SECONDS = 5.0
_OPEN_SECONDS = 20.0
_SETTLE_SECONDS = 0.3
_ADDRESSES = 100
_SLOW_BYTES = 16
_SLOW_PAUSE = 0.2


@dataclass(slots=True)
class Held:
    """The connections, and how many of them could be opened."""

    connections: list[socket.socket] = field(default_factory=list)

    @property
    def opened(self) -> int:
        """How many were opened."""
        return len(self.connections)

    def count(self) -> int:
        """How many the server has neither closed nor answered."""
        poll = select.poll()
        for connection in self.connections:
            poll.register(connection, select.POLLIN)
        return self.opened - len(poll.poll(0))


def raise_descriptor_limit() -> None:
    """Let this process, and the servers that it starts, have as many descriptors as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def idle_connections(port: int, count: int) -> Iterator[Held]:
    """So many connections that send nothing, or as many as the server takes in 20 seconds."""
    with contextlib.ExitStack() as stack:
        held = Held(_opened(stack, port, count))
        time.sleep(_SETTLE_SECONDS)  # the server accepts the last ones
        yield held


@contextlib.contextmanager
def slow_uploads(port: int, count: int) -> Iterator[Held]:
    """So many uploads that have begun, each of which goes on by 16 bytes in a fifth of a second."""
    with contextlib.ExitStack() as stack:
        held = Held(_opened(stack, port, count))
        sender = get_context("fork").Process(target=_send_slowly, args=(held.connections,), daemon=True)
        sender.start()
        try:
            time.sleep(_SETTLE_SECONDS)
            yield held
        finally:
            sender.terminate()
            sender.join()


def _opened(stack: contextlib.ExitStack, port: int, count: int) -> list[socket.socket]:
    """The connections come from several addresses, because they are those of several clients."""
    connections: list[socket.socket] = []
    deadline = time.monotonic() + _OPEN_SECONDS
    while len(connections) < count and time.monotonic() < deadline:
        source = (f"127.0.1.{1 + len(connections) % _ADDRESSES}", 0)
        try:
            connection = socket.create_connection((HOST, port), _CONNECT_SECONDS, source)
        except OSError:
            break
        connections.append(stack.enter_context(connection))
    return connections


def _send_slowly(connections: list[socket.socket]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    request = b"0" * 12
    request = request.join(SmallRequests("multipart").template())
    head = request.index(b"\r\n\r\n") + 4
    for connection in connections:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.send(request[:head])
    for offset in range(head, len(request) - _SLOW_BYTES, _SLOW_BYTES):
        time.sleep(_SLOW_PAUSE)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(request[offset : offset + _SLOW_BYTES])
