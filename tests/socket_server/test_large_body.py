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
from servers.socket_server import large_body
from servers.socket_server.inbox import Inbox
from servers.socket_server.large_body import LargeBody
from tests.patience import patient
from tests.socket_server.client import request
from tests.socket_server.worker_thread import serving

_CHUNKED = request("POST", "/", "Transfer-Encoding: chunked")


class Kept:
    """Stands in for an exchange: keeps what it is fed, and calls `then` with how much that is."""

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
        self._body = LargeBody(
            server, self.inbox, cast(Exchange, self.exchange), arrived=self._arrive, note=self._note
        )
        self.inbox.feed(sent)
        assert isinstance(self.inbox.next_event(), HeadReceived)

    def _arrive(self, data: bytes) -> None:
        self.arrived += len(data)
        self.inbox.feed(data)

    def _note(self, piece: memoryview) -> None:
        self.noted += len(piece)

    def store(self) -> float:
        first = self.inbox.next_event()
        assert isinstance(first, BodyReceived)
        return self._body.store(first.data)


@contextlib.contextmanager
def _received(sent: bytes) -> Iterator[Received]:
    client, server = socket.socketpair()
    with client, server:
        server.setblocking(False)
        yield Received(client, server, sent)


def test_what_the_client_sends_meanwhile_is_stored_in_order() -> None:
    rest = bytes(range(256)) * 300
    with _received(request("POST", "/", length=len(rest) + 3) + b"abc") as body:
        body.client.sendall(rest)
        body.store()
        assert body.exchange.content == b"abc" + rest
        assert body.noted == len(rest), "the first piece is noted by the caller"
        assert isinstance(body.inbox.next_event(), BodyComplete)


def test_the_next_request_is_left_alone() -> None:
    with _received(request("POST", "/", length=4) + b"ab") as body:
        body.client.sendall(b"cd" + request("GET", "/next"))
        body.store()
        assert body.exchange.content == b"abcd"
        assert isinstance(body.inbox.next_event(), BodyComplete)
        assert isinstance(body.inbox.next_event(), HeadReceived)


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


def test_a_client_that_sends_all_the_time_gives_the_thread_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with _received(request("POST", "/", length=10**9) + b"x") as body:
        times = itertools.count(0.0, large_body._SECONDS / 8)
        monkeypatch.setattr("servers.socket_server.large_body.time.monotonic", lambda: next(times))
        monkeypatch.setattr(large_body, "READ_SIZE", 10)
        body.client.sendall(bytes(1000))
        body.store()
        assert 0 < body.arrived < 100


def test_waiting_for_the_client_is_told() -> None:
    """It counts for the rate that the client must keep."""
    with _received(request("POST", "/", length=10) + b"x") as body:
        assert body.store() >= large_body._PATIENCE_MS / 1000 / 2
        assert body.exchange.content == b"x"


def test_a_large_upload_that_trickles_in_is_408() -> None:
    """Each byte comes before the thread loses its patience, so the thread is used nearly all the time."""
    with serving(min_body_rate=100_000, body_rate_window=1) as worker, worker.client() as client:
        client.send(request("PUT", "/upload/f", length=10**9), bytes(300_000))
        begin = time.monotonic()
        while time.monotonic() - begin < patient(10) and client.is_silent(0.0005):
            client.send(b"x")
        assert client.until_closed()[0].status == 408
        assert time.monotonic() - begin < patient(10)
