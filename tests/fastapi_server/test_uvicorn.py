"""The application under uvicorn, with our protocol class and without it."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="without the extra 'fastapi' its backend is NOT tested")

from clients.http1.exchange import Exchange, exchange, whole
from clients.launch import BACKENDS, LaunchError, RunningBackend, installed_backends, start
from tests.connections import connect, receive_all
from tests.patience import eventually

HOST = b"Host: localhost:8000\r\n"
UPLOAD = b"POST /upload/ HTTP/1.1\r\n" + HOST
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
FILE = (
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * 100_000 + b"\r\n--b--"
)
LIMITS = {
    "WIREPROOF_HEAD_TIMEOUT": "1",
    "WIREPROOF_KEEP_ALIVE_TIMEOUT": "1",
    "WIREPROOF_SEND_TIMEOUT": "1",
    "WIREPROOF_BODY_IDLE_TIMEOUT": "1",
}


@pytest.fixture(scope="module")
def backend() -> Iterator[RunningBackend]:
    with start("fastapi") as started:
        yield started


@pytest.fixture(scope="module")
def hasty() -> Iterator[RunningBackend]:
    """The backend with time limits of a second."""
    with start("fastapi", env=LIMITS) as started:
        yield started


def answered(backend: RunningBackend, request: bytes, responses: int = 1) -> Exchange:
    return exchange(backend.host, backend.port, whole(request), expected_responses=responses)


def problem(exchanged: Exchange) -> tuple[int, str]:
    (response,) = exchanged.responses
    return response.status, response.json()["code"]


def stored(backend: RunningBackend) -> list[str]:
    """Every file below the store that holds bytes, but the marker of the store."""
    files = [path for path in backend.store.rglob("*") if path.is_file() and path.stat().st_size]
    return [path.name for path in files if path.name != "wireproof-store"]


def open_sockets(backend: RunningBackend) -> int:
    port = f":{backend.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] in ("01", "08") for row in rows)


def test_the_problem_of_a_malformed_head_reaches_a_client_that_still_sends(backend: RunningBackend) -> None:
    exchanged = answered(backend, b"GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n" + b"x" * 500_000)
    assert problem(exchanged) == (400, "bad_header")
    assert exchanged.responses[0].header("connection") == "close"
    assert exchanged.responses[0].header("cache-control") == "no-store"


def test_a_malformed_head_is_refused_with_a_body_even_for_head(backend: RunningBackend) -> None:
    received = receive_all(connect(backend, b"HEAD / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n"))
    assert b'"code":"bad_header"' in received


def test_a_peer_that_leaves_within_a_head_is_not_answered(backend: RunningBackend) -> None:
    assert answered(backend, b"GET / HTTP/1.1\r\nHost: h\r\n").closed


@pytest.mark.parametrize(
    ("framing", "body", "code"),
    [
        (b"Content-Length: 200000", FILE[:50_000], "body_truncated"),
        (b"Transfer-Encoding: chunked", b"c350\r\n" + FILE[:50_000] + b"\r\n", "body_truncated"),
        (b"Transfer-Encoding: chunked", b"c350\r\n" + FILE[:50_000] + b"\r\nzz\r\n", "bad_chunk"),
        (
            b"Transfer-Encoding: chunked",
            b"c350\r\n" + FILE[:50_000] + b"\r\n0\r\nHost: h\r\n\r\n",
            "bad_chunk",
        ),
    ],
)
def test_a_broken_body_is_refused_and_leaves_nothing(
    backend: RunningBackend, framing: bytes, body: bytes, code: str
) -> None:
    exchanged = answered(backend, UPLOAD + FORM + framing + b"\r\n\r\n" + body)
    assert problem(exchanged) == (400, code)
    assert stored(backend) == []


def test_the_problem_of_a_malformed_body_reaches_a_client_that_still_sends(backend: RunningBackend) -> None:
    with connect(backend, UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n") as connection:
        for _ in range(5):
            time.sleep(0.02)
            connection.sendall(b"x" * 100_000)
        connection.shutdown(socket.SHUT_WR)
        received = receive_all(connection)
    assert b'"code":"bad_chunk"' in received


def test_pipelined_requests_are_answered_in_order_until_a_malformed_one(backend: RunningBackend) -> None:
    get = b"GET /%b HTTP/1.1\r\n" + HOST + b"\r\n"
    two = answered(backend, get % b"one" + get % b"two", responses=2)
    assert [response.json()["path"] for response in two.responses] == ["/one", "/two"]
    bad = answered(backend, get % b"one" + get % b"\x00", responses=2)
    assert [response.status for response in bad.responses] == [200, 400]
    assert bad.responses[1].json()["code"] == "request_line"


def test_bytes_behind_the_last_request_change_nothing(backend: RunningBackend) -> None:
    request = b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\nmore"
    assert [response.status for response in answered(backend, request).responses] == [200]


def test_one_continue_comes_when_the_body_is_wanted_and_none_when_it_is_refused(
    backend: RunningBackend,
) -> None:
    wanted = UPLOAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
    assert (answered(backend, wanted).continues, answered(backend, wanted).responses[0].status) == (1, 200)
    refused = answered(backend, wanted.replace(b"/upload/", b"/files/x"))
    assert (refused.continues, problem(refused)[0]) == (0, 405)


def test_a_late_head_is_refused_and_a_silent_connection_closed(hasty: RunningBackend) -> None:
    with connect(hasty, b"GET / HTTP/1.1\r\n") as connection:
        time.sleep(0.6)
        connection.sendall(b"Host: h\r\n")
        received = receive_all(connection)
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request_timeout"' in received
    with connect(hasty) as connection:
        assert connection.recv(65536) == b""


def test_a_second_request_may_begin_late_and_must_be_quick_then(hasty: RunningBackend) -> None:
    with connect(hasty, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.7)
        connection.sendall(b"G")
        received = receive_all(connection)
    assert b"HTTP/1.1 408 " in received


def test_a_body_that_does_not_come_is_refused(hasty: RunningBackend) -> None:
    received = receive_all(connect(hasty, UPLOAD + b"Content-Length: 10\r\n\r\nabc"))
    assert received.startswith(b"HTTP/1.1 408 ")
    assert stored(hasty) == []


def test_a_client_that_does_not_read_is_dropped() -> None:
    """Because of `send_timeout`: every other limit is longer than the test."""
    env = dict.fromkeys(LIMITS, "300") | {"WIREPROOF_SEND_TIMEOUT": "1"}
    body = b"y" * 30_000_000
    head = b"PUT /upload/y HTTP/1.1\r\nContent-Length: %d\r\n" % len(body) + HOST
    with start("fastapi", env=env) as backend:
        sent = answered(backend, head + b"\r\n" + body)
        target = sent.responses[0].json()["files"][0]["href"].encode()
        assert eventually(lambda: open_sockets(backend) == 0, seconds=10)
        with connect(backend, b"GET %b HTTP/1.1\r\n" % target + HOST + b"\r\n"):
            assert eventually(lambda: open_sockets(backend) == 1, seconds=10)
            assert eventually(lambda: open_sockets(backend) == 0, seconds=30)
        assert "Traceback" not in backend.log()


def test_http_1_0_keeps_the_connection_if_asked_and_gets_no_chunks(backend: RunningBackend) -> None:
    get = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    kept = answered(backend, get + get, responses=2)
    assert [response.header("connection") for response in kept.responses] == ["keep-alive"] * 2
    body = b'{"query":"ab","delay":0}'
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    post = b"POST /stream_echo HTTP/1.0\r\nConnection: keep-alive\r\n" + head + body
    received = receive_all(connect(backend, post))
    assert received.endswith(b'\r\n\r\ndata: {"chunk": "a"}\n\ndata: {"chunk": "b"}\n\n')
    assert b"\r\nconnection: close\r\n" in received.lower()


def test_a_keep_alive_of_no_seconds_still_awaits_the_first_request() -> None:
    with start("fastapi", env={"WIREPROOF_KEEP_ALIVE_TIMEOUT": "0"}) as backend:
        connection = connect(backend)
        time.sleep(0.2)
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBackend]:
    """The application under uvicorn's own protocol class."""
    options = ("servers.fastapi_upload:app", "--host", "127.0.0.1", "--port", "{port}")
    command = (*BACKENDS["fastapi"].command[:3], *options)
    monkeypatch.setitem(BACKENDS, "fastapi", replace(BACKENDS["fastapi"], command=command))
    with start("fastapi") as started:
        yield started


def test_without_our_protocol_class_ordinary_clients_get_the_same_responses(plain: RunningBackend) -> None:
    length = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(FILE)
    received = receive_all(connect(plain, UPLOAD + FORM + length + FILE))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b'"kind":"multipart"' in received
    with connect(plain, b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_one_line_says_at_the_start_that_our_protocol_class_is_missing(
    plain: RunningBackend, backend: RunningBackend
) -> None:
    flag = "--http servers.fastapi_server.protocol:ContractProtocol"
    assert [line.partition(":")[0] for line in plain.log().splitlines() if flag in line] == ["WARNING"]
    assert flag not in backend.log()


def test_a_backend_whose_extra_is_absent_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(BACKENDS["fastapi"], needs=("fastapi", "no_such_module"))
    monkeypatch.setitem(BACKENDS, "fastapi", absent)
    assert installed_backends() == ("socket", "flask", "gunicorn")
    with pytest.raises(LaunchError, match=r"pip install 'wireproof\[fastapi\]'"):
        start("fastapi")
