"""Where the rows of `--wire` go: a terminal, pipe or file that does not take them never stops the server."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.text import Text

from clients.launch import PROJECT_ROOT, start
from servers.socket_server.wire import background_screen
from servers.socket_server.wire.background_screen import BackgroundScreen
from tests.patience import eventually, patient
from tests.socket_server.client import Client, get

_RAIL = Text("│")


@contextmanager
def _server(stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server with `--wire` whose standard output is this descriptor, which is then closed here."""
    arguments = ["--wire", "--store", "memory:", "--port", "0"]
    command = [sys.executable, "-m", "servers.socket_upload", *arguments]
    with subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, cwd=PROJECT_ROOT) as server:
        os.close(stdout)
        try:
            yield server
        finally:
            server.kill()


def _first_line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(descriptor, 1)
    return line


def _port(line: bytes) -> int:
    return int(line.split(b"http://127.0.0.1:")[1].split()[0])


def _ends_well(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(patient(10)) == 0
    assert server.stderr is not None
    errors = server.stderr.read()
    assert not [word for word in (b"Traceback", b"Fatal", b"Exception") if word in errors], errors


def test_a_server_whose_rows_nobody_reads_goes_on_and_stops_when_it_is_told_to() -> None:
    """A pipe holds 64 KiB, and each of these requests shows more than 2 KiB."""
    reading, writing = os.pipe()
    with _server(writing) as server:
        port = _port(_first_line(reading))
        with Client(port) as client:
            for _ in range(60):
                assert client.send(get("/" + "x" * 4000)).response().status == 200
                client.forget()
        _ends_well(server)
    os.close(reading)


def test_a_server_whose_pipe_is_closed_goes_on_and_stops_when_it_is_told_to() -> None:
    reading, writing = os.pipe()
    with _server(writing) as server:
        port = _port(_first_line(reading))
        os.close(reading)
        for path in ("/1", "/2", "/3"):
            with Client(port) as client:
                assert client.send(get(path)).response().json()["path"] == path
        _ends_well(server)


def test_a_server_whose_disk_is_full_goes_on() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with _server(full) as server:
        port = _listening_port(server.pid)
        with Client(port) as client:
            assert client.send(get("/1")).response().json()["path"] == "/1"
        server.send_signal(signal.SIGTERM)
        server.wait(patient(10))


def _listening_port(pid: int) -> int:
    """The port on which a process listens, since its first line is lost."""
    found: list[int] = []

    def listens() -> bool:
        inodes = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
        for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.append(int(fields[1].partition(":")[2], 16))
        return bool(found)

    assert eventually(listens)
    return found[0]


def test_the_last_rows_are_written_before_the_server_ends() -> None:
    with start("socket", flags=["--wire"]) as backend:
        with Client(backend.port) as client:
            client.send(get("/last")).response()
        backend.stop()
        assert "GET /last HTTP/1.1" in backend.log()
        assert " closed " in backend.log()


def test_a_stream_that_cannot_show_every_character_ends_nothing() -> None:
    """Such characters are escaped."""
    with start("socket", flags=["--wire"], env={"PYTHONIOENCODING": "latin-1"}) as backend:
        for path in ("/1", "/2"):
            with Client(backend.port) as client:
                assert client.send(get(path)).response().json()["path"] == path
        assert eventually(lambda: "\\u2502 GET /2 HTTP/1.1" in backend.log())
        assert "Traceback" not in backend.log()


def test_rows_that_nobody_took_are_counted_where_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_screen, "_MOST_WAITING", 50)
    reading, writing = os.pipe()
    screen = BackgroundScreen(writing, "utf-8")
    for number in range(5000):
        screen.print(f"{number:>6}", _RAIL, Text("x" * 50))
    received: list[bytes] = []

    def receive() -> None:
        while data := os.read(reading, 65536):
            received.append(data)

    receiver = threading.Thread(target=receive)
    receiver.start()
    assert eventually(lambda: b" 49" in b"".join(received) or len(b"".join(received)) > 10_000)
    assert eventually(lambda: _taken(screen))
    screen.print("  last", _RAIL, Text("y"))
    screen.close()
    os.close(writing)
    receiver.join(patient(10))
    os.close(reading)
    text = b"".join(received).decode("utf-8")
    rows = [line for line in text.splitlines() if "xxx" in line]
    missing = sum(int(line.split()[1].replace(",", "")) for line in text.splitlines() if "missing" in line)
    assert missing > 1000
    assert len(rows) + missing == 5000
    assert text.splitlines()[-1].startswith("  last")


def _taken(screen: BackgroundScreen) -> bool:
    return screen._waiting.empty()


def test_a_screen_whose_pipe_is_closed_takes_rows_and_drops_them() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    screen = BackgroundScreen(writing, "utf-8")
    for number in range(100):
        screen.print(f"{number}", _RAIL, Text("x"))
    screen.close()
    assert not screen._thread.is_alive()
    os.close(writing)
