"""`replay` sends requests of a history, or of files, again, byte for byte, and compares the responses."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.launch import PROJECT_ROOT, free_port
from tests.http1.recording_server import Peer, RecordingServer, ok, recording, scripted

_REQUEST = b"POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\0b"


class History:
    """A server whose history has requests: what it answers for each path, and the heads that it got."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.heads: list[bytes] = []

    def add(self, number: int, kept: bytes, **members: Any) -> None:
        described = {"id": number, "total": len(kept), "redacted": False} | members
        self.pages[f"/requests/{number}"] = ok(json.dumps(described).encode())
        self.pages[f"/requests/{number}.http"] = ok(kept, media_type="application/octet-stream")

    def add_peers(self, **urls: str) -> None:
        backends = [{"name": name, "url": url, "up": True} for name, url in urls.items()]
        self.pages["/ui/server"] = ok(json.dumps({"backends": backends}).encode())

    def respond(self, peer: Peer) -> None:
        self.heads.append(peer.read_head())
        path = self.heads[-1].split()[1].decode()
        missing = ok(
            b'{"code":"not_found","detail":"it is gone"}', "404 Not Found", "application/problem+json"
        )
        peer.send(self.pages.get(path, missing))


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def source(history: History) -> Iterator[RecordingServer]:
    with recording(history.respond) as server:
        yield server


def _replay(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "clients", "replay", *arguments]
    return subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_request_of_the_history_goes_to_the_servers_of_its_page(
    history: History, source: RecordingServer
) -> None:
    history.add(7, _REQUEST)
    with scripted(ok(b'{"a":1}')) as one, scripted(ok(b'{"a":1}')) as other:
        history.add_peers(one=one.url, other=other.url)
        done = _replay("7", "--from", source.url)
        assert (one.requests, other.requests) == ([_REQUEST], [_REQUEST])
    assert done.stdout == "7: 57 bytes, POST /upload/ HTTP/1.1\n  one    200\n  other  200\n  equal\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_several_requests_go_to_the_servers_that_are_named(history: History, source: RecordingServer) -> None:
    get = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    history.add(1, _REQUEST)
    history.add(2, get)
    with scripted(ok(b'{"a":1}')) as one, scripted(lambda got: ok(b'{"a":%d}' % (b"GET" in got))) as other:
        done = _replay("1", "2", "--from", source.url, "--to", one.url, "--to", other.url)
        assert one.requests == other.requests == [_REQUEST, get]
    assert "  different: a: 1 and 0\n" in done.stdout
    assert done.stdout.endswith("  equal\n")
    assert done.returncode == 1


def test_a_file_is_sent_as_it_is_without_any_history(tmp_path: Path) -> None:
    file = tmp_path / "cut.http"
    file.write_bytes(_REQUEST[:-1])
    problem = ok(b'{"code":"body_truncated"}', "400 Bad Request", "application/problem+json")
    with scripted(problem, to_the_end=True) as server:
        done = _replay(str(file), "--to", server.url)
        assert server.requests == [_REQUEST[:-1]]
    assert done.stdout.splitlines()[1] == f"  {server.url}  400 body_truncated"
    assert done.returncode == 0


def test_the_token_is_for_the_history_alone(history: History, source: RecordingServer) -> None:
    history.add(1, _REQUEST)
    with scripted(ok()) as server:
        for given in ({"arguments": ("--token", "secret")}, {"env": {"WIREPROOF_TOKEN": "secret"}}):
            history.heads.clear()
            arguments, env = given.get("arguments", ()), given.get("env")
            _replay("1", "--from", source.url, "--to", server.url, *arguments, env=env)  # type: ignore[arg-type]
            assert all(b"\r\nAuthorization: Bearer secret\r\n" in head for head in history.heads)
            assert len(history.heads) == 2
        assert server.requests == [_REQUEST] * 2


def _redacted(history: History) -> None:
    history.add(1, _REQUEST, redacted=True)


def _cut(history: History) -> None:
    history.add(1, _REQUEST, total=1000)


def _gone(history: History) -> None:
    history.add(2, _REQUEST)


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (_redacted, "error: request 1 had credentials, which the history does not keep\n"),
        (_cut, "error: the history keeps 57 of the 1000 bytes of request 1\n"),
        (_gone, "/requests/1: 404 it is gone\n"),
    ],
)
def test_a_request_whose_bytes_are_not_all_there_is_not_sent(
    history: History, source: RecordingServer, prepare: Callable[[History], None], says: str
) -> None:
    prepare(history)
    with scripted(ok()) as server:
        done = _replay("1", "--from", source.url, "--to", server.url)
        assert server.requests == []
    assert done.returncode == 2
    assert done.stderr.endswith(says)


def test_no_server_to_send_to_is_wrong_usage(history: History, source: RecordingServer) -> None:
    history.add(1, _REQUEST)
    history.add_peers()
    done = _replay("1", "--from", source.url)
    assert (done.returncode, "use --to" in done.stderr) == (2, True)


def test_a_history_that_cannot_be_reached_ends_with_3_and_a_peer_that_cannot_with_1(
    history: History, source: RecordingServer
) -> None:
    history.add(1, _REQUEST)
    nobody = f"http://127.0.0.1:{free_port()}"
    assert _replay("1", "--from", nobody, "--to", source.url).returncode == 3
    done = _replay("1", "--from", source.url, "--to", nobody)
    assert "no connection: " in done.stdout
    assert done.returncode == 1
