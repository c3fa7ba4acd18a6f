"""Too many at once: connections are refused before their head, uploads on their head. Counts are exact."""

import contextlib
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from clients.http1.response_parser import Response, read_responses
from clients.launch import RunningBackend, start
from tests.advisories.measures import descriptors
from tests.conftest import BACKEND_NAMES, EACH_BACKEND, SOCKET_BY_DEFAULT
from tests.connections import connect, receive_all
from tests.patience import eventually, patient

CLOSE = b"Host: localhost\r\nConnection: close\r\n"
PUT = b"PUT /upload/a.bin HTTP/1.1\r\n" + CLOSE
# All that is needed to be an upload; its body does not come.
BEGUN = PUT + b"Content-Length: 10\r\n\r\n"
CHUNKED = PUT + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n"
# Short times, and one process: a quota is that of a process.
ENV = {"WIREPROOF_WORKERS": "1", "WIREPROOF_BODY_IDLE_TIMEOUT": "6"}
MOST = 3


@pytest.fixture(params=SOCKET_BY_DEFAULT)
def uploads(request: pytest.FixtureRequest) -> Iterator[RunningBackend]:
    """A backend that takes three uploads at once."""
    with start(request.param, env={**ENV, "WIREPROOF_MAX_UPLOADS": str(MOST)}) as backend:
        yield backend


def answered(connection: socket.socket) -> Response:
    """The only response, which ends the connection."""
    connection.settimeout(patient(10))
    (response,) = read_responses(receive_all(connection), (b"PUT",), ended=True).complete
    return response


def code_of(response: Response) -> tuple[int, str, str | None]:
    return response.status, response.json()["code"], dict(response.headers).get("retry-after")


def hold_all(backend: RunningBackend, stack: ExitStack, sent: bytes = BEGUN) -> None:
    """Begin uploads until one more is refused."""

    def is_full() -> bool:
        stack.enter_context(connect(backend, sent))
        return answered(connect(backend, BEGUN + bytes(10))).status == 503

    assert not is_full(), "there is room for more than one"
    assert eventually(is_full)


def is_free(backend: RunningBackend) -> bool:
    """Whether as many uploads as allowed are taken at once: nothing else is counted."""
    with ExitStack() as stack:
        held = [stack.enter_context(connect(backend, BEGUN)) for _ in range(MOST)]
        time.sleep(0.2)  # so that all heads were judged
        for connection in held:
            connection.sendall(bytes(10))
        return all(answered(connection).status == 200 for connection in held)


@pytest.mark.parametrize("sent", [BEGUN, CHUNKED], ids=["length", "chunked"])
def test_an_upload_too_many_is_503_on_its_head_and_all_else_is_served(
    uploads: RunningBackend, sent: bytes
) -> None:
    with ExitStack() as stack:
        hold_all(uploads, stack, sent)
        assert code_of(answered(connect(uploads, BEGUN))) == (503, "overloaded", "1")
        empty = PUT + b"Content-Length: 0\r\n\r\n"
        echo = b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1\r\n\r\na"
        for served in (GET, empty, echo):
            assert answered(connect(uploads, served)).status == 200
    assert eventually(lambda: is_free(uploads), 10)


def test_after_any_end_of_an_upload_it_counts_no_more(uploads: RunningBackend) -> None:
    """Success, refusals in the head and in the body, cuts, resets and time-outs, in one mix."""
    form = b"POST /upload/ HTTP/1.1\r\n" + CLOSE + b"Content-Type: multipart/form-data; boundary=b\r\n"
    whole = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\ndata\r\n--b--\r\n'
    ends = [
        BEGUN + bytes(10),
        CHUNKED + b"1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\na\r\nx\r\n",  # refused in its body
        form + b"Content-Length: %d\r\n\r\n" % len(whole) + whole,
        form + b"Content-Length: 6\r\n\r\nabcdef",  # refused in its body
        PUT + b"Content-Length: 99999999999999\r\n\r\n",  # refused on its head
        PUT + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n\r\n",
    ]
    order = random.Random("quotas")
    for number in range(60):
        with connect(uploads, order.choice(ends)) as connection, contextlib.suppress(OSError):
            connection.settimeout(patient(10))
            connection.recv(65536)
        cut = connect(uploads, BEGUN + bytes(order.randrange(10)))
        if number % 2:
            cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
        cut.close()
    assert eventually(lambda: is_free(uploads), 10)
    assert answered(connect(uploads, BEGUN + b"a")).status == 408
    assert eventually(lambda: is_free(uploads), 10)
    with ExitStack() as stack:
        hold_all(uploads, stack)


@pytest.mark.parametrize("name", EACH_BACKEND)
def test_an_address_with_too_many_uploads_gets_429_and_another_is_served(name: str) -> None:
    with start(name, env={**ENV, "WIREPROOF_MAX_UPLOADS_PER_CLIENT": "2"}) as backend, ExitStack() as stack:

        def has_too_many() -> bool:
            stack.enter_context(connect(backend, BEGUN))
            return answered(connect(backend, BEGUN + bytes(10))).status == 429

        assert not has_too_many()
        assert eventually(has_too_many)
        assert code_of(answered(connect(backend, BEGUN))) == (429, "too_many_requests", "1")
        other = stack.enter_context(
            socket.create_connection((backend.host, backend.port), 10, source_address=("127.0.0.2", 0))
        )
        other.sendall(BEGUN + bytes(10))
        assert answered(other).status == 200


# `flask run` has a thread for each connection, and no limit on them.
LIMITED = [param for param in EACH_BACKEND if param.values != ("flask",)]


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("MAX_CONNECTIONS", (503, "overloaded", "1")),
        ("MAX_CONNECTIONS_PER_CLIENT", (429, "too_many_requests", "1")),
    ],
)
def test_a_connection_too_many_is_answered_before_its_head(
    name: str, limit: str, expected: tuple[int, str, str]
) -> None:
    with start(name, env={**ENV, f"WIREPROOF_{limit}": "4"}) as backend, ExitStack() as stack:
        time.sleep(0.3)  # the connections that saw it start have ended
        silent = [stack.enter_context(connect(backend)) for _ in range(4)]
        refused = connect(backend)
        begin = time.monotonic()
        assert code_of(answered(refused)) == expected
        assert time.monotonic() - begin < patient(1)
        talkative = connect(backend, GET)
        assert code_of(answered(talkative)) == expected, "what was sent does not destroy the response"
        silent.pop().close()
        assert eventually(lambda: answered(connect(backend, GET)).status == 200)


@pytest.mark.parametrize("name", [name for name in BACKEND_NAMES if name in ("socket", "gunicorn")])
def test_a_flood_of_connections_too_many_leaves_nothing(name: str) -> None:
    with start(name, env={**ENV, "WIREPROOF_MAX_CONNECTIONS": "4"}) as backend, ExitStack() as stack:
        time.sleep(0.3)
        silent = [stack.enter_context(connect(backend)) for _ in range(4)]
        assert answered(connect(backend)).status == 503
        before = descriptors(backend.pid)
        flood = [connect(backend) for _ in range(300)]
        assert descriptors(backend.pid) <= before + 65 + 1, "only so many wait for their end"
        for connection in flood:
            connection.close()
        assert eventually(lambda: descriptors(backend.pid) <= before, 10)
        for connection in silent:
            connection.sendall(GET)
            assert answered(connection).status == 200, "those that were there first are served"
