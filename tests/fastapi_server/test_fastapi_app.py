"""The FastAPI application by itself, without a server."""

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="without the extra 'fastapi' its backend is NOT tested")

from fastapi import FastAPI
from starlette.types import Message

from servers import fastapi_upload
from servers.contract.limits import Limits
from servers.contract.responses import Event
from servers.fastapi_server import worker_process
from servers.settings import Settings, SettingsError
from tests.fastapi_server.asgi import DISCONNECT, Answered, ask, body_messages, call, scope_of
from tests.patience import patient

JSON = (b"content-type", b"application/json")
MARKER = "wireproof-store"
FORM = (b"content-type", b"multipart/form-data; boundary=b")
CHUNKED = (b"transfer-encoding", b"chunked")
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nabc\r\n--b--'


def length(data: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(data)


def app_with(**settings: Any) -> FastAPI:
    return fastapi_upload.create_app(Settings(**{"store": "memory:", "quiet": True, **settings}))


@pytest.fixture
def app() -> FastAPI:
    return app_with()


def answered(app: FastAPI, *asked: Any, received: list[Message] | None = None, **more: Any) -> Answered:
    response = ask(app, scope_of(*asked, **more), [] if received is None else received)
    assert response is not None
    assert response.complete
    return response


def problem(response: Answered) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["content-length"] == str(len(response.body))
    return response.status, json.loads(response.body)["code"]


def test_every_path_and_method_is_answered_without_routing(app: FastAPI) -> None:
    for target in (b"/a//b/", b"/docs", b"/openapi.json", b"//a"):
        assert answered(app, "GET", target).status == 200
    assert answered(app, "OPTIONS", b"*").status == 200
    assert answered(app, "GET", b"http://localhost:8000/a").status == 200
    assert problem(answered(app, "BREW", b"/")) == (501, "method_not_implemented")
    wrong_method = answered(app, "GET", b"/upload/")
    assert (problem(wrong_method)[0], wrong_method.headers["allow"]) == (405, "OPTIONS, POST, PUT")


def test_w7_a_204_has_neither_content_type_nor_content_length(app: FastAPI) -> None:
    response = answered(app, "OPTIONS", b"/files/x")
    assert (response.status, response.body) == (204, b"")
    assert response.headers == {
        "allow": "GET, HEAD, OPTIONS",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "wireproof-contract": "1",
    }


def test_a_response_has_the_fields_of_the_contract_and_no_others(app: FastAPI) -> None:
    response = answered(app)
    assert response.headers == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "wireproof-contract": "1",
        "content-length": str(len(response.body)),
    }


def test_head_has_the_length_of_its_description_and_no_body(app: FastAPI) -> None:
    response = answered(app, "HEAD", b"/a")
    assert response.body == b""
    assert int(response.headers["content-length"]) > 100


def test_files_are_stored_and_sent_whole_in_part_or_not_at_all(app: FastAPI) -> None:
    response = answered(
        app, "POST", b"/upload/", FORM, length(FILE), received=body_messages(FILE[:50], FILE[50:])
    )
    target = json.loads(response.body)["files"][0]["href"].encode()
    whole = answered(app, "GET", target)
    assert (whole.status, whole.body, whole.headers["content-length"]) == (200, b"abc", "3")
    part = answered(app, "GET", target, (b"range", b"bytes=1-"))
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"bc", "bytes 1-2/3")
    assert answered(app, "HEAD", target).headers == whole.headers
    unchanged = answered(app, "GET", target, (b"if-none-match", whole.headers["etag"].encode()))
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert "content-length" not in unchanged.headers


def test_events_are_sent_one_by_one(app: FastAPI) -> None:
    data = b'{"query":"abc","delay":0.05}'
    began = time.monotonic()
    response = answered(app, "POST", b"/stream_echo", JSON, length(data), received=body_messages(data))
    assert response.pieces == [*(b'data: {"chunk": "%c"}\n\n' % each for each in b"abc"), b""]
    assert response.headers["content-type"] == "text/event-stream"
    assert time.monotonic() - began >= 0.1


def test_a_stream_ends_when_the_client_leaves(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def events(query: str, delay: float) -> Iterator[Event]:
        try:
            while True:
                made.append(query)
                yield Event(b"data: x\n\n", delay)
        finally:
            made.append("closed")

    monkeypatch.setattr("servers.routes.stream_echo._characters", events)
    data = b'{"query":"a","delay":10}'
    received = [*body_messages(data), DISCONNECT]
    response = ask(app, scope_of("POST", b"/stream_echo", JSON, length(data)), received)
    assert response is not None
    assert not response.complete
    assert made[-1] == "closed"
    assert len(made) <= 2


def test_a_refusal_before_the_end_of_the_body_drains_it_and_closes(app: FastAPI) -> None:
    received = body_messages(b"x" * 1000, b"y" * 1000, b"")
    response = answered(app, "POST", b"/files/no", CHUNKED, received=received)
    assert problem(response) == (405, "method_not_allowed")
    assert response.headers["connection"] == "close"
    assert received == []


def test_draining_is_bounded_in_bytes_and_in_time(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    received = body_messages(*[b"x" * 2**20] * 5, ends=False)
    assert problem(answered(app, "POST", b"/files/no", CHUNKED, received=received))[0] == 405
    assert len(received) == 3
    monkeypatch.setattr("servers.fastapi_server.body_stream.LINGER_SECONDS", 0.05)
    began = time.monotonic()
    assert (
        problem(answered(app, "POST", b"/files/no", CHUNKED, received=body_messages(b"x", ends=False)))[0]
        == 405
    )
    assert time.monotonic() - began < patient(5)


def test_a_malformed_head_is_refused(app: FastAPI) -> None:
    received = body_messages(b"")
    assert problem(answered(app, "GET", b"/#", received=received)) == (400, "request_line")
    assert problem(answered(app, "GET", b"/", (b"x", b"\x00"), received=received)) == (400, "bad_header")


def test_a_body_that_does_not_come_is_refused_and_undone(tmp_path: Path) -> None:
    app = app_with(store=str(tmp_path), limits=Limits(body_idle_timeout=0))
    received = body_messages(FILE[:-10], ends=False)
    assert problem(answered(app, "POST", b"/upload/", FORM, CHUNKED, received=received)) == (
        408,
        "request_timeout",
    )
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [MARKER]


def test_a_body_that_drips_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 10_000, 20))
    monkeypatch.setattr("servers.fastapi_server.body_stream.anyio.current_time", lambda: float(next(seconds)))
    app = app_with(limits=Limits(min_body_rate=256, body_rate_window=60))
    received = body_messages(*[b"x"] * 100, ends=False)
    monkeypatch.setattr("servers.fastapi_server.body_stream.LINGER_SECONDS", 0.05)
    assert problem(answered(app, "POST", b"/", CHUNKED, received=received)) == (408, "request_timeout")


def test_a_client_that_leaves_gets_no_response_and_leaves_nothing(tmp_path: Path) -> None:
    app = app_with(store=str(tmp_path))
    received = [*body_messages(FILE, ends=False), DISCONNECT]
    assert ask(app, scope_of("POST", b"/upload/", FORM, CHUNKED), received) is None
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [MARKER]


def test_an_exception_becomes_a_problem_without_details(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(fastapi_upload, "read_scope", fail)
    said: list[Message] = []
    with pytest.raises(RuntimeError):  # raised again, for the server's log
        call(app, scope_of(), [DISCONNECT] * 10, said)
    assert said[0]["status"] == 500
    assert (b"connection", b"close") in said[0]["headers"]
    assert json.loads(said[1]["body"])["code"] == "internal"
    assert b"secret" not in said[1]["body"]


@pytest.mark.parametrize(
    ("settings", "server", "refused"),
    [
        ({}, ("127.0.0.1", 8000), False),
        ({}, ("::1", 8000), False),
        ({}, ("/run/socket", None), False),
        ({}, None, False),
        ({}, ("192.0.2.1", 8000), True),
        ({"insecure_public": True}, ("192.0.2.1", 8000), False),
    ],
)
def test_a_public_address_is_refused_without_a_token(
    settings: dict[str, Any], server: tuple[str, int | None] | None, refused: bool
) -> None:
    response = answered(app_with(**settings), server=server)
    assert response.status == (421 if refused else 200)


def test_a_web_socket_is_closed(app: FastAPI) -> None:
    said: list[Message] = []
    call(app, scope_of(type="websocket", subprotocols=[]), [{"type": "websocket.connect"}], said)
    assert [message["type"] for message in said] == ["websocket.close"]


def test_the_application_is_made_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREPROOF_STORE", "memory:")
    monkeypatch.delitem(fastapi_upload.__dict__, "app", raising=False)
    made = fastapi_upload.app
    assert isinstance(made, FastAPI)
    assert fastapi_upload.app is made
    monkeypatch.delitem(fastapi_upload.__dict__, "app")
    with pytest.raises(AttributeError):
        fastapi_upload.application  # noqa: B018


@pytest.mark.parametrize(
    ("late", "parent"),
    [(-1, os.getpid()), (10**9, os.getpid()), (-1, None), (-1, 10**9)],
    ids=["at-once", "late", "at-once-of-nobody", "at-once-of-another"],
)
def test_a_worker_that_uvicorn_starts_later_makes_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: int, parent: int | None
) -> None:
    process = None if parent is None else SimpleNamespace(pid=parent)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: process)
    monkeypatch.setattr(worker_process, "_LATE_SECONDS", late)
    store = str(tmp_path / "store")
    if (late, parent) == (-1, os.getpid()):
        with pytest.raises(SettingsError, match="wireproof-store is missing"):
            app_with(store=store)
        Settings(store=store).open_store()
    assert answered(app_with(store=store), "GET", b"/healthz").status == 200
    assert answered(app_with(), "GET", b"/healthz").status == 200
