"""Many conversations at a time: each ending of a conversation, and all bytes of each request are sent."""

import socket
import time
from collections.abc import Iterator, Mapping

import pytest

from clients.comparison.runner import Backend
from clients.fuzzing.draft import FuzzRequest
from clients.fuzzing.multiplex import converse
from clients.http1.exchange import Exchange
from tests.http1.recording_server import HOST, RecordingServer, ok, scripted
from tests.patience import patient

GET = b"GET / HTTP/1.1\r\n\r\n"


@pytest.fixture
def echo() -> Iterator[RecordingServer]:
    """A server that responds with the number of bytes that it received."""
    with scripted(lambda request: ok(b"%d\n" % len(request)), to_the_end=True) as server:
        yield server


def only(
    server: RecordingServer, data: bytes, *, seconds: float = 5, splits: tuple[int, ...] = ()
) -> Exchange:
    backend = Backend("socket", HOST, server.port)
    ((_, exchanges),) = converse([FuzzRequest(0, data, splits)], [backend], seconds=seconds)
    return exchanges["socket"]


def test_every_request_gets_one_response_of_each_backend(echo: RecordingServer) -> None:
    with scripted(ok(), to_the_end=True) as other:
        backends = [Backend("socket", HOST, echo.port), Backend("gunicorn", HOST, other.port)]
        requests = [FuzzRequest(index, GET + b"x" * index) for index in range(60)]
        found = {request.index: exchanges for request, exchanges in converse(requests, backends, in_flight=7)}
    assert set(found) == set(range(60))
    for index, exchanges in found.items():
        assert exchanges["socket"].responses[0].body == b"%d\n" % (len(GET) + index)
        assert exchanges["gunicorn"].responses[0].body == b"{}\n"


def test_a_backend_gets_its_tiers_alone(echo: RecordingServer) -> None:
    backends = [Backend("socket", HOST, echo.port), Backend("flask", HOST, echo.port)]
    requests = [FuzzRequest(0, GET, tier=1), FuzzRequest(1, GET, tier=2), FuzzRequest(2, GET, tier=3)]
    found = {request.index: set(exchanges) for request, exchanges in converse(requests, backends)}
    assert found == {0: {"socket", "flask"}, 1: {"socket"}, 2: {"socket"}}


def test_a_request_that_no_backend_gets_is_over_at_once(echo: RecordingServer) -> None:
    received: list[Mapping[str, Exchange]] = [
        exchanges
        for _, exchanges in converse([FuzzRequest(0, GET, tier=2)], [Backend("flask", HOST, echo.port)])
    ]
    assert received == [{}]


def test_large_and_split_requests_arrive_whole(echo: RecordingServer) -> None:
    large = GET + b"x" * 6_000_000
    assert only(echo, large).responses[0].body == b"%d\n" % len(large)
    assert only(echo, GET, splits=(1, 5, 9)).responses[0].body == b"%d\n" % len(GET)
    assert echo.requests[-1] == GET


def test_an_early_response_to_a_large_request_is_read() -> None:
    with scripted(ok(), early=True, to_the_end=True) as server:
        exchange = only(server, GET + b"x" * 20_000_000)
    # The server closes with bytes unread, so that the kernel may drop its response: never a time-out.
    assert exchange.responses or exchange.closed


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"", Exchange(closed=True)),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"nonsense", None),
    ],
)
def test_a_missing_response_is_not_a_close(response: bytes, expected: Exchange | None) -> None:
    with scripted(response, to_the_end=True) as server:
        exchange = only(server, GET)
    assert exchange == expected if expected else exchange.bad_response


def test_a_refused_connection_is_no_response() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    ((_, exchanges),) = converse([FuzzRequest(0, GET)], [Backend("socket", HOST, port)])
    assert exchanges["socket"].no_response.startswith("no connection")


def test_a_silent_server_times_out_and_delays_no_other(echo: RecordingServer) -> None:
    with socket.create_server((HOST, 0)) as silent:
        backends = [Backend("socket", HOST, silent.getsockname()[1]), Backend("gunicorn", HOST, echo.port)]
        started = time.monotonic()
        ((_, exchanges),) = converse([FuzzRequest(0, GET)], backends, seconds=0.5)
    assert 0.4 < time.monotonic() - started < patient(3)
    assert exchanges["socket"].no_response == "no response came in time"
    assert exchanges["gunicorn"].responses


def test_the_response_to_head_needs_no_body() -> None:
    with scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", to_the_end=True) as server:
        assert only(server, b"HEAD / HTTP/1.1\r\n\r\n").responses[0].status == 200


def test_without_requests_it_ends_at_once() -> None:
    assert list(converse([], [Backend("socket", HOST, 1)])) == []
