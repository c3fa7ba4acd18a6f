"""Output that nobody takes, and Ctrl-C: a sentence and a status, and no traceback, from real processes."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.http1.recording_server import Peer, echo_nothing, recording

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\ndata: 1\n\ndata: 2\n\n"
)
UPLOADS = ("socket_upload.py", "requests_upload.py", "upload.py", "upload.py --client requests")
STREAMS = ("stream.py --client socket", "stream.py --client requests")
# They share their code with the others.
_ALIKE = UPLOADS[2:] + STREAMS[1:]


def _each(commands: tuple[str, ...]) -> pytest.MarkDecorator:
    slow = pytest.mark.soak(seconds=2)
    params = [pytest.param(command, marks=slow if command in _ALIKE else ()) for command in commands]
    return pytest.mark.parametrize("command", params)


uploads = _each(UPLOADS)
everywhere = _each(UPLOADS + STREAMS)


def script(peer: Peer) -> None:
    """An event stream for who accepts one, else a small response."""
    if b"text/event-stream" in peer.read_request():
        peer.send(EVENTS)
    else:
        echo_nothing(peer)


def run(command: str, arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell; in `arguments` stand the redirections too, and URL."""
    with recording(script) as server:
        line = f"{sys.executable} clients/{command} {arguments.replace('URL', server.url)}"
        done = subprocess.run(
            line, shell=True, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    for trace in ("Traceback", "Exception ignored", "Error:"):
        assert trace not in done.stderr, done.stderr
    return done


@everywhere
@pytest.mark.parametrize("arguments", ["URL", "--help"])
def test_a_full_disk_behind_standard_output(command: str, arguments: str) -> None:
    done = run(command, f"{arguments} >/dev/full")
    assert (done.returncode, done.stderr) == (1, "error: cannot write the output: No space left on device\n")


@everywhere
def test_a_closed_standard_output(command: str) -> None:
    done = run(command, "URL >&-")
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the output: standard output is closed\n"


@everywhere
def test_a_closed_standard_error(command: str) -> None:
    assert run(command, "URL 2>&-").returncode == 0
    assert run(command, "http://127.0.0.1:1/ 2>&-").returncode == 3


@everywhere
def test_nobody_can_be_told_anything(command: str) -> None:
    assert run(command, "URL >/dev/full 2>/dev/full").returncode == 1


@uploads
def test_a_dry_run_that_cannot_be_written(command: str) -> None:
    assert run(command, "http://h/ --dry-run >/dev/full").stderr.endswith(": No space left on device\n")
    assert run(command, "http://h/ --dry-run >&-").stderr.endswith(": standard output is closed\n")


@uploads
def test_a_wire_that_cannot_be_shown_is_no_fault_of_the_connection(command: str) -> None:
    assert run(command, "URL --show-wire 2>/dev/full").returncode == 1


@uploads
def test_a_response_in_a_file_needs_no_standard_output(command: str, tmp_path: Path) -> None:
    assert run(command, f"URL -o {tmp_path}/response >&-").returncode == 0
    assert (tmp_path / "response").read_bytes() == b"{}\n"


@uploads
def test_a_closed_standard_input(command: str) -> None:
    done = run(command, "URL -T - <&-")
    assert (done.returncode, done.stderr) == (2, "error: standard input is closed\n")


@everywhere
@pytest.mark.parametrize("said", [b"", EVENTS[:-9]], ids=["before the response", "in the response"])
def test_ctrl_c_is_status_130(command: str, said: bytes) -> None:
    reached, over = threading.Event(), threading.Event()

    def waiting(peer: Peer) -> None:
        peer.read_request()
        peer.send(said)
        reached.set()
        over.wait(20)

    with recording(waiting) as server:
        program = [sys.executable, *f"clients/{command} {server.url}".split()]
        # A shell starts what it runs in the background with SIGINT ignored, and that is inherited.
        with subprocess.Popen(
            ["env", "--default-signal=INT", *program],
            cwd=PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert reached.wait(20)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=20)
        over.set()
    assert (process.returncode, stderr) == (130, "Interrupted.\n")
