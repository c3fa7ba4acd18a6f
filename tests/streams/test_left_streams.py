"""A client that leaves ends the making of events: at once, or at the second write that cannot reach it."""

import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from servers.contract.responses import Event, EventStream, event_stream_response
from servers.socket_server.responses import pieces_of
from tests.patience import eventually
from tests.socket_server.worker_thread import serving
from tests.streams.processes import processes_of, socket_count, thread_count
from tests.streams.watched import Watched

Leave = Callable[[socket.socket], None]
STREAMS = 200
AT_A_TIME = 8
# gunicorn's pools grow while left streams are not yet noticed, at most to 64 threads in each of 2 workers.
MOST_THREADS = 2 * (1 + 64) + 2


def closes(connection: socket.socket) -> None:
    """FIN: a client that may still read, as far as TCP can tell."""
    connection.close()


def resets(connection: socket.socket) -> None:
    """RST: a client that is gone for certain."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def begin(server: Watched, query: str, delay: float) -> socket.socket:
    """A stream of which the first event has come."""
    return begin_at(server.backend.port, query, delay)


def begin_at(port: int, query: str, delay: float) -> socket.socket:
    """The same, of the server on `port`."""
    body = json.dumps({"query": query, "delay": delay}).encode()
    head = b"POST /stream_echo HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        received = b""
        while b"data: " not in received:
            data = connection.recv(65536)
            assert data, received
            received += data
    except BaseException:
        connection.close()
        raise
    return connection


@pytest.mark.parametrize("leave", [closes, resets])
def test_events_stop_at_the_latest_with_the_second_write_after_the_client_left(
    server: Watched, leave: Leave
) -> None:
    query = uuid.uuid4().hex * 20
    connection = begin(server, query, 0.2)
    leave(connection)
    left = time.monotonic()
    time.sleep(1.5)
    made_after = [at for at in server.made(query) if at > left]
    assert len(made_after) <= 2
    assert len(server.made(query)) < 6


def test_the_generator_is_closed_when_the_client_has_left(server: Watched) -> None:
    query = uuid.uuid4().hex * 20
    closes(begin(server, query, 0.05))
    assert eventually(lambda: bool(server.closed(query)), 3)


def test_the_socket_server_notices_a_reset_at_once_though_the_next_event_is_far(
    watched_backends: dict[str, Watched],
) -> None:
    server = watched_backends["socket"]
    query = uuid.uuid4().hex
    connection = begin(server, query, 10)
    resets(connection)
    left = time.monotonic()
    assert eventually(lambda: bool(server.closed(query)), 5)
    assert server.closed(query)[0] - left < 1
    assert len(server.made(query)) == 1


def test_the_socket_server_notices_a_reset_behind_a_half_closed_connection_too(
    watched_backends: dict[str, Watched],
) -> None:
    server = watched_backends["socket"]
    query = uuid.uuid4().hex
    connection = begin(server, query, 10)
    connection.shutdown(socket.SHUT_WR)
    time.sleep(0.3)
    assert server.closed(query) == []
    resets(connection)
    assert eventually(lambda: bool(server.closed(query)), 2)
    assert len(server.made(query)) == 1


def test_a_client_that_is_done_sending_still_gets_the_whole_stream(server: Watched) -> None:
    query = uuid.uuid4().hex[:8]
    connection = begin(server, query, 0.05)
    with connection:
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
    assert received.endswith(b"0\r\n\r\n")
    assert len(server.made(query)) == 8


def test_after_200_left_streams_descriptors_and_threads_are_back_at_the_baseline(server: Watched) -> None:
    _leave_streams(server, 5 * AT_A_TIME)  # every pool of threads has its size now
    pids = processes_of(server.backend.pid)
    threads, sockets = thread_count(pids), socket_count(pids)
    _leave_streams(server, STREAMS)
    assert processes_of(server.backend.pid) == pids
    assert eventually(lambda: socket_count(pids) <= sockets, 10)
    assert eventually(lambda: thread_count(pids) <= max(threads, MOST_THREADS), 10)


def _leave_streams(server: Watched, count: int) -> None:
    """Begin `count` streams and leave every other one by FIN, every other by RST; wait for their end."""
    query = uuid.uuid4().hex * 20
    pids = processes_of(server.backend.pid)
    before = socket_count(pids)
    for _ in range(0, count, AT_A_TIME):
        connections = [begin(server, query, 0.05) for _ in range(AT_A_TIME)]
        for number, connection in enumerate(connections):
            (closes if number % 2 else resets)(connection)
    assert eventually(lambda: socket_count(pids) <= before, 10)


def test_no_timer_waits_for_a_stream_that_was_left() -> None:
    """A deadline that is cancelled stays in the heap until its time, but holds on to nothing."""
    with serving() as served, ExitStack() as stack:
        timers, beat = served.worker.loop._timers, served.worker._next_beat
        query = "a long query" * 20
        connections = [stack.enter_context(begin_at(served.port, query, 10)) for _ in range(STREAMS)]
        assert (
            len({id(deadline) for _, _, deadline in timers if deadline.at is not None} - {id(beat)})
            == STREAMS
        )
        for connection in connections:
            resets(connection)
        assert eventually(lambda: not served.worker._connections, 5)
        held = {id(deadline) for _, _, deadline in timers if deadline.at is not None or deadline._callback}
        assert held <= {id(beat)}


def test_closing_a_stream_closes_its_generator_begun_or_not() -> None:
    for begun in (False, True):
        closed: list[bool] = []
        events = _noting(closed)
        stream = EventStream(events)
        if begun:
            next(events)
        stream.close()
        assert closed == [True] * begun
        assert next(events, None) is None


def test_the_pieces_of_a_response_close_its_generator_with_them() -> None:
    closed: list[bool] = []
    pieces = pieces_of(event_stream_response(_noting(closed)), b"head", chunked=True)
    assert next(pieces).data == b"head"
    assert next(pieces).data == b"9\r\ndata: a\n\n\r\n"
    assert isinstance(pieces, Generator)
    pieces.close()
    assert closed == [True]


def _noting(closed: list[bool]) -> Generator[Event, None, None]:
    try:
        while True:
            yield Event(b"data: a\n\n", 1.0)
    finally:
        closed.append(True)
