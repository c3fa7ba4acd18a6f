"""A disk that hangs under the FastAPI application: what does not need it is answered."""

import hashlib
import threading
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="without the extra 'fastapi' its backend is NOT tested")

import anyio
import anyio.to_thread
from starlette.types import Message

from servers.fastapi_upload import Endpoint
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.fastapi_server.asgi import DISCONNECT, body_messages, call, scope_of
from tests.patience import patient
from tests.routes.slow_store import HangingDisk, SlowStore

_FORM = (b"content-type", b"multipart/form-data; boundary=b")
_FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nabc\r\n--b--'
_FIELD = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nabc\r\n--b--'
_CONTENT = bytes(600_000)
_TARGET = b"/files/" + hashlib.sha256(_CONTENT).hexdigest().encode()


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


def _app(disk: HangingDisk) -> Endpoint:
    store = MemoryStore()
    store.add({hashlib.sha256(_CONTENT).hexdigest(): _CONTENT})
    return Endpoint(Settings().context(SlowStore(disk.wait, store)), Settings())


async def _status(app: Endpoint, *asked: Any, body: bytes = b"") -> int:
    received = body_messages(body)
    said: list[Message] = []

    async def receive() -> Message:
        if not received:
            await anyio.sleep_forever()
        return received.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope_of(*asked), receive, send)
    return int(said[0]["status"])


_UNRELATED = [
    (("GET", b"/"), b""),
    (("POST", b"/upload/", (b"content-type", b"application/json"), _length(b"{}")), b"{}"),
    (("POST", b"/upload/", _FORM, _length(_FIELD)), _FIELD),
    (("POST", b"/", _FORM, _length(_FILE)), _FILE),
]
_WAITING = [
    (("GET", b"/healthz"), b""),
    (("GET", _TARGET), b""),
    (("POST", b"/upload/", _FORM, _length(_FILE)), _FILE),
]


def test_all_threads_may_wait_and_other_requests_are_answered() -> None:
    disk = HangingDisk()
    app = _app(disk)

    async def run() -> None:
        threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
        async with anyio.create_task_group() as waiting:
            for number in range(threads + 3):
                asked, body = _WAITING[number % 3]
                waiting.start_soon(lambda asked, body: _status(app, *asked, body=body), asked, body)
            try:
                with anyio.fail_after(patient(10)):
                    while len(disk.calls) < threads:
                        await anyio.sleep(0.01)
                    for asked, body in _UNRELATED:
                        assert await _status(app, *asked, body=body) == 200
            finally:
                disk.released.set()

    anyio.run(run)
    assert threading.current_thread().name not in {thread for thread, _ in disk.calls}


def test_a_file_is_closed_in_a_thread_when_the_client_leaves() -> None:
    disk = HangingDisk()
    disk.released.set()
    said: list[Message] = []
    call(_app(disk), scope_of("GET", _TARGET), [DISCONNECT], said)
    assert disk.calls[-1][1] == "close"
    assert threading.current_thread().name not in {thread for thread, _ in disk.calls}
