"""The log of requests: every backend writes the same line for the same request."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from clients.launch import HOST, RunningBackend, running
from tests.conftest import BACKEND_NAMES
from tests.patience import eventually, patient

SECRET = "s3cr3t-of-the-tests"
BASIC = base64.b64encode(f"user:{SECRET}".encode())
# Each of these must never be in a log, so every request has them.
SECRETS = (
    b"Authorization: Basic " + BASIC + b"\r\n"
    b"Cookie: session=" + SECRET.encode() + b"\r\n"
    b"X-Api-Key: " + SECRET.encode() + b"\r\n"
)
HEAD = b"Host: localhost\r\nConnection: close\r\n" + SECRETS
OWN_LINES = re.compile(r'HTTP/1\.[01]" \d|Refused|Invalid HTTP request|code \d+, message')
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def _request(line: bytes, body: bytes | None = None, fields: bytes = b"", head: bytes = HEAD) -> bytes:
    if body is not None:
        fields += b"Content-Length: %d\r\n" % len(body)
    return line + b"\r\n" + head + fields + b"\r\n" + (body or b"")


def _form(*parts: tuple[bytes, bytes], end: bytes = b"--B--\r\n") -> tuple[bytes, bytes]:
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="f"%s\r\n\r\n%s\r\n' % (filename, data)
        for filename, data in parts
    )
    return body + end, b"Content-Type: multipart/form-data; boundary=B\r\n"


_NAME = b'; filename="\xc3\xbc \xe2\x80\xae"'
_FILES = _form((b'; filename="a.txt"', b"hello"), (b"", b"text"), (_NAME, b"x" * 99))
_STREAM = b'{"query":"abc","delay":0}'
REQUESTS: Mapping[str, bytes] = {
    "page": _request(b"GET /page?token=%s HTTP/1.1" % SECRET.encode()),
    "absolute": _request(b"GET http://localhost/page?token=%s HTTP/1.1" % SECRET.encode()),
    "asterisk": _request(b"OPTIONS * HTTP/1.1"),
    "old": _request(b"GET /healthz HTTP/1.0"),
    "head": _request(b"HEAD /healthz HTTP/1.1"),
    "form": _request(b"POST /upload/ HTTP/1.1", *_FILES),
    "echoed form": _request(b"POST /page HTTP/1.1", *_FILES),
    "raw": _request(b"PUT /upload/a%20b.txt?x HTTP/1.1", b"hello"),
    "empty": _request(b"PUT /upload/empty HTTP/1.1", b""),
    "chunked": _request(
        b"PUT /upload/c HTTP/1.1", None, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
    ),
    "stream": _request(b"POST /stream_echo HTTP/1.1", _STREAM, b"Content-Type: application/json\r\n"),
    "no file": _request(b"GET /files/%s?x HTTP/1.1" % (b"0" * 64)),
    "no method": _request(b"BREW /pot?x HTTP/1.1"),
    "not allowed": _request(b"DELETE /upload/ HTTP/1.1"),
    "bad JSON": _request(b"POST / HTTP/1.1", b"{", b"Content-Type: application/json\r\n"),
    "truncated form": _request(b"POST /upload/ HTTP/1.1", *_form((b'; filename="a"', b"a"), end=b"")),
    "control in path": _request(b"GET /a%1b[2J%0aFAKE HTTP/1.1"),
    "no host": _request(b"GET /page?x HTTP/1.1", head=b"Connection: close\r\n" + SECRETS),
    "control in absolute": _request(b"GET http://localhost/a%1b?x HTTP/1.1"),
    "long target": _request(b"GET /%s HTTP/1.1" % (b"a" * 5000)),
}
# What `flask run` does not show to the application, or answers before it is complete.
HEADS: Mapping[str, bytes] = {
    "three spaces": _request(b"GET /a b?%s HTTP/1.1" % SECRET.encode()),
    "version": _request(b"GET /?%s HTTP/2.0" % SECRET.encode()),
    "long line": _request(b"GET /%s HTTP/1.1" % (b"a" * 9000)),
    "method": _request(b"G\x1b[2JT / HTTP/1.1"),
    "field": _request(b"GET /page?x HTTP/1.1", fields=b"X: \x1b[2J\n\r\n"),
    "no colon": _request(b"GET /page?x HTTP/1.1", fields=b"Authorization Bearer %s\r\n" % SECRET.encode()),
    "half a head": b"GET /half?%s HTTP/1.1\r\nHost: localhost\r\nCook" % SECRET.encode(),
    "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(range(128, 160)),
}


class Seen(NamedTuple):
    """What one request led to: the response, and the members of its line in the log."""

    status: int | None
    body: bytes
    logged: dict[str, Any]


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, RunningBackend]]:
    env = {"WIREPROOF_LOG_JSON": "1", "WIREPROOF_HEAD_TIMEOUT": "1"}
    with running(BACKEND_NAMES, env=env) as started:
        yield {backend.name: backend for backend in started}


def _send(backend: RunningBackend, data: bytes, *, ends: bool = True) -> tuple[str, bytes]:
    """The address that the log should show, and what was received."""
    received = b""
    with socket.create_connection((HOST, backend.port), timeout=patient(20)) as connection:
        connection.sendall(data)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            received += piece
        host, port = connection.getsockname()
    return f"{host}:{port}", received


def _lines(backend: RunningBackend, peer: str) -> list[dict[str, Any]]:
    members = [json.loads(line) for line in backend.log().splitlines() if line.startswith('{"time":')]
    return [line for line in members if line.get("peer") == peer]


def _exchange(backend: RunningBackend, data: bytes, *, ends: bool = True) -> Seen:
    peer, received = _send(backend, data, ends=ends)
    assert eventually(lambda: bool(_lines(backend, peer))), backend.log()
    (logged,) = _lines(backend, peer)
    if received and not received.startswith(b"HTTP/"):  # Werkzeug answers as in HTTP/0.9: without a head
        return Seen(logged["status"], received, logged)
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(re.findall(rb"[0-9a-f]+\r\n(.+?)\r\n", body, re.DOTALL))
    status = int(head.split(b" ")[1]) if head else None
    return Seen(status, body, logged)


def _comparable(seen: Seen) -> dict[str, Any]:
    """The members that are the same on every backend. The detail of a problem is worded by each."""
    logged = dict(seen.logged)
    assert re.fullmatch(TIME, logged.pop("time"))
    assert logged.pop("peer").startswith(HOST + ":")
    assert logged.pop("milliseconds") >= 0
    assert logged.pop("sent") == len(seen.body)
    assert logged["status"] == seen.status
    return logged


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_request_has_the_same_line_on_every_backend(
    servers: Mapping[str, RunningBackend], name: str
) -> None:
    seen = {backend: _exchange(server, REQUESTS[name]) for backend, server in servers.items()}
    lines = {backend: _comparable(each) for backend, each in seen.items()}
    first = lines["socket"]
    assert lines == dict.fromkeys(lines, first)
    method, target, _ = REQUESTS[name].split(b"\r\n")[0].decode().split(" ")
    assert first["method"] == method
    path = target.removeprefix("http://localhost").partition("?")[0]
    assert first["target"].removesuffix("...") == path[:1024]
    assert first["status"] >= 200
    problem = json.loads(seen["socket"].body)["code"] if first["status"] >= 400 and method != "HEAD" else None
    assert first["code"] == problem


def test_an_upload_is_logged_with_the_names_sizes_and_hashes_of_its_files(
    servers: Mapping[str, RunningBackend],
) -> None:
    for server in servers.values():
        seen = _exchange(server, REQUESTS["form"])
        files = [
            {"name": file["filename"], "size": file["size"], "sha256": file["sha256"]}
            for file in json.loads(seen.body)["files"]
        ]
        assert len(files) == 2
        assert seen.logged["files"] == files
        assert seen.logged["received"] == len(_FILES[0])
        assert _exchange(server, REQUESTS["echoed form"]).logged["files"] == []
        assert _exchange(server, REQUESTS["truncated form"]).logged["files"] == []


@pytest.mark.parametrize("name", HEADS)
def test_what_never_became_a_request_has_the_same_line(
    servers: Mapping[str, RunningBackend], name: str
) -> None:
    lines = {
        backend: _comparable(_exchange(server, HEADS[name]))
        for backend, server in servers.items()
        if backend != "flask"
    }
    first = lines["socket"]
    assert lines == dict.fromkeys(lines, first)
    if name in ("half a head", "TLS"):
        assert first["status"] is None
    else:
        assert first["status"] >= 400
        assert first["code"]
    known = name in ("half a head", "field", "no colon")
    assert (first["method"] == "GET") is known
    assert (first["target"] is not None) is known


@pytest.mark.parametrize("name", ["three spaces", "version", "TLS"])
def test_what_werkzeug_refuses_itself_has_a_line_too(
    servers: Mapping[str, RunningBackend], name: str
) -> None:
    line = _comparable(_exchange(servers["flask"], HEADS[name]))
    assert (line["method"], line["target"], line["code"]) == (None, None, None)
    assert line["status"] in (400, 505)


@pytest.mark.parametrize("backend", [name for name in BACKEND_NAMES if name != "flask"])
@pytest.mark.parametrize("sent", [b"GET /late HTTP/1.1\r\nHost", b"\x16\x03\x01\x02"], ids=["head", "TLS"])
def test_a_head_that_does_not_come_in_time_has_a_line(
    servers: Mapping[str, RunningBackend], backend: str, sent: bytes
) -> None:
    seen = _exchange(servers[backend], sent, ends=False)
    assert seen.logged["milliseconds"] > 900
    line = _comparable(seen)
    assert (line["status"], line["code"]) == (408, "request_timeout")
    assert line["target"] == ("/late" if b"late" in sent else None)


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_a_connection_without_a_request_has_no_line(
    servers: Mapping[str, RunningBackend], backend: str
) -> None:
    peer, received = _send(servers[backend], b"")
    assert received == b""
    _exchange(servers[backend], REQUESTS["page"])
    assert _lines(servers[backend], peer) == []


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_each_request_of_a_connection_has_a_line_of_its_own(
    servers: Mapping[str, RunningBackend], backend: str
) -> None:
    kept = REQUESTS["page"].replace(b"close", b"keep-alive")
    count = 1 if backend == "flask" else 3  # Werkzeug's server closes after each response
    peer, received = _send(servers[backend], kept * (count - 1) + REQUESTS["page"])
    assert received.count(b"HTTP/1.1 200 ") == count
    assert eventually(lambda: len(_lines(servers[backend], peer)) == count)
    lines = _lines(servers[backend], peer)
    assert [(line["target"], line["status"]) for line in lines] == [("/page", 200)] * count


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_no_secret_no_control_character_and_no_line_of_the_library_is_in_the_log(
    servers: Mapping[str, RunningBackend], backend: str
) -> None:
    for data in (*REQUESTS.values(), *HEADS.values()):
        _exchange(servers[backend], data)
    log = servers[backend].log()
    assert SECRET not in log
    assert BASIC.decode() not in log
    assert "FAKE" not in [line[:4] for line in log.splitlines()]
    assert not OWN_LINES.search(log)
    for line in log.splitlines():
        assert re.fullmatch("[ -~]*", line), line
        assert line.startswith("{") or not re.search(r"\bGET\b|\bPOST\b", line), line
