"""The address of a server is one of its names, on every backend (contract section 8; H172)."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from clients.launch import BACKENDS, PROJECT_ROOT, free_port, installed_backends
from servers.contract.route import Context
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.patience import patient

# A loopback address that is not among the names that every server has.
_ADDRESS = "127.0.0.2"
_BROWSER = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module", params=installed_backends())
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server on `_ADDRESS`. Only the backend's own command names the address."""
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    env = {name: value for name, value in os.environ.items() if not name.startswith("WIREPROOF_")}
    env |= {"PYTHONPATH": str(PROJECT_ROOT), "WIREPROOF_STORE": str(folder / "store")}
    command = BACKENDS[request.param].command_for(_ADDRESS, port)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + patient(20)
        while not _is_ready(port):
            assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _is_ready(port: int) -> bool:
    try:
        return _asked(port, "GET", "/healthz", {})[0] == 200
    except OSError:
        return False


def _asked(
    port: int, method: str, target: str, fields: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    connection = HTTPConnection(_ADDRESS, port, timeout=10)
    try:
        connection.request(method, target, body, fields)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_the_href_of_an_upload_can_be_read(port: int) -> None:
    """Stored files are for known names only."""
    status, body = _asked(port, "PUT", "/upload/a.txt", {}, b"hello")
    assert status == 200
    href = json.loads(body)["files"][0]["href"]
    assert _asked(port, "GET", href, {}) == (200, b"hello")


def test_a_browser_may_use_the_address_of_the_server(port: int) -> None:
    fields = {"Origin": f"http://{_ADDRESS}:{port}", "Content-Type": "text/plain"}
    assert _asked(port, "POST", "/page", fields, b"x")[0] == 200


@pytest.mark.parametrize(
    "host", ["attacker.example:8000", "127.0.0.3", "2.0.0.127", "127.0.0.2.attacker.example"]
)
def test_any_other_host_is_refused_in_the_same_words(port: int, host: str) -> None:
    """An attacker's name may stand for the address of the server: that is DNS rebinding."""
    for target, fields in (("/files/" + "0" * 64, {}), ("/page", _BROWSER)):
        status, body = _asked(port, "GET", target, {"Host": host, **fields})
        assert (status, json.loads(body)["detail"]) == (
            421,
            f"'{host}' is not a name of this server; --hosts or WIREPROOF_HOSTS adds names",
        )


def test_a_unix_socket_has_no_address() -> None:
    context: Context = Settings().context(MemoryStore())
    assert context.arrived_at("/run/socket", "") is context
    assert context.arrived_at(b"", b"") is context
