"""What the commands show on a terminal: a real one, with its columns."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from tests.http1.recording_server import Peer, echo_nothing, ok, playing, recording

CLIENTS = pytest.mark.parametrize(
    "client", ["socket", pytest.param("requests", marks=pytest.mark.soak(seconds=5))]
)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(client: str, *arguments: str, columns: int = 80, **env: str) -> tuple[int, str]:
    """The exit status and all that a terminal of so many columns got."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    command = [sys.executable, f"clients/{client}_upload.py", *arguments]
    process = subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment | {"TERM": "xterm"} | env,
    )
    os.close(slave)
    shown = b"".join(_read_all(master))
    os.close(master)
    return process.wait(30), shown.decode()


def _read_all(master: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: nobody has the other side open any more
            return
        yield data


def slow_drain(peer: Peer) -> None:
    """Take the body so slowly that a bar has the time to move."""
    head = peer.read_head()
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(peer.received) < len(head) + length:
        peer.read()
        time.sleep(0.01)
    peer.send(ok())


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.touch()
    os.truncate(path, 24 << 20)
    return path


@CLIENTS
@pytest.mark.parametrize("columns", [80, pytest.param(160, marks=pytest.mark.soak(seconds=8))])
def test_a_bar_shows_amount_rate_and_time_left(client: str, columns: int, large: Path) -> None:
    with recording(slow_drain) as server:
        status, shown = on_terminal(client, server.url, "-F", f"f=@{large}", columns=columns)
    lines = [ESCAPE.sub("", line) for line in re.split("[\r\n]+", shown)]
    assert status == 0
    moving = [
        line for line in lines if re.search(r"sending ━+.* [0-9.]+/25\.2 MB [0-9.]+ [MG]B/s [0-9:]+", line)
    ]
    assert moving
    assert all(len(line) <= columns for line in lines)
    assert lines[-2:] == ["{}", ""]


@CLIENTS
def test_a_short_upload_has_no_bar(client: str, large: Path) -> None:
    os.truncate(large, 1 << 20)
    with recording(echo_nothing) as server:
        assert on_terminal(client, server.url, "-F", f"f=@{large}") == (0, "{}\r\n")


def test_an_unknown_rate_is_left_out() -> None:
    def stall(peer: Peer) -> None:
        peer.read_request()
        time.sleep(1.5)
        peer.send(ok())

    with recording(stall) as server:
        status, shown = on_terminal("socket", server.url, "-F", "a=b")
    assert status == 0
    assert "sending" in shown
    assert "?" not in ESCAPE.sub("", shown)


@pytest.mark.soak(seconds=8)
@CLIENTS
def test_no_color_means_no_colour(client: str, large: Path) -> None:
    with recording(slow_drain) as server:
        _, shown = on_terminal(client, server.url, "-F", f"f=@{large}", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)


@CLIENTS
def test_a_result_is_indented_unless_raw(client: str) -> None:
    with recording(playing([ok(b'{"a":"\xc3\xa4\\u001b\xc2\x9b"}\n')])) as server:
        assert on_terminal(client, server.url) == (0, '{\r\n  "a": "ä\\u001b\\u009b"\r\n}\r\n')
        assert on_terminal(client, server.url, "--raw") == (0, '{"a":"ä\\u001b\x9b"}\r\n')


@CLIENTS
def test_a_refusal_is_shown_once_in_words_and_in_red(client: str) -> None:
    problem = b'{"code":"bad_value","detail":"no\\u001b[2J","status":400,"title":"A value is wrong"}'
    response = ok(problem, "400 Bad Request", "application/problem+json")
    words = "refused: 400 Bad Request (bad_value){}\r\n  A value is wrong\r\n  no\\u001b[2J\r\n"
    with recording(playing([response])) as server:
        assert on_terminal(client, server.url) == (1, "\x1b[31m" + words.format("\x1b[0m"))
        assert on_terminal(client, server.url, NO_COLOR="1") == (1, words.format(""))


@CLIENTS
def test_the_wire_is_escaped_on_a_terminal(client: str) -> None:
    status, shown = on_terminal(client, "http://h/", "-F", "a=\x1b[2Jä", "--boundary", "b", "--dry-run")
    assert status == 0
    assert "\x1b" not in shown
    assert "POST / HTTP/1.1\\r\\n\r\nHost: h\\r\\n\r\n" in shown
    assert "\\x1b[2J\\xc3\\xa4\\r\\n\r\n--b--\\r\\n\r\n" in shown


@CLIENTS
def test_a_response_in_a_file_leaves_the_terminal_empty(client: str, tmp_path: Path) -> None:
    path = tmp_path / "response.json"
    with recording(echo_nothing) as server:
        assert on_terminal(client, server.url, "-o", str(path)) == (0, "")
    assert path.read_bytes() == b"{}\n"
