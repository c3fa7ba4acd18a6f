"""No connection takes more than its share of memory and of the loop's time, also when the server stops."""

import fcntl
import json
import socket
import struct
import termios
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.socket_server import connection, inbox, large_body
from servers.socket_server.connection import Connection
from servers.socket_server.inbox import Inbox
from servers.socket_server.loop import Loop
from servers.socket_server.worker import Worker
from tests.patience import eventually, patient
from tests.socket_server.client import Client, get, request
from tests.socket_server.worker_thread import serving

_CHUNKED = request("POST", "/", "Transfer-Encoding: chunked")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """For each read of a connection: the size asked for, and the size received."""
    found: list[tuple[int, int]] = []

    class Recorded(socket.socket):
        def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
            data = super().recv(bufsize, flags)
            found.append((bufsize, len(data)))
            return data

    accept = Worker.accept
    monkeypatch.setattr(Worker, "accept", lambda worker, sock: accept(worker, Recorded(fileno=sock.detach())))
    return found


@pytest.fixture
def heads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many heads are handled in each turn of the loop."""
    counts = [0]
    turn, begin = Loop._turn, Connection._begin

    def counted_turn(loop: Loop) -> None:
        counts.append(0)
        turn(loop)

    def counted_begin(served: Connection, received: HeadReceived) -> None:
        counts[-1] += 1
        begin(served, received)

    monkeypatch.setattr(Loop, "_turn", counted_turn)
    monkeypatch.setattr(Connection, "_begin", counted_begin)
    return counts


def _stream(client: Client, events: int) -> Client:
    """Ask for a stream of a thousand events a second, and wait for its beginning."""
    body = json.dumps({"query": "x" * events, "delay": 0.001}).encode()
    client.send(request("POST", "/stream_echo", "Content-Type: application/json", body=body))
    while b"data:" not in client.received:
        assert not client.is_silent(5)
    return client


def _push(client: Client, data: bytes) -> None:
    """Send as much as the kernel takes at once."""
    client.socket.setblocking(False)
    try:
        while True:
            client.socket.send(data)
    except BlockingIOError:
        return


# While a stream pauses.


def test_a_client_that_keeps_sending_while_a_stream_pauses_is_not_read_for_ever(
    reads: list[tuple[int, int]],
) -> None:
    with serving() as worker, worker.client() as client:
        _stream(client, 50_000)
        reads.clear()
        shown = client.received.count(b"data:")
        # One read for each event would fill the memory: there are many more events than reads.
        while client.received.count(b"data:") < shown + 200:
            _push(client, bytes(65536))
            assert not client.is_silent(5), "the stream goes on"
        taken = sum(got for _, got in reads)
    assert inbox.PIECE <= taken <= inbox.PIECE + connection._LARGE_READ


def test_what_came_while_a_stream_paused_is_answered_behind_it() -> None:
    with serving() as worker, worker.client() as client:
        _stream(client, 100).send(get("/1"), get("/2"))
        stream, first, second = client.responses(3, methods=(b"POST", b"GET", b"GET"))
    assert stream.body.count(b"data:") == 100
    assert [response.json()["path"] for response in (first, second)] == ["/1", "/2"]


def test_an_inbox_is_full_until_what_it_keeps_is_taken() -> None:
    kept = Inbox(RequestReader(Limits()))
    kept.feed(request("POST", "/", length=2 * inbox.PIECE))
    assert isinstance(kept.next_event(), HeadReceived)
    seen = [(kept.receive_ahead(data), kept.may_receive) for data in (bytes(inbox.PIECE - 1), b"x")]
    assert seen == [(True, True), (False, False)], "whether there is room for more"
    event = kept.next_event()
    assert isinstance(event, BodyReceived)
    assert len(event.data) == inbox.PIECE - 1, "a large piece is handed over alone, without a copy"
    assert [bytes(piece) for piece in kept.more_of_body(inbox.PIECE)] == [b"x"]
    assert (kept.may_receive, kept.receive_ahead(b"x")) == (True, True)
    assert (kept.receive_ahead(b""), kept.may_receive) == (False, False), "the client has ended its side"


def test_what_follows_a_large_piece_is_handed_over_in_order_and_a_fault_behind_it() -> None:
    kept = Inbox(RequestReader(Limits()))
    kept.feed(_CHUNKED)
    assert isinstance(kept.next_event(), HeadReceived)
    large = bytes(range(256)) * 1024
    for data in (b"%x\r\n" % len(large), large, b"\r\n1\r\na\r\n1\r\nb\r\n", b"no size\r\n"):
        kept.receive_ahead(data)
    event = kept.next_event()
    assert isinstance(event, BodyReceived)
    pieces = [bytes(event.data), *(bytes(piece) for piece in kept.more_of_body(10 * len(large)))]
    assert b"".join(pieces) == large + b"ab"
    with pytest.raises(Problem):
        kept.next_event()


# Between two turns of the loop.


@pytest.mark.parametrize(
    "sent",
    [pytest.param(get, id="no body"), pytest.param(lambda path: request("POST", path, body=b"x"), id="body")],
)
def test_pipelined_requests_leave_the_others_their_turn(
    heads: list[int], sent: Callable[[str], bytes]
) -> None:
    paths = [f"/{number}" for number in range(300)]
    with serving() as worker, worker.client() as client:
        responses = client.send(b"".join(sent(path) for path in paths)).responses(len(paths))
        assert [response.json()["path"] for response in responses] == paths
        assert client.is_silent(0.05), "no response too many"
    assert sum(heads) == len(paths)
    assert max(heads) <= connection._EVENTS_A_TURN


@pytest.mark.parametrize("path", ["/upload/", "/files/" + "0" * 64])
def test_pipelined_refusals_leave_the_others_their_turn(heads: list[int], path: str) -> None:
    with serving() as worker, worker.client() as client:
        assert len(client.send(get(path) * 300).responses(300)) == 300
    assert max(heads) <= connection._EVENTS_A_TURN


def test_a_client_that_ends_behind_many_requests_gets_every_answer(heads: list[int]) -> None:
    """The end of input is remembered while the requests before it wait for their turns."""
    with serving() as worker, worker.client() as client:
        assert len(client.send(get() * 200).end().until_closed()) == 200
    assert max(heads) <= connection._EVENTS_A_TURN


@pytest.mark.parametrize("count", [inbox._MOST_CHUNKS - 1, 4 * inbox._MOST_CHUNKS + 1])
def test_tiny_chunks_are_handed_over_before_finding_them_has_taken_long(count: int) -> None:
    kept = Inbox(RequestReader(Limits()))
    kept.feed(_CHUNKED + b"1\r\nx\r\n" * count + b"0\r\n\r\n")
    assert isinstance(kept.next_event(), HeadReceived)
    sizes = []
    while isinstance(event := kept.next_event(), BodyReceived):
        sizes.append(len(event.data))
    assert isinstance(event, BodyComplete)
    assert sum(sizes) == count
    assert max(sizes) <= inbox._MOST_CHUNKS
    assert len(sizes) == -(-count // inbox._MOST_CHUNKS), "and not one by one"


def test_a_body_in_tiny_chunks_is_read_whole() -> None:
    with serving() as worker, worker.client() as client:
        client.send(_CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n", get("/next"))
        first, after = client.responses(2, methods=(b"POST", b"GET"))
    assert (first.json()["text"], after.json()["path"]) == ("x" * 20_000, "/next")


def test_reads_are_small_again_after_a_large_body(reads: list[tuple[int, int]]) -> None:
    """A large read blocks the loop for longer, so only large bodies use it."""
    with serving() as worker, worker.client() as client:
        text = json.dumps("x" * 900_000).encode()
        for sent, size in (
            (request("PUT", "/upload/f", body=bytes(2 * 1024 * 1024)), large_body.LEAST_READ),
            (request("POST", "/echo", "Content-Type: application/json", body=text), connection._LARGE_READ),
        ):
            client.forget().send(sent).response()
            assert size in {asked for asked, _ in reads}
            reads.clear()
            client.forget().send(get()).response()
            assert {asked for asked, _ in reads} == {connection._SMALL_READ}


def test_the_more_of_a_file_has_come_the_more_is_read_at_once(
    reads: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LARGE_READ", connection._SMALL_READ)  # those of the loop
    size = 3 * 8 * large_body.MOST_READ
    with serving() as worker, worker.client() as client:
        client.send(request("PUT", "/upload/f", body=bytes(size))).response()
    of_thread = [asked for asked, _ in reads if asked != connection._SMALL_READ]
    assert of_thread == sorted(of_thread)
    assert (of_thread[0], of_thread[-1]) == (large_body.LEAST_READ, large_body.MOST_READ)


# When the server stops.


def _has_arrived(client: Client) -> bool:
    """Whether the peer's kernel has everything that was sent."""
    (held,) = struct.unpack("i", fcntl.ioctl(client.socket, termios.TIOCOUTQ, bytes(4)))
    return bool(held == 0)


@pytest.mark.parametrize("fresh", [False, True], ids=["kept alive", "fresh"])
def test_a_request_that_has_arrived_when_the_server_stops_is_answered(fresh: bool) -> None:
    """It comes while the loop is busy, so the loop sees it only after it was stopped."""
    clients: Future[Client] = Future()
    with serving() as worker, worker.client() as kept:
        kept.send(get()).response()

        def stop_behind_a_request() -> None:
            client = worker.client() if fresh else kept.forget()
            client.send(get("/late"))
            eventually(lambda: _has_arrived(client))
            worker.worker.stop()
            clients.set_result(client)

        worker.worker.loop.call_soon_from_thread(stop_behind_a_request)
        with clients.result(15) as client:
            (response,) = client.until_closed()
            assert (response.status, response.json()["path"]) == (200, "/late")
            assert response.header("connection") == "close"
        assert worker.ended(patient(5))
