"""Backends start on free ports, report why they do not start, and leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clients import launch
from clients.launch import BACKENDS, BackendKind, LaunchError
from tests.patience import patient

# Prints its URL as the socket server does; a child of its own ignores SIGTERM and outlives it.
PRINTS_URL = """
import os, signal, socket, subprocess, sys, time
listener = socket.create_server(("127.0.0.1", 0))
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"])
print("child", child.pid)
print("store", os.environ["WIREPROOF_STORE"], "extra", os.environ.get("EXTRA"), "flags", sys.argv[1:])
print(f"serving http://127.0.0.1:{listener.getsockname()[1]}/")
time.sleep(60)
"""
ANSWERS_HEALTHZ = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def python(code: str, *arguments: str, prints_url: bool = False) -> BackendKind:
    return BackendKind((sys.executable, "-c", code, *arguments), prints_url=prints_url)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "prints", python(PRINTS_URL, prints_url=True))
    monkeypatch.setitem(BACKENDS, "answers", python(ANSWERS_HEALTHZ, "{port}"))
    monkeypatch.setitem(BACKENDS, "ends", python("print('no luck'); raise SystemExit(7)"))
    monkeypatch.setitem(BACKENDS, "mute", python("import time; print('still'); time.sleep(60)"))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_the_three_backends_of_the_project_are_known() -> None:
    assert {"socket", "flask", "gunicorn"} <= BACKENDS.keys()


def test_a_backend_that_prints_its_url_is_ready_at_that_port() -> None:
    with launch.start("prints") as backend:
        assert backend.url == f"http://127.0.0.1:{backend.port}"
        socket.create_connection((backend.host, backend.port), timeout=5).close()


def test_a_backend_that_answers_healthz_is_ready() -> None:
    with launch.start("answers") as backend:
        socket.create_connection((backend.host, backend.port), timeout=5).close()


def test_environment_flags_and_store_reach_the_backend(tmp_path: Path) -> None:
    with launch.start("prints", store=tmp_path / "s", env={"EXTRA": "1"}, flags=["--a", "b"]) as backend:
        assert f"store {tmp_path / 's'} extra 1 flags ['--a', 'b']" in backend.log()
        assert backend.store.is_dir()
    assert tmp_path.joinpath("s").is_dir()


def test_settings_of_the_shell_do_not_reach_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token from the shell every response would differ."""
    monkeypatch.setenv("WIREPROOF_TOKEN", "t")
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with (
        launch.start("socket") as backend,
        socket.create_connection((backend.host, backend.port), timeout=5) as connection,
    ):
        connection.sendall(b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_stopped_backend_leaves_no_process_and_no_file() -> None:
    with launch.start("prints") as backend:
        child = int(backend.log().split()[1])
        assert is_alive(child)
    assert wait_until_gone(child)
    assert backend.process.returncode == -signal.SIGTERM
    assert not backend.store.exists()
    assert "serving" in backend.log()


def test_a_backend_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + PRINTS_URL
    monkeypatch.setitem(BACKENDS, "stubborn", python(stubborn, prints_url=True))
    backend = launch.start("stubborn")
    began = time.monotonic()
    assert backend.stop(seconds=0.2) == -signal.SIGKILL
    assert time.monotonic() - began < patient(5)


def test_one_that_ends_shows_the_end_of_its_log() -> None:
    with pytest.raises(LaunchError, match=r"'ends' ended with exit status 7; .*\n    no luck"):
        launch.start("ends")


def test_one_that_never_answers_is_given_up_and_stopped() -> None:
    with pytest.raises(LaunchError, match=r"'mute' was not ready after 0\.5 s; .*\n    still"):
        launch.start("mute", seconds=0.5)


def test_a_missing_program_and_an_unknown_name_are_launch_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchError, match="no backend 'nginx'; there are socket"):
        launch.start("nginx")
    monkeypatch.setitem(BACKENDS, "missing", BackendKind(("/no/such/program",)))
    with pytest.raises(LaunchError, match="'missing'"):
        launch.start("missing")


def test_several_start_together_and_stop_when_one_fails(tmp_path: Path) -> None:
    with launch.running(["prints", "answers"], store=tmp_path) as backends:
        assert [backend.name for backend in backends] == ["prints", "answers"]
        assert {backend.store for backend in backends} == {tmp_path / "prints", tmp_path / "answers"}
        pids = [backend.pid for backend in backends]
        assert all(is_alive(pid) for pid in pids)
    assert all(wait_until_gone(pid) for pid in pids)
    with pytest.raises(LaunchError, match="'ends'"), launch.running(["prints", "ends"]):
        pytest.fail("it started")


def test_a_port_taken_in_between_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = launch.free_port()
        ports = [taken.getsockname()[1], free]
        monkeypatch.setattr(launch, "free_port", lambda: ports.pop(0))
        with launch.start("answers") as backend:
            assert backend.port == free


def test_backends_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from clients import launch;"
        "launch.BACKENDS['x'] = launch.BackendKind((sys.executable, '-c', sys.argv[2]), prints_url=True);"
        "print(launch.start('x').pid, flush=True); import time; time.sleep(60)"
    )
    root = str(launch.PROJECT_ROOT)
    code_of_backend = "import socket, time; s = socket.create_server(('127.0.0.1', 0));"
    code_of_backend += "print('http://127.0.0.1:%d' % s.getsockname()[1]); time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, root, code_of_backend],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a killed parent removes nothing
    )
    assert parent.stdout is not None
    with parent.stdout:
        backend = int(parent.stdout.readline())
    assert is_alive(backend)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_until_gone(backend)
