"""No secret of a request is in a log or in the detail of a problem, on any route and backend (H176)."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress

import pytest

from clients.launch import HOST, RunningBackend, start
from tests.access.canary import ANSWERED, CANARY, HIDDEN, MALFORMED
from tests.conftest import SOCKET_BY_DEFAULT
from tests.patience import eventually, patient

_LATE = (b"GET /late?%s HTTP/1.1\r\nAuthorization: Bearer %s" % (CANARY.encode(), CANARY.encode()),)
_UPLOAD = (
    b"PUT /upload/a?token=%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1\r\n"
    b"Content-Type: image/png\r\nConnection: close\r\n\r\nx" % (CANARY.encode(), CANARY.encode())
)


def _answer(backend: RunningBackend, request: bytes, *, ends: bool = True) -> bytes:
    """What a connection brings that sends this request."""
    received = b""
    connection = socket.create_connection((HOST, backend.port), timeout=patient(20))
    with connection, suppress(ConnectionError):  # it may be refused before its end
        connection.sendall(request)
        if ends:
            with suppress(OSError):  # the server has reset the connection; what it sent is still read
                connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            received += piece
    return received


def _detail(answer: bytes) -> str:
    """The detail of a problem, and all header fields of the response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    detail = ""
    if b"problem+json" in head and body:
        detail = str(json.loads(body)["detail"])
    return head.decode("latin-1") + detail


def _shown(text: str) -> list[str]:
    return [hidden for hidden in HIDDEN if hidden in text]


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"LOG_JSON": "1", "TOKEN": CANARY}, id="JSON and a token"),
        pytest.param({}, id="text", marks=pytest.mark.soak(seconds=20)),
    ],
)
def test_no_secret_is_in_a_log_or_in_a_detail(name: str, settings: Mapping[str, str]) -> None:
    """The token of the server is a secret of its own. The store fails at last: its faults are logged too."""
    env = {"HEAD_TIMEOUT": "1", "CORS_ORIGIN": "https://app.example", **settings}
    with start(name, env={f"WIREPROOF_{key}": value for key, value in env.items()}) as backend:
        told = [
            (request, shown)
            for request in (*ANSWERED, *MALFORMED)
            if (shown := _shown(_detail(_answer(backend, request))))
        ]
        if name != "flask":  # it has no time-out for heads
            for request in _LATE:
                assert b" 408 " in _answer(backend, request, ends=False)
        backend.store.rename(backend.store.with_name("aside"))
        assert b" 503 " in _answer(backend, _UPLOAD)
        assert eventually(lambda: "store_unavailable" in backend.log())
        backend.stop()
        log = backend.log()
    assert len(log.splitlines()) > len(ANSWERED), "the log has its lines"
    assert [line for line in log.splitlines() if _shown(line)] == []
    assert told == []


def test_the_access_log_of_gunicorn_has_no_secret() -> None:
    with start("gunicorn", flags=["--access-logfile", "-"]) as backend:
        for request in ANSWERED:
            _answer(backend, request)
        backend.stop()
        log = backend.log()
    assert log.count('HTTP/1.1" ') > len(ANSWERED) / 2, "the access log has its lines"
    assert [line for line in log.splitlines() if _shown(line)] == []
