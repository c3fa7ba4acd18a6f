"""500 streams at once on one worker of the socket server keep their pace: a pause holds no thread."""

import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from clients.http1.exchange import exchange
from clients.launch import RunningBackend, start
from tests.patience import eventually, patient
from tests.streams.processes import processes_of, socket_count, thread_count

STREAMS = 500
DELAY = 0.5
QUERY = b"echo this"
SHOULD_TAKE = DELAY * (len(QUERY) - 1)
# How much later than its pace a stream may be at its end, in seconds: the machine has other work.
TOLERANCE = 1.0
LIMIT_SECONDS = 40
BODY = b'{"query":"%b","delay":%g}' % (QUERY, DELAY)
REQUEST = (
    b"POST /stream_echo HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY)
) + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"


@dataclass
class Stream:
    """One connection, what it has received, and when its events came."""

    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    times: list[float] = field(default_factory=list)
    asked: float = 0.0

    def read(self, now: float) -> bool:
        """Take what is there; False at the end."""
        data = self.connection.recv(65536)
        self.received += data
        self.times += [now] * data.count(b"data: ")
        return bool(data)


@pytest.fixture
def one_worker() -> Iterator[RunningBackend]:
    with start("socket", flags=("--workers", "1")) as server:
        yield server


@pytest.mark.soak(seconds=8)
def test_500_streams_on_one_worker_keep_their_pace_without_a_thread_each(one_worker: RunningBackend) -> None:
    pids = processes_of(one_worker.pid)
    threads, sockets = thread_count(pids), socket_count(pids)
    streams = [Stream(socket.create_connection((one_worker.host, one_worker.port))) for _ in range(STREAMS)]
    try:
        during = read_all(streams, one_worker)
    finally:
        for stream in streams:
            stream.connection.close()
    assert [stream.received.count(b"data: ") for stream in streams] == [len(QUERY)] * STREAMS
    assert all(stream.received.endswith(b"\r\n0\r\n\r\n") for stream in streams)
    took = [stream.times[-1] - stream.times[0] for stream in streams]
    # From the request on: this client, which may be slow itself, may see the first event late.
    assert min(stream.times[-1] - stream.asked for stream in streams) > SHOULD_TAKE - 0.2
    assert statistics.quantiles(took, n=20)[-1] < SHOULD_TAKE + TOLERANCE
    assert during == threads
    assert eventually(lambda: socket_count(pids) <= sockets, 10)


def read_all(streams: list[Stream], server: RunningBackend) -> int:
    """Send all requests, read all streams to their ends; return the server's threads in the middle of it.

    Another client gets its response meanwhile, and soon.
    """
    selector = selectors.DefaultSelector()
    for stream in streams:
        stream.asked = time.monotonic()
        stream.connection.sendall(REQUEST)
        selector.register(stream.connection, selectors.EVENT_READ, stream)
    start_time = time.monotonic()
    threads = 0
    while selector.get_map() and time.monotonic() < start_time + LIMIT_SECONDS:
        for key, _ in selector.select(1.0):
            if not key.data.read(time.monotonic()):
                selector.unregister(key.fileobj)
        if not threads and time.monotonic() > start_time + SHOULD_TAKE / 2:
            threads = thread_count(processes_of(server.pid))
            asked = time.monotonic()
            assert exchange(server.host, server.port, [HEALTH]).responses[0].status == 200
            assert time.monotonic() - asked < patient(1.0)
    selector.close()
    return threads
