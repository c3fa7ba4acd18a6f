"""Servers whose log is closed, full or never read serve on; settings make the log quiet or JSON."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from clients.launch import BACKENDS, HOST, PROJECT_ROOT, free_port, start
from tests.conftest import SOCKET_BY_DEFAULT
from tests.patience import eventually, patient

LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1:\d+ GET /page 200 - received=0 sent=\d+ ms=[\d.]+")
_PIPE_SIZE = 4096  # the smallest that Linux has
_REQUESTS = 30
_LONG = "/" + "a" * 1000


def _get(port: int, target: str = "/page", method: str = "GET", body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=patient(10))
    try:
        connection.request(method, target, body, {"Content-Type": "application/octet-stream"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def _is_ready(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return _get(port, "/healthz") == 200
    return False


@contextmanager
def _serving(
    name: str, stderr: int, redirection: str, store: Path, variables: Mapping[str, str] = {}
) -> Iterator[int]:
    """The port of a backend with this standard error. It must end when it is asked to."""
    port = free_port()
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *BACKENDS[name].command_for(HOST, port)]
    env = {**os.environ, "WIREPROOF_STORE": str(store), "PYTHONPATH": str(PROJECT_ROOT), **variables}
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=env, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
    ) as server:
        try:
            assert eventually(lambda: _is_ready(port), 20)
            yield port
            server.terminate()
            server.wait(patient(10))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, 9)


def _serves_on(port: int) -> None:
    for number in range(_REQUESTS):
        assert _get(port, _LONG) == 200
        assert _get(port, f"/upload/{number}", "PUT", b"%d" % number) == 200


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"], ids=["closed", "full"])
@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_log_that_takes_nothing_stops_nothing(name: str, redirection: str, tmp_path: Path) -> None:
    """X27. A closed standard error leaves its number to the next file: no line may go there."""
    with _serving(name, subprocess.DEVNULL, redirection, tmp_path) as port:
        _serves_on(port)
        stored = [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]
        assert sorted(map(int, stored)) == list(range(_REQUESTS))


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_log_whose_reader_has_gone_stops_nothing(name: str, tmp_path: Path) -> None:
    """X27: as behind `| head -1`."""
    reader, writer = os.pipe()
    with _serving(name, writer, "", tmp_path) as port:
        os.close(writer)
        os.close(reader)
        _serves_on(port)


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_log_that_nobody_reads_stops_nothing_and_goes_on_when_it_is_read(name: str, tmp_path: Path) -> None:
    """X27. The pipe has no room for more than three of the lines."""
    reader, writer = os.pipe()
    assert fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE) == _PIPE_SIZE
    os.set_blocking(reader, False)
    received = b""

    def all_lines_have_come() -> bool:
        nonlocal received
        with suppress(BlockingIOError):
            while piece := os.read(reader, 65536):
                received += piece
        return received.count(_LONG.encode()) == _REQUESTS

    with _serving(name, writer, "", tmp_path) as port:
        os.close(writer)
        _serves_on(port)
        assert eventually(all_lines_have_come), received.decode()
    os.close(reader)


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_server_that_nobody_reads_ends_when_it_is_asked_to(name: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    with _serving(name, writer, "", tmp_path) as port:
        os.close(writer)
        for _ in range(_REQUESTS):
            assert _get(port, _LONG) == 200
    os.close(reader)


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_by_default_each_request_is_one_line_of_text(name: str) -> None:
    with start(name) as backend:
        assert _get(backend.port, "/page?token=x") == 200
        assert eventually(lambda: any(map(LINE.fullmatch, backend.log().splitlines()))), backend.log()
        assert backend.log().count("/page") == 1


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_quiet_leaves_out_the_lines_of_requests(name: str) -> None:
    with start(name, env={"WIREPROOF_QUIET": "1"}) as backend:
        assert _get(backend.port, "/page") == 200
        assert _get(backend.port, "/files/x") == 404
        backend.stop()
        assert "/page" not in backend.log()
        assert "/files" not in backend.log()
        assert "healthz" not in backend.log()


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_json_makes_each_line_of_standard_error_an_object(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as log:
        variables = {"WIREPROOF_LOG_JSON": "1"}
        with _serving(name, log.fileno(), "", tmp_path / "store", variables) as port:
            assert _get(port) == 200
            assert eventually(lambda: '"target":"/page"' in path.read_text("utf-8"))
    for line in path.read_text("utf-8").splitlines():
        assert json.loads(line)["time"]


def test_what_the_server_watches_is_shown_instead_of_the_log() -> None:
    with start("socket", flags=["--wire"]) as backend:
        assert _get(backend.port, "/page") == 200
        assert eventually(lambda: " closed " in backend.log())
        assert "received=" not in backend.log()


def test_gunicorn_writes_its_own_access_log_if_asked(tmp_path: Path) -> None:
    flags = ["--access-logfile", str(tmp_path / "access")]
    with start("gunicorn", flags=flags) as backend:
        assert _get(backend.port, "/page") == 200
        assert eventually(lambda: '"GET /page HTTP/1.1" 200' in (tmp_path / "access").read_text("utf-8"))
        assert eventually(lambda: any(map(LINE.fullmatch, backend.log().splitlines()))), backend.log()
