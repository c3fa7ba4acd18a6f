"""What the page has sent is a row of the history, and can be sent again while all its bytes are there."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from clients.launch import PROJECT_ROOT, RunningBackend, free_port, start
from tests.patience import eventually
from tests.web.sending.page_client import Answer, ask, send
from tests.web.sending.stage import LARGE

_ON = {"WIREPROOF_HISTORY": "500"}
_FORM = "application/x-www-form-urlencoded"


@dataclass
class Both:
    """The page on a socket server, which sends to a socket server and to gunicorn; all have one store."""

    page: RunningBackend
    peers: dict[str, RunningBackend]

    def row(self, number: int) -> Any:
        """A request of the history."""
        return ask(self.page.port, f"/requests/{number}", method="GET").json

    def replay(self, number: int, **members: Any) -> Answer:
        """Send a request of the history again."""
        body = json.dumps(members).encode()
        return ask(self.page.port, f"/requests/{number}/replay", body, {"Content-Type": "application/json"})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    store = tmp_path_factory.mktemp("history") / "store"
    with ExitStack() as stack:
        peers = {
            name: stack.enter_context(start(name, store=store, env=_ON)) for name in ("socket", "gunicorn")
        }
        named = ",".join(f"{name}={peer.url}" for name, peer in peers.items())
        page = stack.enter_context(start("socket", store=store, env=_ON | {"WIREPROOF_PEERS": named}))
        yield Both(page, peers)


@pytest.mark.parametrize("body", [b"a=1", b"a=" + b"x" * 200_000], ids=len)
def test_an_upload_that_reached_both_servers_is_the_row_that_is_told(both: Both, body: bytes) -> None:
    answer = send(both.page.port, body, Content_Type=_FORM, Wireproof_Target=f"/upload/?{len(body)}")
    number = answer.json["id"]
    assert isinstance(number, int)
    assert answer.json["agreement"] == "equal"
    assert eventually(lambda: len(both.row(number)["runs"]) == 2)
    row = both.row(number)
    assert {run["backend"] for run in row["runs"]} == {"socket", "gunicorn"}
    assert (row["target"], row["size"], row["agreement"]) == (f"/upload/?{len(body)}", len(body), "equal")


def test_a_recorded_request_is_a_row_too(both: Both) -> None:
    answer = ask(both.page.port, "/ui/send?case=disposition-without-name")
    row = both.row(answer.json["id"])
    assert {run["code"] for run in row["runs"]} == {"name_missing"}


def test_a_request_is_sent_again_byte_for_byte(both: Both) -> None:
    first = send(both.page.port, b"again=1", Content_Type=_FORM, Wireproof_To="socket").json["id"]
    again = both.replay(first, to=["gunicorn", "socket"])
    assert [(run["backend"], run["status"]) for run in again.runs] == [("gunicorn", 200), ("socket", 200)]
    assert again.json["agreement"] == "equal"
    sent = both.row(again.json["id"])
    assert sent["bytes"] == both.row(first)["bytes"]
    assert [run["backend"] for run in both.replay(first).runs] == ["socket", "gunicorn"]


def test_what_is_cut_or_redacted_or_gone_is_not_sent_again(both: Both) -> None:
    long = send(both.page.port, LARGE, Wireproof_To="socket").json["id"]
    secret = send(
        both.page.port, b"x", Wireproof_To="socket", Wireproof_Fields='[["Cookie","a=secret"]]'
    ).json["id"]
    refused = both.replay(long)
    assert (refused.status, refused.code) == (400, "bad_value")
    assert "the history keeps" in refused.json["detail"]
    refused = both.replay(secret)
    assert (refused.status, refused.code) == (400, "bad_value")
    assert "credentials" in refused.json["detail"]
    assert both.replay(10**14).code == "not_found"


def test_a_replay_takes_names_of_servers_of_the_page_only(both: Both) -> None:
    number = send(both.page.port, b"a=2", Content_Type=_FORM, Wireproof_To="socket").json["id"]
    for to in (["nobody"], [], "socket", [1], [both.page.url], {"a": 1}):
        assert both.replay(number, to=to).code == "bad_value", to
    path = f"/requests/{number}/replay"
    assert ask(both.page.port, path).code == "unsupported_media_type"
    evil = {"Content-Type": "application/json", "Origin": "http://evil.example"}
    assert ask(both.page.port, path, b"{}", evil).code == "forbidden_origin"
    evil = {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}
    assert ask(both.page.port, path, b"{}", evil).code == "forbidden_origin"


def test_without_a_history_there_is_no_row_and_no_replay(tmp_path: Any) -> None:
    with start("socket", store=tmp_path / "store", env={"WIREPROOF_HISTORY": "off"}) as backend:
        assert send(backend.port, b"x").json["id"] is None
        answer = ask(backend.port, "/requests/1/replay", b"{}", {"Content-Type": "application/json"})
        assert (answer.status, answer.code) == (404, "not_found")


def test_the_page_is_told_its_servers_and_which_of_them_respond(both: Both, tmp_path: Any) -> None:
    state = ask(both.page.port, "/ui/server", method="GET").json
    assert state["backends"] == [
        {"name": name, "url": peer.url, "up": True, "wire": True} for name, peer in both.peers.items()
    ]
    assert state["cases"] > 2500
    peers = f"socket={both.page.url},down=http://127.0.0.1:{free_port()}"
    with start("gunicorn", store=tmp_path / "store", env={"WIREPROOF_PEERS": peers}) as backend:
        backends = ask(backend.port, "/ui/server", method="GET").json["backends"]
        assert [(one["name"], one["up"]) for one in backends] == [("socket", True), ("down", False)]


def test_the_command_replays_to_the_servers_of_the_page(both: Both) -> None:
    number = send(both.page.port, b"cli=1", Content_Type=_FORM, Wireproof_To="socket").json["id"]
    command = [sys.executable, "-m", "clients", "replay", str(number), "--from", both.page.url]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.endswith(" bytes, POST /upload/ HTTP/1.1\n  socket    200\n  gunicorn  200\n  equal\n")
    assert done.returncode == 0
