"""`serve --both` starts two servers on one store with one command, and ends both."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from clients.launch import HOST, PROJECT_ROOT
from tests.patience import eventually, patient
from tests.web.sending.page_client import ask, send

_URL = re.compile(r"^  (page|socket|gunicorn) +http://127\.0\.0\.1:(\d+)(/ui/)?$", re.MULTILINE)
_LINUX = pytest.mark.skipif(not Path("/proc/self").exists(), reason="children are read in /proc")


class Both:
    """The running command. `ports` are those that it printed, by name."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self._log = log
        self.block = ""
        for line in process.stdout:
            self.block += line
            if "Ctrl-C" in line:
                break
        self.ports = {name: int(port) for name, port, _ in _URL.findall(self.block)}

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def end(self, number: int) -> int:
        """Send a signal, and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(patient(60))

    def pids(self) -> list[int]:
        """The first process of each server."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def _both(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Both]:
    command = [
        sys.executable,
        "-m",
        "clients",
        "serve",
        "--both",
        "--store",
        str(folder / "store"),
        *arguments,
    ]
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Both(process, log)
        finally:
            process.terminate()
            process.wait(patient(90))


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_one_upload_reaches_both_servers_and_one_signal_ends_both(
    number: signal.Signals, tmp_path: Path
) -> None:
    with _both(tmp_path, "--port", "0") as both:
        assert re.match(r"\nwireproof: two servers on one store \(.*store\)\n\n  page ", both.block), (
            both.block
        )
        assert both.ports.keys() == {"page", "socket", "gunicorn"}
        assert both.ports["page"] == both.ports["socket"] != both.ports["gunicorn"]
        fields = {"Content_Type": "image/png", "Wireproof_Target": "/upload/"}
        answer = send(both.ports["page"], b"picture", **fields)
        assert [(run["backend"], run["status"]) for run in answer.runs] == [
            ("socket", 200),
            ("gunicorn", 200),
        ]
        assert answer.json["agreement"] == "equal"
        assert len(list((tmp_path / "store" / "files").iterdir())) == 1
        assert send(both.ports["gunicorn"], b"picture", **fields).json["agreement"] == "equal"
        assert both.end(number) == 0
        assert not any(map(_listens, both.ports.values()))
        for name in ("socket", "gunicorn"):
            assert re.search(rf"^{name} *\| \S+ \S+ POST /upload/ 200 ", both.log, re.MULTILINE)
        assert "Traceback" not in both.log


def test_the_port_is_that_of_the_first_server_and_the_token_holds_for_both(tmp_path: Path) -> None:
    port = _two_free_ports()
    with _both(tmp_path, "--port", str(port), "--token", "secret") as both:
        assert (both.ports["socket"], both.ports["gunicorn"]) == (port, port + 1)
        assert send(port, b"x").code == "token_required"
        token = {"Authorization": "Bearer secret"}
        assert [run["status"] for run in send(port, b"x", **token).runs] == [401, 401]
        passed = send(port, b"x", Wireproof_Token="pass", **token)
        assert [run["status"] for run in passed.runs] == [200, 200]


def _two_free_ports() -> int:
    """The first of two ports that no client is given for a connection of its own: these begin at 32768."""
    for port in random.sample(range(20000, 30000), 100):
        with suppress(OSError), socket.create_server((HOST, port)), socket.create_server((HOST, port + 1)):
            return port
    raise OSError("no two ports in a row are free")


@_LINUX
@pytest.mark.parametrize(("position", "name"), [(0, "socket"), (1, "gunicorn")])
def test_when_one_server_dies_the_other_is_stopped_and_the_status_says_so(
    position: int, name: str, tmp_path: Path
) -> None:
    with _both(tmp_path, "--port", "0") as both:
        pid = both.pids()[position]
        assert ask(both.ports[name], "/healthz", method="GET").status == 200
        os.kill(pid, signal.SIGKILL)
        assert both.process.wait(patient(60)) == 1
        assert f"Error: {name} has ended (signal SIGKILL), so the other server is stopped too" in both.log
        assert eventually(lambda: not any(map(_listens, both.ports.values())))


@_LINUX
def test_both_servers_end_when_the_command_is_killed(tmp_path: Path) -> None:
    with _both(tmp_path, "--port", "0") as both:
        os.kill(both.process.pid, signal.SIGKILL)
        assert eventually(lambda: not any(map(_listens, both.ports.values())), 30)


def test_a_port_that_is_taken_ends_both(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with _both(tmp_path, "--port", str(port)) as both:
            assert both.process.wait(patient(60)) == 1
            assert both.block == ""
            assert (
                f"socket   | Error: cannot listen on {HOST} port {port}: Address already in use\n" in both.log
            )
            assert "Error: socket has ended (exit status 1)" in both.log


def test_the_page_is_opened_in_the_browser_when_there_is_a_display(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    env = {"BROWSER": f"{browser} %s", "DISPLAY": ":99"}
    with _both(tmp_path, "--port", "0", "--open", env=env) as both:
        opened = tmp_path / "opened"
        assert eventually(lambda: opened.exists() and opened.read_text() != "")
        assert opened.read_text() == f"http://127.0.0.1:{both.ports['page']}/ui/"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--both", "--backend", "gunicorn"), "--backend is for one server: it has no effect with --both"),
        (("--both", "--wire"), "--wire is for one server: it has no effect with --both"),
        (("--both", "--", "--max-requests", "1"), "'--max-requests 1' is for one server"),
        (("--both", "--store", "memory:"), "two servers cannot share one in memory"),
        (("--both", "--port", "65535"), "--both takes two ports, '65535' and the next one"),
        (("--open",), "--open shows the page of --both"),
    ],
)
def test_what_one_server_alone_can_do_is_wrong_usage(arguments: tuple[str, ...], says: str) -> None:
    command = [sys.executable, "-m", "clients", "serve", *arguments]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
