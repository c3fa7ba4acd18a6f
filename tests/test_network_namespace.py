"""Networks as containers have them: without IPv6, and with an address to the outside.

The namespace has a loopback device and nothing else, so no other machine can reach these servers.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from tests.conftest import SOCKET_BY_DEFAULT
from tests.patience import patient

_PORT = 8000
# Reserved for documentation (RFC 5737). In the namespace it is the address of the machine.
_ADDRESS = "198.51.100.7"
_SET_UP = f"""
ip link set lo up && ip address add {_ADDRESS}/24 dev lo &&
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && mount --bind "$1" /etc/hosts && shift && exec "$@"
"""


def _in_namespace(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a network where localhost is ::1 and 127.0.0.1, and there is no IPv6."""
    hosts = folder / "hosts"
    hosts.write_text("::1 localhost\n127.0.0.1 localhost\n", "ascii")
    entered = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", _SET_UP, "sh", str(hosts)]
    return subprocess.run(
        [*entered, *command], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def _namespaces(tmp_path: Path) -> None:
    if not (shutil.which("unshare") and shutil.which("ip")) or _in_namespace(tmp_path, "true").returncode:
        pytest.skip("this system makes no network namespaces")


@pytest.mark.usefixtures("_namespaces")
@pytest.mark.parametrize("backend", [param for param in SOCKET_BY_DEFAULT if param.values != ("fastapi",)])
def test_localhost_works_without_ipv6(backend: str, tmp_path: Path) -> None:
    """Not for FastAPI: below it, asyncio of some versions of Python wants all addresses of a name."""
    _passes(tmp_path, backend, "localhost", "127.0.0.1")


@pytest.mark.usefixtures("_namespaces")
@pytest.mark.parametrize("backend", SOCKET_BY_DEFAULT)
def test_a_server_on_all_addresses_answers_to_the_one_that_a_client_uses(
    backend: str, tmp_path: Path
) -> None:
    """An upload's own href is read at the same address, and an attacker's name for it is refused (H172)."""
    said = _passes(tmp_path, backend, "0.0.0.0", _ADDRESS)
    if backend == "socket":
        assert f"server on http://127.0.0.1:{_PORT} (store" in said or f"and http://{_ADDRESS}" in said


def _passes(folder: Path, backend: str, host: str, address: str) -> str:
    program = (sys.executable, "-m", "tests.test_network_namespace")
    ended = _in_namespace(folder, *program, backend, host, address, str(folder / "store"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# What follows runs in the namespace.


@contextmanager
def _serving(backend: str, host: str, store: str, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable,
        "-m",
        "clients",
        "serve",
        "--backend",
        backend,
        "--host",
        host,
        "--store",
        store,
    ]
    command += ["--port", str(_PORT), "--insecure-public"]
    with said.open("wb") as output, subprocess.Popen(command, stdout=output) as server:
        try:
            yield server
        finally:
            server.terminate()


def _ask(address: str, method: str, target: str, host: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = HTTPConnection(address, _PORT, timeout=10)
    try:
        connection.request(method, target, body, {"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _is_ready(address: str) -> bool:
    try:
        return _ask(address, "GET", "/healthz", "localhost")[0] == 200
    except OSError:
        return False


def _main(backend: str, host: str, address: str, store: str) -> None:
    said = Path(store).with_name("said.txt")
    with _serving(backend, host, store, said) as server:
        deadline = time.monotonic() + patient(30)
        # A worker may respond before the first process has printed the URL.
        while not _is_ready(address) or (backend == "socket" and b"server on" not in said.read_bytes()):
            assert server.poll() is None and time.monotonic() < deadline, "it is not ready"
            time.sleep(0.05)
        _, body = _ask(address, "PUT", "/upload/a.txt", address, b"hello")
        href = json.loads(body)["files"][0]["href"]
        assert _ask(address, "GET", href, f"{address}:{_PORT}") == (200, b"hello")
        assert _ask(address, "GET", href, "attacker.example")[0] == 421
    print(said.read_text("utf-8"))


if __name__ == "__main__":
    _main(*sys.argv[1:])
