"""The table of transitions in phase.py is complete and true, for connections of many kinds."""

import json
import re

import pytest

from servers.socket_server import connection, phase
from servers.socket_server.phase import Phase
from servers.socket_server.waiting import Waiting
from tests.socket_server.client import get, request
from tests.socket_server.worker_thread import serving

Transition = tuple[Phase, Phase]


def _table() -> set[Transition]:
    """The transitions that the docstring lists, without those to CLOSED, which any phase has."""
    rows = re.findall(r"^    ([A-Z]+(?:, [A-Z]+)*) +([A-Z]+) ", phase.__doc__ or "", re.MULTILINE)
    return {(Phase[before], Phase[after]) for befores, after in rows for before in befores.split(", ")}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[Transition]:
    """The transitions of all connections."""
    found: set[Transition] = set()

    def change(waiting: Waiting, after: Phase) -> None:
        before = waiting.__dict__.get("phase", after)
        if before is not after:
            found.add((before, after))
        waiting.__dict__["phase"] = after

    recorded = property(lambda waiting: waiting.__dict__["phase"], change)
    monkeypatch.setattr(Waiting, "phase", recorded, raising=False)
    return found


def test_connections_move_as_the_table_says(seen: set[Transition]) -> None:
    stream = json.dumps({"query": "abc", "delay": 0.01}).encode()
    with serving() as worker, worker.client() as client:
        client.send(get()).response()
        client.forget().send(get() * 100).responses(100)
        # The turn ends in the middle of the last request: a request without a body is two events.
        client.forget().send(get() * (connection._EVENTS_A_TURN // 2 - 1) + request("POST", "/", body=b"x"))
        client.responses(connection._EVENTS_A_TURN // 2)
        assert client.forget().send(get()[:-3]).is_silent(0.1)
        client.send(get()[-3:]).response()
        client.forget().send(request("PUT", "/upload/f", body=bytes(8 * 1024 * 1024)))
        href = client.response().json()["files"][0]["href"]
        client.forget().send(get(href)).response()
        client.forget().send(request("POST", "/", length=400_000)).send(bytes(400_000)).response()
        client.forget().send(request("POST", "/stream_echo", "Content-Type: application/json", body=stream))
        client.response(b"POST")
    with serving(head_timeout=1) as worker:
        for sent in (b"GET\r\n\r\n", get()[:-2], request("POST", "/upload/", length=5)[:-2]):
            with worker.client() as client:
                client.send(sent).until_closed()
    closed = {(before, after) for before, after in seen if after is Phase.CLOSED}
    assert seen - closed == _table()
