"""Uploads in pieces on every backend, over sockets: what breaks, goes on, and ends with the same bytes."""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.conftest import BACKEND_NAMES
from tests.connections import connect, receive_all
from tests.patience import eventually
from tests.storage.uploads import sha256

EACH = pytest.mark.parametrize("name", BACKEND_NAMES)
Backends = Mapping[str, RunningBackend]

_TUS = {"Tus-Resumable": "1.0.0"}
_TUS_PIECE = _TUS | {"Content-Type": "application/offset+octet-stream"}
_DRAFT = {"Upload-Draft-Interop-Version": "8"}
_DRAFT_PIECE = _DRAFT | {"Content-Type": "application/partial-upload"}


class Answer:
    """A response, with the interim responses before it."""

    def __init__(self, received: bytes) -> None:
        self.interim: list[dict[str, str]] = []
        head, _, rest = received.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 1"):
            self.interim.append(_fields(head))
            head, _, rest = rest.partition(b"\r\n\r\n")
        self.status = int(head.split()[1]) if head else None
        self.fields, self.body = _fields(head), rest


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines[1:])
    return {"": lines[0]} | {name.lower(): value for name, _, value in pairs}


def request(
    method: str, path: str, fields: Mapping[str, str], size: int | None, version: str = "1.1"
) -> bytes:
    given = {"Host": "localhost", "Connection": "close", **fields}
    if size is not None:
        given["Content-Length"] = str(size)
    lines = (f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in given.items()))
    return "\r\n".join((*lines, "", "")).encode("ascii")


def ask(
    backend: RunningBackend, method: str, path: str, fields: Mapping[str, str], body: bytes | None = None
) -> Answer:
    head = request(method, path, fields, None if body is None else len(body))
    return Answer(receive_all(connect(backend, head + (body or b""))))


def offset_of(backend: RunningBackend, path: str) -> int:
    return int(ask(backend, "HEAD", path, _TUS).fields["upload-offset"])


def arrived(backend: RunningBackend, path: str) -> int:
    """How many bytes are in its store. To ask the server would end the request that writes them."""
    return (backend.store / path.removeprefix("/") / "data").stat().st_size


def stored(backend: RunningBackend, content: bytes) -> bool:
    return ask(backend, "GET", f"/files/{sha256(content)}", {}).body == content


@EACH
@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
def test_a_broken_tus_upload_goes_on_where_it_ended(backends: Backends, name: str, size: int) -> None:
    backend, content = backends[name], os.urandom(size)
    path = ask(backend, "POST", "/resumable/", _TUS | {"Upload-Length": str(size)}, b"").fields["location"]
    sent = size // 2
    with connect(backend, request("PATCH", path, _TUS_PIECE | {"Upload-Offset": "0"}, size)) as connection:
        connection.sendall(content[:sent])
        connection.shutdown(socket.SHUT_WR)
        assert eventually(lambda: arrived(backend, path) == sent, 10)
    assert offset_of(backend, path) == sent
    fields = _TUS_PIECE | {"Upload-Offset": str(sent)}
    answer = ask(backend, "PATCH", path, fields, content[sent:])
    assert (answer.status, answer.fields["upload-offset"]) == (204, str(size))
    assert answer.fields["content-location"] == f"/files/{sha256(content)}"
    assert stored(backend, content)


@EACH
def test_bytes_that_come_after_a_new_request_are_refused(backends: Backends, name: str) -> None:
    """The old connection still sends when the client has come back on a new one."""
    backend, content = backends[name], os.urandom(800_000)
    path = ask(backend, "POST", "/resumable/", _TUS | {"Upload-Length": "800000"}, b"").fields["location"]
    with connect(backend, request("PATCH", path, _TUS_PIECE | {"Upload-Offset": "0"}, 800_000)) as old:
        old.sendall(content[:300_000])
        assert eventually(lambda: arrived(backend, path) > 0, 10)
        offset = offset_of(backend, path)
        fields = _TUS_PIECE | {"Upload-Offset": str(offset)}
        assert ask(backend, "PATCH", path, fields, content[offset:]).status == 204
        old.sendall(content[300_000:])
        assert old.recv(20).startswith(b"HTTP/1.1 409")
    assert stored(backend, content)


@EACH
def test_a_104_names_the_upload_before_its_bytes_come(backends: Backends, name: str) -> None:
    """So a client whose only request breaks can go on (draft-ietf-httpbis-resumable-upload)."""
    backend, content = backends[name], os.urandom(400_000)
    head = request("PUT", "/upload/a.bin", _DRAFT | {"Upload-Complete": "?1"}, len(content))
    with connect(backend, head) as connection:
        told = Answer(connection.recv(2000) + b"\r\n\r\n").interim[0]
        assert told[""] == "HTTP/1.1 104 Upload Resumption Supported"
        assert told["upload-draft-interop-version"] == "8"
        connection.sendall(content[:150_000])
        connection.shutdown(socket.SHUT_WR)
        path = told["location"]
        assert eventually(lambda: arrived(backend, path) == 150_000, 10)
    answer = ask(backend, "HEAD", path, _DRAFT)
    assert (answer.status, answer.fields["upload-complete"]) == (204, "?0")
    assert (answer.fields["upload-offset"], answer.fields["upload-length"]) == ("150000", "400000")
    fields = _DRAFT_PIECE | {"Upload-Offset": "150000", "Upload-Complete": "?1"}
    answer = ask(backend, "PATCH", path, fields, content[150_000:])
    assert (answer.status, answer.fields["upload-complete"]) == (200, "?1")
    assert sha256(content).encode() in answer.body
    assert stored(backend, content)


@EACH
def test_a_104_tells_the_offset_of_a_large_piece(backends: Backends, name: str) -> None:
    backend = backends[name]
    answer = ask(backend, "POST", "/upload/", _DRAFT | {"Upload-Complete": "?0"}, b"")
    fields = _DRAFT_PIECE | {"Upload-Offset": "0", "Upload-Complete": "?0"}
    answer = ask(backend, "PATCH", answer.fields["location"], fields, bytes(34 << 20))
    assert answer.status == 204
    (told,) = answer.interim
    assert 32 << 20 <= int(told["upload-offset"]) <= 34 << 20
    assert "location" not in told


@EACH
@pytest.mark.parametrize(
    ("version", "fields"),
    [("1.0", _DRAFT), ("1.1", {}), ("1.1", {"Upload-Draft-Interop-Version": "7"})],
    ids=["HTTP/1.0", "no version", "another version"],
)
def test_no_104_is_sent_to_a_client_that_does_not_know_it(
    backends: Backends, name: str, version: str, fields: dict[str, str]
) -> None:
    head = request("PUT", "/upload/a.bin", fields | {"Upload-Complete": "?0"}, 5, version)
    assert re.match(rb"HTTP/1.[01] 20", receive_all(connect(backends[name], head + b"hello")))


@pytest.mark.soak(seconds=4)
def test_an_upload_of_one_server_goes_on_at_another(tmp_path: Path) -> None:
    """They share a store, and each has several processes."""
    content, store = os.urandom(900_000), tmp_path / "store"
    with start("socket", store=store) as first, start("gunicorn", store=store) as second:
        answer = ask(first, "POST", "/resumable/", _TUS | {"Upload-Length": "900000"}, b"")
        path = answer.fields["location"]
        for turn in range(9):
            backend = (first, second)[turn % 2]
            offset = offset_of(backend, path)
            fields = _TUS_PIECE | {"Upload-Offset": str(offset)}
            assert ask(backend, "PATCH", path, fields, content[offset : offset + 100_000]).status == 204
        assert stored(first, content)
