"""Uploads in pieces through nginx and haproxy: a 104 arrives, and a broken upload goes on where it ended."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients.launch import HOST, RunningBackend, free_port
from tests.nginx import NGINX, listens, nginx
from tests.patience import eventually
from tests.storage.uploads import sha256
from tests.test_resumable import Answer, request

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
_DRAFT = {"Upload-Draft-Interop-Version": "8"}
_PIECE = _DRAFT | {"Content-Type": "application/partial-upload", "Upload-Complete": "?1"}
_NGINX = """
location / {{
    proxy_pass {url};
    proxy_http_version {version};
    proxy_request_buffering off;
    proxy_buffering off;
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
listen uploads
    bind 127.0.0.1:{port}
    server one {host}:{behind}
"""


@contextmanager
def _haproxy(folder: Path, backend: RunningBackend) -> Iterator[int]:
    assert HAPROXY is not None
    port, config = free_port(), folder / "haproxy.cfg"
    config.write_text(_HAPROXY.format(port=port, host=backend.host, behind=backend.port), "utf-8")
    with subprocess.Popen([HAPROXY, "-f", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: listens(port), 10)
            yield port
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def _proxy(kind: str, folder: Path, backend: RunningBackend) -> Iterator[int]:
    if kind == "haproxy":
        if HAPROXY is None:
            pytest.skip("haproxy is not installed")
        with _haproxy(folder, backend) as port:
            yield port
        return
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with nginx(folder, _NGINX.format(url=backend.url, version=kind.removeprefix("nginx "))) as port:
        yield port


def _answer(port: int, sent: bytes, *, half: bool = False) -> Answer:
    """The response; of a request that is sent in `half`, what comes until then."""
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(sent)
        received = connection.recv(65536)
        # nginx takes a 104 for the response, and passes on what follows as its body: the same bytes.
        while not half and b"HTTP/1.1 2" not in received and (more := connection.recv(65536)):
            received += more
    return Answer(received + (b"\r\n\r\n" if half else b""))


@pytest.mark.parametrize("name", ["socket", "gunicorn"])
@pytest.mark.parametrize("kind", ["nginx 1.1", "haproxy"])
def test_a_104_comes_through_and_a_broken_upload_goes_on(
    backends: Mapping[str, RunningBackend], tmp_path: Path, name: str, kind: str
) -> None:
    backend, content = backends[name], os.urandom(300_000)
    head = request("PUT", "/upload/a.bin", _DRAFT | {"Upload-Complete": "?1"}, len(content))
    with _proxy(kind, tmp_path, backend) as port:
        (told,) = _answer(port, head + content[:100_000], half=True).interim
        path = told["location"]
        look = request("HEAD", path, _DRAFT, None)
        offset = int(_answer(port, look).fields["upload-offset"])
        assert offset <= 100_000
        fields = _PIECE | {"Upload-Offset": str(offset)}
        piece = request("PATCH", path, fields, len(content) - offset) + content[offset:]
        answer = _answer(port, piece)
    assert (answer.status, answer.fields["upload-complete"]) == (200, "?1")
    assert answer.fields["content-location"] == f"/files/{sha256(content)}"


def test_a_proxy_of_http_1_0_gets_no_104(backends: Mapping[str, RunningBackend], tmp_path: Path) -> None:
    """What nginx speaks to servers by default."""
    head = request("PUT", "/upload/a.bin", _DRAFT | {"Upload-Complete": "?0"}, 5)
    with _proxy("nginx 1.0", tmp_path, backends["socket"]) as port:
        answer = _answer(port, head + b"hello")
    assert (answer.status, answer.interim) == (201, [])
