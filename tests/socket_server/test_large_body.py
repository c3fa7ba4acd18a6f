"""A large body is received in a thread: in order, not beyond a fault, and not for too long at a time."""

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from typing import cast

import pytest

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.socket_server import inbox, large_body
from servers.socket_server.inbox import Inbox
from servers.socket_server.large_body import LargeBody
from tests.patience import patient
from tests.socket_server.client import request
from tests.socket_server.worker_thread import serving

_CHUNKED = request("POST", "/", "Transfer-Encoding: chunked")


@pytest.fixture
def _few_bytes_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_body, "LITTLE", 1)


class Kept:
    """Stands in for an exchange: keeps what it is fed."""

    def __init__(self) -> None:
        self.content = b""

    def feed(self, *pieces: memoryview) -> None:
        self.content += b"".join(pieces)


class Received:
    """A body whose head and first bytes have arrived, from a client that sends over `client`."""

    def __init__(self, client: socket.socket, server: socket.socket, sent: bytes) -> None:
        self.client = client
        self.inbox = Inbox(RequestReader(Limits()))
        self.exchange = Kept()
        self.noted = self.arrived = 0
        self.body = LargeBody(
            server,
            self.inbox,
            cast(Exchange, self.exchange),
            received=0,
            arrived=self._arrive,
            note=self._note,
        )
        self.inbox.feed(sent)
        assert isinstance(self.inbox.next_event(), HeadReceived)

    def _arrive(self, data: bytes) -> None:
        self.arrived += len(data)
        self.inbox.feed(data)

    def _note(self, piece: memoryview) -> None:
        self.noted += len(piece)

    def store(self, *, receives: bool = True) -> float:
        first = self.inbox.next_event()
        assert isinstance(first, BodyReceived)
        return self.body.store(self.body.with_more(first.data), receives=receives)


@contextlib.contextmanager
def _received(sent: bytes) -> Iterator[Received]:
    client, server = socket.socketpair()
    with client, server:
        server.setblocking(False)
        yield Received(client, server, sent)


@pytest.mark.usefixtures("_few_bytes_are_many")
def test_what_the_client_sends_meanwhile_is_stored_in_order() -> None:
    rest = bytes(range(256)) * 300
    with _received(request("POST", "/", length=len(rest) + 3) + b"abc") as body:
        body.client.sendall(rest)
        body.store()
        assert body.exchange.content == b"abc" + rest
        assert body.noted == len(rest), "the first piece is noted by the caller"
        assert isinstance(body.inbox.next_event(), BodyComplete)


@pytest.mark.usefixtures("_few_bytes_are_many")
def test_the_next_request_is_left_alone() -> None:
    with _received(request("POST", "/", length=4) + b"ab") as body:
        body.client.sendall(b"cd" + request("GET", "/next"))
        body.store()
        assert body.exchange.content == b"abcd"
        assert isinstance(body.inbox.next_event(), BodyComplete)
        assert isinstance(body.inbox.next_event(), HeadReceived)


@pytest.mark.usefixtures("_few_bytes_are_many")
@pytest.mark.parametrize("ends", [False, True], ids=["a fault", "the end of the client's side"])
def test_nothing_is_received_behind(ends: bool) -> None:
    """Behind a fault nobody knows where the request ends."""
    with _received(_CHUNKED + b"2\r\nab\r\n") as body:
        fault = b"2\r\ncd\r\n" + (b"" if ends else b"no size\r\n")
        body.client.sendall(fault)
        if ends:
            body.client.shutdown(socket.SHUT_WR)
        body.store()
        assert body.exchange.content == b"abcd"
        assert body.arrived == len(fault)
        if not ends:
            body.client.sendall(b"more")
        assert not body.inbox.needs_data
        with pytest.raises(Problem):
            body.inbox.next_event()


@pytest.mark.usefixtures("_few_bytes_are_many")
def test_a_client_that_sends_all_the_time_gives_the_thread_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with _received(request("POST", "/", length=10**9) + b"x") as body:
        times = itertools.count(0.0, large_body._SECONDS / 8)
        monkeypatch.setattr("servers.socket_server.large_body.time.monotonic", lambda: next(times))
        monkeypatch.setattr(body.body, "_read_size", 10)
        body.client.sendall(bytes(1000))
        body.store()
        assert 0 < body.arrived < 100


@pytest.mark.usefixtures("_few_bytes_are_many")
def test_waiting_for_the_client_is_told() -> None:
    """It counts for the rate that the client must keep."""
    with _received(request("POST", "/", length=10) + b"x") as body:
        assert body.store() >= large_body._PATIENCE_MS / 1000 / 2
        assert body.exchange.content == b"x"


def test_behind_a_small_read_no_more_is_received() -> None:
    """Most clients send slowly, and other uploads need the thread."""
    with _received(request("POST", "/", length=10**9) + b"x") as body:
        body.client.sendall(bytes(large_body.LITTLE - 1))
        body.store()
        body.client.sendall(b"more")
        assert body.arrived == large_body.LITTLE - 1


def test_the_event_loop_may_receive_instead() -> None:
    with _received(request("POST", "/", length=10**9) + b"x") as body:
        body.client.sendall(bytes(large_body.LITTLE))
        assert body.store(receives=False) == 0
        assert (body.exchange.content, body.arrived) == (b"x", 0)


_AT_HAND = inbox.PIECE + 1000


@pytest.mark.parametrize(
    "sent",
    [
        request("POST", "/", length=_AT_HAND) + bytes(_AT_HAND),
        _CHUNKED
        + (b"%x\r\n" % inbox.PIECE + bytes(inbox.PIECE) + b"\r\n")
        + b"3e8\r\n"
        + bytes(1000)
        + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_nothing_is_received_while_the_end_of_the_body_is_at_hand(sent: bytes) -> None:
    """Else the bytes of the next request would be counted among those of this one, also in the history."""
    secret = b"GET /next HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer SECRET"
    with _received(sent + secret) as body:
        body.client.sendall(b"\r\n\r\n")
        body.store()
        assert body.arrived == 0
        assert len(body.exchange.content) == _AT_HAND
        assert isinstance(body.inbox.next_event(), BodyComplete)
        assert body.inbox.unparsed == len(secret)


def test_a_large_upload_that_trickles_in_is_408() -> None:
    """Each byte comes before the thread loses its patience, so the thread is used nearly all the time."""
    with serving(min_body_rate=100_000, body_rate_window=1) as worker, worker.client() as client:
        client.send(request("PUT", "/upload/f", length=10**9), bytes(300_000))
        begin = time.monotonic()
        while time.monotonic() - begin < patient(10) and client.is_silent(0.0005):
            client.send(b"x")
        assert client.until_closed()[0].status == 408
        assert time.monotonic() - begin < patient(10)
