"""Who listens to the changes of a history gets each of them once, whenever it is made."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from servers.contract.access import AccessRules
from servers.contract.request import ParsedRequest
from servers.contract.responses import EventStream
from servers.contract.route import Context
from servers.routes.request_events import request_events
from servers.sansio.connection import HeadReceived, RequestReader
from servers.storage.memory import MemoryStore
from servers.web.history import History
from tests.patience import eventually
from tests.web.recording import LIMITS, record, write


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "store.history", 500)
    made.open()
    yield made
    made.stop()


def _add(history: History, target: str) -> None:
    write(history, record(history, [f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()]))


def _request(last: str | None) -> ParsedRequest:
    more = "" if last is None else f"Last-Event-ID: {last}\r\n"
    reader = RequestReader(LIMITS)
    reader.feed(f"GET /requests/events HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode())
    event = reader.next_event()
    assert isinstance(event, HeadReceived)
    return ParsedRequest(event.head, {"kind": "empty"})  # type: ignore[arg-type]


class _Listener:
    """Takes the events of the route in this process."""

    def __init__(self, history: History, last: str | None = None) -> None:
        context = Context(LIMITS, AccessRules(), MemoryStore(), history=history)
        response = request_events(_request(last), context)
        assert isinstance(response.body, EventStream)
        self.events = response.body.events
        self.shown: list[str] = []
        self.last = last
        self._take()

    def targets(self, count: int) -> list[str]:
        """The targets of all requests that were shown, when there are so many and none follows."""
        assert eventually(lambda: self._take() and len(self.shown) >= count, 10), self.shown
        for _ in range(5):  # what comes twice comes at once
            self._take()
        return self.shown

    def _take(self) -> bool:
        for block in next(self.events).data.split(b"\n\n"):
            lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if lines.get(b"event") == b"request":
                value: dict[str, Any] = json.loads(lines[b"data"])
                self.shown.append(value["target"])
                self.last = lines[b"id"].decode()
        return True


def _looked(history: History, before: int) -> Callable[[], bool]:
    return lambda: history.feed.position > before


@pytest.mark.parametrize("look", ["before", "behind"])
@pytest.mark.parametrize("resumes", [False, True])
def test_a_change_at_the_moment_of_subscribing_comes_once(
    history: History, monkeypatch: pytest.MonkeyPatch, look: str, resumes: bool
) -> None:
    """The change is made while the listener subscribes: before the database is read for it, or behind."""
    reading = history.missed

    def missed(*arguments: Any) -> Any:
        position = history.feed.position
        found = None if look == "before" else reading(*arguments)
        _add(history, "/2")
        assert eventually(_looked(history, position), 10)
        return found or reading(*arguments)

    first = _Listener(history)
    _add(history, "/1")
    assert first.targets(1) == ["/1"]
    with monkeypatch.context() as patched, closing(first.events):
        patched.setattr(history, "missed", missed)
        second = _Listener(history, first.last if resumes else None)
    with closing(second.events):
        _add(history, "/3")
        # Who does not resume knows what the list says, which the page reads after it has subscribed.
        before = [] if look == "before" and not resumes else ["/2"]
        assert second.targets(len(before) + 1) == [*before, "/3"]


def test_the_changes_of_a_new_database_come_although_their_numbers_are_small(
    history: History, tmp_path: Path
) -> None:
    listener = _Listener(history)
    with closing(listener.events):
        for number in range(5):
            _add(history, f"/{number}")
        listener.targets(5)
        for path in (tmp_path / "store.history").iterdir():
            path.unlink()
        _add(history, "/new")
        assert listener.targets(6)[5:] == ["/new"]
