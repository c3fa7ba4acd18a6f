"""python clients/stream.py: what it asks for, what it prints, and its exit status."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clients import stream
from tests.http1.recording_server import CHUNKED, LAST_CHUNK, Steps, chunk, playing, recording

PROJECT = Path(__file__).resolve().parent.parent.parent
EVENTS = [f'data: {{"chunk": "{character}"}}\n\n'.encode() for character in "echo this"]
PAUSE = 0.06
LIVE = [CHUNKED, *[step for event in EVENTS for step in (chunk(event), PAUSE)], LAST_CHUNK]
HELD_BACK = [9 * PAUSE, CHUNKED, chunk(b"".join(EVENTS)), LAST_CHUNK]
DATA = json.dumps({"query": "echo this", "delay": PAUSE})


def run(*arguments: str) -> Result:
    return CliRunner(env={"NO_COLOR": "", "WIREPROOF_TOKEN": ""}).invoke(stream.main, list(arguments))


def run_against(script: Steps, *arguments: str) -> Result:
    """The command against a server that plays the script."""
    with recording(playing(script)) as server:
        return run(server.url + "/stream_echo", *arguments)


@pytest.mark.parametrize(
    ("script", "flags", "verdict", "status"),
    [
        (LIVE, [], "real stream", 0),
        (HELD_BACK, [], "buffered on the way (events came in bursts)", 1),
        (LIVE, ["--no-stream"], "pseudo-stream (the client read it whole)", 0),
        ([CHUNKED, *map(chunk, EVENTS[:1]), LAST_CHUNK], [], "undecided", 0),
    ],
    ids=["real", "buffered", "pseudo", "one-event"],
)
@pytest.mark.parametrize("client", stream.CLIENTS)
def test_the_verdict_is_printed_and_is_the_exit_status(
    script: Steps, flags: list[str], verdict: str, status: int, client: str
) -> None:
    result = run_against(script, "--data", DATA, "--client", client, *flags)
    assert f"verdict: {verdict}\n" in result.output
    assert result.exit_code == status, result.output


def test_each_event_is_printed_with_its_time_and_the_plot_fits_the_terminal() -> None:
    result = run_against(LIVE, "--data", DATA)
    times = re.findall(r'^ +(\d+\.\d{3}) s  \{"chunk": "[echo this]"\}$', result.output, re.MULTILINE)
    assert len(times) == 9
    # The first event may be read late: then it has a later time, and the rest has less.
    assert float(times[8]) - float(times[0]) >= 7 * PAUSE
    assert result.output.count("*\n") == 9
    assert max(map(len, result.output.splitlines())) <= 80


def test_what_was_read_whole_is_one_line_instead_of_a_plot() -> None:
    result = run_against(LIVE, "--data", DATA, "--no-stream")
    assert re.search(r"^all 9 events came at [0-9]\.[0-9]{3} s$", result.output, re.MULTILINE)
    assert "*\n" not in result.output


def test_types_pings_and_lines_of_data_are_shown_and_nothing_unprintable() -> None:
    body = b": ping\r\n\r\nevent: tick\r\ndata: one\r\ndata: two\x1b[31m\r\n\r\n"
    result = run_against([CHUNKED, chunk(body), LAST_CHUNK])
    assert " s  : ping\n" in result.output
    assert " s  tick: one\n            two\\u001b[31m\n" in result.output
    assert "comments between the events: 1" in result.output


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/stream_echo", b"POST", stream.DEFAULT_DATA["/stream_echo"]),
        ("/stream_echo/?a=b", b"POST", stream.DEFAULT_DATA["/stream_echo"]),
        ("/v1/chat/completions", b"POST", stream.DEFAULT_DATA["/v1/chat/completions"]),
        ("/events", b"GET", None),
    ],
)
def test_without_data_it_asks_for_what_suits_the_url(path: str, method: bytes, body: object) -> None:
    with recording(playing([CHUNKED, LAST_CHUNK])) as server:
        run(server.url + path)
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(method + b" " + path.encode() + b" ")
    assert (json.loads(sent) if sent else None) == body


def test_the_token_is_a_bearer_credential() -> None:
    with recording(playing([CHUNKED, LAST_CHUNK])) as server:
        run(server.url + "/stream_echo", "--token", "tök")
    assert "\r\nAuthorization: Bearer tök\r\n".encode() in server.requests[0]


def test_a_refusal_is_said_in_words_and_exits_with_1() -> None:
    problem = (
        b'{"code":"bad_value","detail":"delay is out of range","status":400,"title":"No good","type":"/"}'
    )
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n"
    result = run_against([head % len(problem) + problem])
    assert result.exit_code == 1
    assert "refused: 400 Bad Request (bad_value)" in result.stderr
    assert "delay is out of range" in result.stderr
    assert result.stdout == ""


def test_a_response_that_is_not_a_stream_is_shown_and_exits_with_1() -> None:
    response = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'
    result = run_against([response])
    assert result.exit_code == 1
    assert '"a": 1' in result.output
    assert "not an event stream, but one response (application/json)" in result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["ftp://localhost/"], "not a valid URL"),
        (["http://127.0.0.1:1/stream_echo", "--data", "{"], "--data is not JSON"),
        (["http://127.0.0.1:1/stream_echo", "--data", "[" * 100_000], "--data is not JSON"),
        (["http://127.0.0.1:1/stream_echo", "--client", "curl"], "'curl' is not one of"),
        (["http://127.0.0.1:1/stream_echo", "--max-time", "0"], "--max-time"),
        (["http://127.0.0.1:1/stream_echo", "--max-time", "inf"], "--max-time"),
        (["http://127.0.0.1:1/stream_echo", "--max-time", "nan"], "--max-time"),
        (["http://127.0.0.1:1/stream_echo", "--max-time", "2147484"], "--max-time"),
        (["http://[::1/stream_echo"], "'[::1' is not a host"),
        (["http://a..b/"], "'a..b' is not a host"),
        ([], "Missing argument 'URL'"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], why: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize("client", stream.CLIENTS)
def test_nobody_there_exits_with_3(client: str) -> None:
    result = run("http://127.0.0.1:1/stream_echo", "--client", client)
    assert result.exit_code == 3
    assert "error: cannot connect to 127.0.0.1:1: Connection refused" in result.stderr


@pytest.mark.parametrize("client", stream.CLIENTS)
def test_a_stream_that_breaks_off_is_classified_and_exits_with_3(client: str) -> None:
    result = run_against(LIVE[:-1], "--data", DATA, "--client", client)
    assert result.exit_code == 3
    assert "verdict: real stream" in result.stdout
    assert result.stderr.startswith("error: ")


def test_the_time_limit_ends_a_stream_that_goes_on() -> None:
    result = run_against([*LIVE[:-1], 0.8], "--data", DATA, "--max-time", "0.8")
    assert result.exit_code == 3
    assert "error: the stream had not ended after 0.8 s" in result.stderr


@pytest.mark.parametrize(
    ("data", "delay"),
    [
        (None, None),
        ("[]", None),
        ("{}", None),
        ('{"delay": 0.25}', 0.25),
        ('{"delay": 2}', 2.0),
        ('{"delay": 0}', 0.0),
        ('{"delay": -1}', None),
        ('{"delay": true}', None),
        ('{"delay": "1"}', None),
        ('{"delay": 1e999}', None),
        ('{"delay": 1' + "0" * 400 + "}", None),
        ('{"delay": NaN}', None),
    ],
)
def test_the_delay_is_that_of_the_request_if_it_has_one(data: str | None, delay: float | None) -> None:
    assert stream.delay_of(data) == delay


def on_a_terminal(*arguments: str, no_color: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color, "COLUMNS": "80"}
    command = [sys.executable, str(PROJECT / "clients" / "stream.py"), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        written = b""
        try:
            while data := os.read(ours, 65536):
                written += data
        except OSError:
            pass  # Linux says so that nobody has the terminal open any more
        os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


def test_a_terminal_gets_colours_unless_no_color_is_set() -> None:
    with recording(playing(LIVE)) as server:
        assert "\x1b[" in on_a_terminal(server.url + "/stream_echo", "--data", DATA, no_color="")
        plain = on_a_terminal(server.url + "/stream_echo", "--data", DATA, no_color="1")
    assert "\x1b[3" not in plain
    assert "verdict: " in plain


def test_it_runs_as_a_script_and_is_plain_in_a_pipe() -> None:
    script = str(PROJECT / "clients" / "stream.py")
    with recording(playing(LIVE)) as server:
        command = [sys.executable, script, server.url + "/stream_echo", "--data", DATA]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "verdict: real stream" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_the_version_is_that_of_the_project() -> None:
    assert re.fullmatch(r"wireproof stream, version \d+\.\d+\.\d+\n", run("--version").output)
