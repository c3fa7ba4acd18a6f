"""The examples of servers/README.md for nginx and haproxy: TLS ends there, and nothing else changes."""

import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import requests
import trustme

from clients.launch import HOST, PROJECT_ROOT, RunningBackend, free_port, start
from tests.nginx import NGINX, listens, nginx_with
from tests.patience import eventually, patient

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
_README = (PROJECT_ROOT / "servers" / "README.md").read_text("utf-8")
_LARGE = 3 << 20
_QUERY = "one by one"


def _example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", _README, re.MULTILINE | re.DOTALL)
    return str(found)


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, f"{old!r} is not once in the example"
        text = text.replace(old, new)
    return text


@contextmanager
def _nginx(folder: Path, backend: RunningBackend, port: int) -> Iterator[None]:
    server = replaced(
        _example("nginx"),
        ("listen 443 ssl", f"listen {HOST}:{port} ssl"),
        ("/etc/ssl/uploads.pem", f"{folder}/uploads.pem"),
        ("/etc/ssl/uploads.key", f"{folder}/uploads.key"),
        ("127.0.0.1:8000", f"{HOST}:{backend.port}"),
    )
    with nginx_with(folder, server, port):
        yield


@contextmanager
def _haproxy(folder: Path, backend: RunningBackend, port: int) -> Iterator[None]:
    config = folder / "haproxy.cfg"
    config.write_text(
        replaced(
            _example("haproxy"),
            ("bind :443", f"bind {HOST}:{port}"),
            ("/etc/ssl/uploads.pem", f"{folder}/all.pem"),
            ("127.0.0.1:8000", f"{HOST}:{backend.port}"),
        )
    )
    with subprocess.Popen([str(HAPROXY), "-db", "-f", config], stderr=subprocess.PIPE) as process:
        try:
            assert eventually(lambda: process.poll() is not None or listens(port), 10)
            assert process.poll() is None, process.communicate()[1]
            yield
        finally:
            process.kill()


_Proxy = Callable[[Path, RunningBackend, int], AbstractContextManager[None]]
_PROXIES = [
    pytest.param(_nginx, id="nginx", marks=pytest.mark.skipif(NGINX is None, reason="nginx is NOT tested")),
    pytest.param(
        _haproxy, id="haproxy", marks=pytest.mark.skipif(HAPROXY is None, reason="haproxy is NOT tested")
    ),
]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The certificate of an authority. The folder has one of localhost, its key, and both in one file."""
    ca = trustme.CA()
    issued = ca.issue_cert("localhost")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    (tmp_path / "uploads.pem").write_bytes(chain)
    (tmp_path / "uploads.key").write_bytes(issued.private_key_pem.bytes())
    (tmp_path / "all.pem").write_bytes(chain + issued.private_key_pem.bytes())
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


@pytest.mark.parametrize("proxy", _PROXIES)
@pytest.mark.parametrize("name", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=5))])
def test_uploads_downloads_and_streams_pass(
    proxy: _Proxy, name: str, tmp_path: Path, authority: Path
) -> None:
    port = free_port()
    url = f"https://localhost:{port}"
    content = os.urandom(_LARGE)
    with start(name) as backend, proxy(tmp_path, backend, port), requests.Session() as session:
        session.trust_env = False
        session.verify = str(authority)
        assert eventually(lambda: session.get(f"{url}/healthz", timeout=patient(10)).status_code == 200, 10)
        said = session.post(f"{url}/upload/", files={"file": ("a.bin", content)}, timeout=patient(30))
        assert said.status_code == 200, said.text
        (file,) = said.json()["files"]
        assert session.get(url + file["href"], timeout=patient(30)).content == content
        chunked = session.put(f"{url}/upload/a.bin", data=iter([content]), timeout=patient(30))
        assert chunked.json()["files"][0]["sha256"] == file["sha256"]
        assert session.get(f"{url}/ui/", timeout=patient(10)).status_code == 200
        refused = session.post(f"{url}/upload/", data=b"{", headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (400, "json_invalid")
        _assert_streams(port, authority)


def _assert_streams(port: int, authority: Path) -> None:
    """Each event comes before the server makes the next but one."""
    context = ssl.create_default_context(cafile=str(authority))
    connection = HTTPSConnection("localhost", port, timeout=patient(20), context=context)
    body = json.dumps({"query": _QUERY, "delay": 0.1})
    connection.request("POST", "/stream_echo", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    first = response.readline()
    assert json.loads(first.removeprefix(b"data: "))["chunk"] == _QUERY[0]
    rest = response.read1(65536)
    assert rest.count(b"data: ") < len(_QUERY) - 1, "all events came at once"
    assert (first + rest + response.read()).count(b"data: ") >= len(_QUERY)
    connection.close()
