"""How the clients send and read: early responses, expectations, the bytes shown, and repetitions."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner, Result

from clients import requests_upload, socket_upload
from clients.http1 import incoming_response, requests_transport, socket_transport
from clients.http1.errors import Unreachable, UploadFailed
from clients.http1.upload_call import Call
from clients.http1.wire import Wire
from tests.http1.recording_server import Peer, Script, echo_nothing, ok, playing, recording

both = pytest.mark.parametrize("client", [socket_upload, requests_upload], ids=["socket", "requests"])
both_transports = pytest.mark.parametrize("transport", [socket_transport, requests_transport])
COMMANDS = {"socket": socket_upload.main, "requests": requests_upload.main}
TOO_LARGE = ok(status="413 Content Too Large")


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size >> 16):
        yield bytes(65536)


@both
@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["at once", "after 100"])
def test_an_early_response_ends_the_sending_though_nobody_closes(client: ModuleType, interim: bytes) -> None:
    """The server has responded and neither reads nor closes. Waiting for room would take for ever."""
    over = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(interim)
        time.sleep(0.1)
        peer.send(TOO_LARGE)
        over.wait(20)

    with recording(script) as server:
        result = client.post(server.url, data=zeros(1 << 28), timeout=10)
        over.set()
    assert result.status == 413


@both
def test_an_early_response_before_a_reset_is_read(client: ModuleType) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(TOO_LARGE)
        time.sleep(0.5)  # it has arrived when the reset follows
        peer.reset()

    with recording(script) as server:
        assert client.post(server.url, data=zeros(1 << 28), timeout=10).status == 413


CONTINUE, HINTS = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


@both
@pytest.mark.parametrize("interim", [CONTINUE, HINTS + CONTINUE, CONTINUE + HINTS + HINTS])
def test_interim_responses_are_not_the_final_one(client: ModuleType, interim: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(interim[:9])
        time.sleep(0.05)
        peer.send(interim[9:])
        peer.read_request()
        peer.send(ok(b"[1]"))

    with recording(script) as server:
        result = client.post(server.url, data=zeros(1 << 20), timeout=10)
    assert (result.status, result.body) == (200, b"[1]")


EXPECT = {"Expect": "100-continue"}


def test_the_body_waits_for_100_continue() -> None:
    before: list[bytes] = []

    def script(peer: Peer) -> None:
        before.append(peer.read_head())
        time.sleep(0.3)
        peer.connection.settimeout(0)
        with pytest.raises(BlockingIOError):
            peer.read()
        peer.connection.settimeout(5)
        before.append(bytes(peer.received))
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.read_request()
        peer.send(ok())

    with recording(script) as server:
        assert socket_upload.post(server.url, data=b"body", headers=EXPECT, timeout=5).status == 200
        assert before[0] == before[1]
        assert server.peers[0].received.endswith(b"\r\n\r\nbody")


def test_the_body_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_transport, "CONTINUE_SECONDS", 0.2)
    with recording(echo_nothing) as server:
        started = time.monotonic()
        assert socket_upload.post(server.url, data=b"body", headers=EXPECT, timeout=5).status == 200
    assert time.monotonic() - started >= 0.2
    assert server.peers[0].received.endswith(b"\r\n\r\nbody")


def test_after_a_refused_expectation_the_body_is_not_sent() -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(ok(status="417 Expectation Failed"))
        while peer.read():
            pass

    with recording(script) as server:
        assert socket_upload.post(server.url, data=b"body", headers=EXPECT, timeout=5).status == 417
    assert server.peers[0].received.endswith(b"\r\n\r\n")


@both_transports
def test_the_wire_shows_exactly_what_was_sent_and_received(transport: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(os.urandom(300_000))
    sent, received = bytearray(), bytearray()
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"

    wire = Wire(10, sent.extend, received.extend)
    with recording(playing([said])) as server, path.open("rb") as file:
        result = transport.send(Call("POST", server.url, files={"f": file}), wire)
        assert sent == server.peers[0].received
    assert bytes(received) == said
    assert result.body == b"{}"


@both_transports
def test_the_progress_counts_the_body_without_its_framing(transport: ModuleType) -> None:
    counted: list[int] = []
    with recording(echo_nothing) as server:
        transport.send(Call("POST", server.url, data=zeros(1 << 20)), Wire(10), on_block=counted.append)
    assert sum(counted) == 1 << 20
    assert len(counted) > 1


@both
def test_head_has_no_body_and_is_no_error(client: ModuleType) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
        peer.read()  # it stays open: the client must not wait for more

    with recording(script) as server:
        result = client.request("HEAD", server.url, timeout=5)
    assert (result.status, result.body, result.header("content-length")) == (200, b"", "100")


@both
def test_a_response_without_a_length_ends_with_the_connection(client: ModuleType) -> None:
    with recording(playing([b"HTTP/1.1 200 OK\r\n\r\nall of it"])) as server:
        assert client.post(server.url, timeout=5).body == b"all of it"


@both
def test_a_response_that_is_too_large_is_not_kept(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_response, "MAX_RESPONSE_BYTES", 1 << 20)

    with (
        recording(playing([ok(bytes(4 << 20))])) as server,
        pytest.raises(UploadFailed, match="larger than 1 MiB"),
    ):
        client.post(server.url, timeout=5)


@both
def test_a_failure_of_the_callers_stream_reaches_the_caller(client: ModuleType) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise LookupError("the caller's own")

    with recording(Peer.read_request) as server, pytest.raises(LookupError, match="the caller's own"):
        client.post(server.url, data=broken(), timeout=5)


@both
def test_the_time_limit_holds_while_the_stream_is_slow(client: ModuleType) -> None:
    def slow() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield b"x"

    with recording(Peer.read_request) as server, pytest.raises(Unreachable, match=r"within 0\.4 s"):
        client.post(server.url, data=slow(), timeout=0.4)


def refusing(status: str, fields: str = "Retry-After: 0\r\n") -> Script:
    return playing([f"HTTP/1.1 {status}\r\n{fields}Content-Length: 0\r\n\r\n".encode()])


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between the attempts, which are not waited for."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_passes_by_itself_is_tried_again(
    command: click.Command, waits: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    scripts = (
        Peer.read_request,
        refusing("503 No", ""),
        refusing("429 No", "Retry-After: 7\r\n"),
        echo_nothing,
    )
    with recording(*scripts) as server:
        result = run(command, server.url, "-F", f"f=@{path}", "--boundary", "b", "--retry", "5")
        assert result.exit_code == 0, result.stderr
        assert result.stdout == "{}\n"
        assert len({bytes(peer.received) for peer in server.peers}) == 1
        assert len(server.peers) == 4
    assert waits == [1, 2, 7]
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "retry 1 of 5 in 1 s", "retry 2 of 5 in 2 s", "retry 3 of 5 in 7 s",
    ]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("status", ["400 Bad Request", "413 Content Too Large", "507 Insufficient Storage"])
def test_what_stays_refused_is_not_tried_again(
    command: click.Command, status: str, waits: list[float]
) -> None:
    with recording(refusing(status)) as server:
        assert run(command, server.url, "-F", "a=1", "--retry", "3").exit_code == 1
        assert len(server.peers) == 1
    assert waits == []


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_after_the_last_try_the_response_stands(command: click.Command, waits: list[float]) -> None:
    with recording(refusing("503 Service Unavailable")) as server:
        result = run(command, server.url, "-F", "a=1", "--retry", "2")
        assert len(server.peers) == 3
    assert result.exit_code == 1
    assert result.stderr.endswith("refused: 503 Service Unavailable\n")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_show_wire_prints_both_directions_and_the_result(command: click.Command) -> None:
    with recording(echo_nothing) as server:
        result = run(command, server.url, "-F", "a=1", "--show-wire")
        assert result.stderr_bytes == bytes(server.peers[0].received) + ok()
    assert result.stdout == "{}\n"
