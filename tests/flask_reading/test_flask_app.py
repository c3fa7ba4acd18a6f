"""The Flask application, with a test client and under the development server."""

import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from clients.launch import RunningBackend, start
from servers import flask_upload
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.contract.request_log import RequestLog
from servers.flask_reading import read_environ
from servers.flask_server.body_input import LARGE, LARGE_PIECE, PIECE, BodyInput
from servers.flask_server.dev_server import DevConnection
from servers.flask_server.gunicorn_request import HeadReader, RequestBody
from servers.settings import Settings
from tests.connections import connect, receive_all

MEMORY = Settings(store="memory:", quiet=True)


@pytest.fixture
def app() -> Flask:
    return flask_upload.create_app(MEMORY)


class Broken:
    """A `wsgi.input` that fails, and records how large its reads are."""

    def __init__(self, error: Exception | None = None, data: bytes = b"") -> None:
        self.sizes: list[int] = []
        self._error = error
        self._data = data

    def read(self, size: int) -> bytes:
        self.sizes.append(size)
        data, self._data = self._data[:size], self._data[size:]
        if self._error is not None and not data:
            raise self._error
        return data


def head_of(**fields: str) -> RequestHead:
    line = {"REQUEST_METHOD": "POST", "RAW_URI": "/", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "h"}
    return read_environ({**line, **fields}, Limits())


def pieces(stream: object, **fields: str) -> Iterator[bytes]:
    environ: dict[str, Any] = {"wsgi.input": stream}
    return iter(BodyInput(environ, head_of(**fields), Limits(), has_type=False))


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_path_is_answered_without_routing(app: Flask) -> None:
    client = app.test_client()
    for path in ("/a//b", "/static/x", "/a", "/a/"):
        response = client.get(path)
        assert (response.status_code, response.mimetype) == (200, "application/json")
    assert client.get("/v1/no").mimetype == "application/json"
    assert client.get("/files/no").mimetype == "application/problem+json"


def test_a_head_that_was_read_from_its_bytes_is_not_read_again() -> None:
    """An environ has joined and trimmed values, of which the limits do not hold."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n" + 2 * (b"Cookie: " + b"a" * 5000 + b"\r\n") + b"\r\n")
        reader = HeadReader(ours, Limits())
        assert reader.gather()
        wire = reader.take_head()
        environ: dict[str, Any] = {"wsgi.input": RequestBody(reader, wire)}
        head = flask_upload._read_head(environ, Limits())
    assert head is wire.head
    assert len(head.field("cookie") or "") == 10002


def test_exception_becomes_a_problem_that_says_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> RequestHead:
        raise RuntimeError("secret")

    monkeypatch.setattr(flask_upload, "read_environ", fail)
    response = app.test_client().get("/")
    assert response.status_code == 500
    assert response.get_json()["code"] == "internal"
    assert b"secret" not in response.data


def test_answer_to_head_has_the_length_of_its_description(app: Flask) -> None:
    response = app.test_client().head("/a")
    assert response.data == b""
    assert int(response.headers["Content-Length"]) > 100


def test_head_of_a_file_leaves_nothing_open(tmp_path: Path) -> None:
    """No byte of the body is sent, so the end of sending cannot close the file."""
    client = flask_upload.create_app(Settings(store=str(tmp_path))).test_client()
    href = client.put("/upload/a", data=b"hello").get_json()["files"][0]["href"]
    before = open_descriptors()
    for _ in range(50):
        response = client.head(href)
        assert (response.status_code, response.headers["Content-Length"]) == (200, "5")
    assert open_descriptors() < before + 10


@pytest.mark.parametrize(("count", "refused"), [(99, False), (100, True)])
def test_fields_are_counted_as_far_as_wsgi_shows_them(count: int, refused: bool) -> None:
    """They are counted by name, besides Host: lines of one name were joined before."""
    fields = {f"HTTP_X_{number}": "1" for number in range(count)}
    if refused:
        with pytest.raises(Problem, match="headers_too_large"):
            head_of(**fields)
    else:
        assert len(head_of(**fields).headers) == Limits().max_fields


def test_application_is_made_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREPROOF_STORE", "memory:")
    monkeypatch.delitem(flask_upload.__dict__, "app", raising=False)
    made = flask_upload.app
    assert isinstance(made, Flask)
    assert flask_upload.app is made
    monkeypatch.delitem(flask_upload.__dict__, "app")
    with pytest.raises(AttributeError):
        flask_upload.application  # noqa: B018


def test_body_is_read_in_pieces_that_grow_when_it_is_large() -> None:
    sizes = [PIECE] * (LARGE // PIECE) + [LARGE_PIECE, 7]
    stream = Broken(data=b"x" * (sum(sizes) + 3))
    assert [len(piece) for piece in pieces(stream, CONTENT_LENGTH=str(sum(sizes)))] == sizes
    assert stream.sizes == sizes


def test_body_shorter_than_its_length_is_truncated() -> None:
    with pytest.raises(Problem, match="body_truncated"):
        list(pieces(Broken(data=b"abc"), CONTENT_LENGTH="10"))


@pytest.mark.parametrize(
    "error, code",
    [
        (OSError("broken"), "body_truncated"),
        (ConnectionResetError(), "body_truncated"),
        (TimeoutError(), "request_timeout"),
        (Problem("bad_chunk", "as it is"), "bad_chunk"),
    ],
)
def test_failure_to_read_is_a_problem(error: Exception, code: str) -> None:
    with pytest.raises(Problem, match=code):
        list(pieces(Broken(error, b"abc"), HTTP_TRANSFER_ENCODING="chunked"))


def test_other_servers_chunk_errors_are_mapped() -> None:
    with pytest.raises(Problem, match="bad_chunk"):
        list(pieces(Broken(InvalidChunkSize(b"zz")), HTTP_TRANSFER_ENCODING="chunked"))
    with pytest.raises(Problem, match="body_truncated"):
        list(pieces(Broken(NoMoreData()), HTTP_TRANSFER_ENCODING="chunked"))


def test_decoded_chunks_of_another_server_end_where_they_end() -> None:
    assert list(pieces(Broken(data=b"abc"), HTTP_TRANSFER_ENCODING="chunked")) == [b"abc"]


def test_body_that_drips_is_ended_at_the_end_of_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 5.0
        return now

    monkeypatch.setattr("servers.flask_server.pace.time", SimpleNamespace(monotonic=clock))
    slow = (b"x" for _ in range(100))
    stream = Broken()
    stream.read = lambda size: next(slow)  # type: ignore[method-assign]
    with pytest.raises(Problem, match="request_timeout"):
        list(pieces(stream, CONTENT_LENGTH="100"))
    assert 55 <= now <= 75
    fast = (b"x" * 2000 for _ in range(100))
    stream.read = lambda size: next(fast)  # type: ignore[method-assign]
    assert sum(map(len, pieces(stream, CONTENT_LENGTH="200000"))) == 200000


class Elsewhere(socket.socket):
    """A connection to a public address."""

    def getsockname(self) -> Any:
        return ("192.0.2.1", 8000)


@pytest.mark.parametrize(
    "settings, refused",
    [
        (MEMORY, True),
        (Settings(store="memory:", token="t"), False),
        (Settings(store="memory:", insecure_public=True), False),
    ],
)
def test_request_at_a_public_address_is_refused_without_a_token(settings: Settings, refused: bool) -> None:
    with Elsewhere() as connection:
        arrived = DevConnection.of({"werkzeug.socket": connection}, settings)
        if refused:
            with pytest.raises(Problem, match="misdirected_host"):
                arrived.check_arrival()
        else:
            arrived.check_arrival()


def test_lingering_close_ends_for_a_peer_that_never_does() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sending = threading.Event()

        def send() -> None:
            sending.set()
            try:
                while True:
                    theirs.sendall(b"x" * 65536)
            except OSError:
                pass

        peer = threading.Thread(target=send)
        peer.start()
        sending.wait()
        body = DevConnection(ours, MEMORY).close_after(b"answer", RequestLog(quiet=True).record(None))
        assert list(body) == [b"answer"]
        assert theirs.recv(100) == b""
        ours.close()
        peer.join(10)
        assert not peer.is_alive()


@pytest.mark.parametrize("size", [b"fffffffffffffffff", b"+3", b"0x3"])
def test_development_server_survives_hostile_chunks(
    backends: Mapping[str, RunningBackend], size: bytes
) -> None:
    """Werkzeug's own decoder fills the memory with zeros for the first one (B33)."""
    head = b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection = connect(backends["flask"], head + size + b"\r\nabc\r\n0\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_chunk"' in response


@pytest.mark.parametrize(
    ("method", "length", "sent"),
    [
        (b"POST", 900_000, 500_000),
        # For a HEAD, Werkzeug's server would drop the body and the close with it, and would drain.
        (b"HEAD", 20_000_000, 300_000),
    ],
)
def test_development_server_lets_a_refusal_be_read_and_closes(
    backends: Mapping[str, RunningBackend], method: bytes, length: int, sent: int
) -> None:
    head = b"%s /v1/no HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (method, length)
    connection = connect(backends["flask"], head)
    connection.sendall(b"x" * sent)
    response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 404 ")
    assert response.endswith(b"\r\n\r\n") == (method == b"HEAD")


def test_development_server_waits_for_a_body_no_longer_than_it_may_be_idle() -> None:
    with start("flask", env={"WIREPROOF_BODY_IDLE_TIMEOUT": "1"}) as backend:
        begun = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na"
        response = receive_all(connect(backend, begun))
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in response
