"""Each failure has its exit status and a sentence, and never a traceback: the commands as processes."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT, free_port
from tests.http1.recording_server import Peer, Script, echo_nothing, ok, playing, recording
from tests.patience import patient

CLIENTS = ("socket", "requests")
PROBLEM = (
    b'{"code":"body_too_large","detail":"more than 10 bytes","status":413,'
    b'"title":"The body is too large","type":"/problems/body_too_large"}\n'
)
TOO_LARGE = ok(PROBLEM, "413 Content Too Large", "application/problem+json")

# Root reads every file, unless it gives these up (util-linux).
AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()

pytestmark = pytest.mark.parametrize("client", CLIENTS)


def run(client: str, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[bytes]:
    """The command, run as a user runs it; `before` stands before it on the command line."""
    command = [*before, sys.executable, f"clients/{client}_upload.py", *arguments]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def answered_by(script: Script, client: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command against a server that follows the script."""
    with recording(script) as server:
        return run(client, server.url, *arguments)


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that fits in no socket buffer: 64 MiB, sparse."""
    path = tmp_path / "large.bin"
    path.touch()
    os.truncate(path, 64 << 20)
    return path


def test_nobody_listens(client: str) -> None:
    port = free_port()
    done = run(client, f"http://127.0.0.1:{port}/upload/", "-F", "a=1")
    assert done.returncode == 3
    assert said(done) == f"error: cannot connect to 127.0.0.1:{port}: Connection refused\n"


def test_the_host_has_no_address(client: str) -> None:
    done = run(client, "http://nowhere.invalid/upload/", "-F", "a=1")
    assert done.returncode == 3
    assert said(done).startswith("error: cannot connect to nowhere.invalid: ")


def test_a_refused_upload(client: str) -> None:
    done = answered_by(playing([TOO_LARGE]), client, "-F", "a=1")
    assert done.returncode == 1
    assert done.stdout == PROBLEM
    expected = "refused: 413 {} (body_too_large)\n  The body is too large\n  more than 10 bytes\n"
    assert re.sub("413 .* [(]", "413 {} (", said(done)) == expected


def test_an_early_refusal_is_read_though_the_sending_breaks(client: str, large: Path) -> None:
    """The server reads the head, responds, and later closes with bytes unread: a broken pipe."""

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(TOO_LARGE)
        time.sleep(0.3)

    with recording(script) as server:
        done = run(client, server.url, "-F", f"file=@{large}")
        assert len(server.peers) == 1
    assert done.returncode == 1
    assert "(body_too_large)" in said(done)


def test_a_connection_that_breaks_without_a_response(client: str, large: Path) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.reset()

    done = answered_by(script, client, "-F", f"file=@{large}")
    assert done.returncode == 3
    assert said(done).startswith("error: ")


def test_a_server_that_closes_without_a_word(client: str) -> None:
    done = answered_by(Peer.read_request, client, "-F", "a=1")
    assert done.returncode == 3
    assert "closed the connection without" in said(done)


@pytest.mark.parametrize("said_by_server", [ok(b"x" * 100)[:-1], b"220 mail.example ESMTP\r\n\r\n"])
def test_a_response_that_is_cut_off_or_not_http(client: str, said_by_server: bytes) -> None:
    done = answered_by(playing([said_by_server]), client, "-F", "a=1")
    assert done.returncode == 3
    assert said(done).startswith("error: ")


@pytest.mark.parametrize("reads", [True, False])
def test_a_server_that_never_responds(client: str, reads: bool, large: Path) -> None:
    """Whether it takes the whole upload or lets it stand: --max-time is for everything."""
    over = threading.Event()

    def script(peer: Peer) -> None:
        if reads:
            peer.read_request()
        over.wait(20)

    with recording(script) as server:
        started = time.monotonic()
        done = run(client, server.url, "-F", f"file=@{large}", "--max-time", "1.5")
        seconds = time.monotonic() - started
        over.set()
    assert done.returncode == 3
    assert said(done) == f"error: no response from 127.0.0.1:{server.port} within 1.5 s\n"
    assert seconds < patient(6)


def test_a_server_that_responds_drop_by_drop(client: str) -> None:
    """Every read is in time, and the whole is not."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for byte in ok(b"x" * 100):
            peer.send(bytes([byte]))
            time.sleep(0.05)

    done = answered_by(script, client, "-F", "a=1", "--max-time", "1.5")
    assert done.returncode == 3
    assert "within 1.5 s" in said(done)


def test_a_file_that_shrinks_while_it_is_sent(client: str, large: Path) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        os.truncate(large, 100)
        while peer.read():
            pass

    done = answered_by(script, client, "-F", f"file=@{large}")
    assert done.returncode == 1
    assert re.search(r"large\.bin shrank while it was sent: [0-9]+ of 67108864 bytes were there", said(done))
    assert done.stdout == b""


def test_no_permission_to_read(client: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    secret.chmod(0)
    arguments = ("http://127.0.0.1:9/upload/", "-F", f"file=@{secret}")
    done = run(client, *arguments, before=AS_ANYBODY)
    assert done.returncode == 2
    assert said(done) == f"error: cannot read {secret}: Permission denied\n"


def test_a_missing_file(client: str, tmp_path: Path) -> None:
    done = run(client, "http://127.0.0.1:9/upload/", "-F", f"file=@{tmp_path}/none.txt")
    assert done.returncode == 2
    assert said(done) == f"error: cannot read {tmp_path}/none.txt: No such file or directory\n"


def test_an_output_that_cannot_be_written(client: str, tmp_path: Path) -> None:
    done = answered_by(echo_nothing, client, "-o", str(tmp_path / "none" / "response.json"))
    assert done.returncode == 1
    assert "cannot write" in said(done)


def test_a_redirect_is_not_followed_and_no_success(client: str) -> None:
    with recording(playing([b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"])) as server:
        done = run(client, server.url, "-F", "a=1")
        assert len(server.peers) == 1
    assert done.returncode == 1
    assert said(done) == "refused: 302 Found\n"


def test_a_refusal_in_another_form_is_shown_without_control_bytes(client: str) -> None:
    done = answered_by(playing([ok(b"no\x1b[2J!", "500 Oops", "text/plain")]), client)
    assert done.returncode == 1
    assert said(done) == "refused: 500 Internal Server Error\n  no\\u001b[2J!\n"
