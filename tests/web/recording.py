"""Records requests in this process as the socket server does, and reads the history as the page does."""

import json
import time
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from typing import Any

import requests

from clients.launch import RunningBackend
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request_log import RequestLog
from servers.contract.responses import Response, json_response, problem_response
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.sansio.stream import NEED_DATA
from servers.web.history import History, Page
from servers.web.history_writer import Missing
from servers.web.run import Run
from tests.connections import connect, receive_all
from tests.patience import eventually, patient

LIMITS = Limits()
_ANSWER: dict[str, Any] = {
    "body": {"kind": "multipart"},
    "headers": [],
    "cookies": [],
    "auth": None,
    "host": "h",
}


class KeepingWriter:
    """Keeps the runs that a recorder would have written, of the requests that are `wanted`: one by one."""

    def __init__(self, wanted: Iterable[bool]) -> None:
        self.runs: list[Run] = []
        self.skipped = 0
        self._wanted = iter(wanted)

    def put(self, run: Run) -> None:
        """A request is over."""
        self.runs.append(run)

    def wants_next(self) -> bool:
        """Whether the request that begins now is to be noted."""
        return next(self._wanted)

    def skip(self) -> None:
        """A request is over that was not noted."""
        self.skipped += 1

    def watch(self, _arriving: object) -> None:
        """A request begins to arrive."""

    def unwatch(self, _arriving: object) -> None:
        """It is over."""


def record(
    history: History, pieces: Iterable[bytes], *, backend: str = "socket", response: Response | None = None
) -> list[Run]:
    """The runs of the requests on one connection, which are not written yet. All get the same response."""
    keeping = KeepingWriter(repeat(True))
    record_into(keeping, history, pieces, backend=backend, response=response)
    return keeping.runs


def record_into(
    keeping: KeepingWriter,
    history: History,
    pieces: Iterable[bytes],
    *,
    backend: str = "socket",
    response: Response | None = None,
) -> None:
    """Record the requests on one connection that `keeping` wants."""
    writer = history.writer
    history.writer = keeping  # type: ignore[assignment]
    capture = history.capture(backend, wire=True)
    history.writer = writer
    log_record = RequestLog(quiet=True).record(None, capture)
    reader = RequestReader(LIMITS)
    answer = response or json_response(_ANSWER)
    try:
        for piece in pieces:
            capture.read(len(piece))
            capture.feed(piece)
            log_record.begin()
            reader.feed(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, HeadReceived):
                    log_record.begin(event.head.method, event.head.target)
                    capture.head_complete(event.head, reader.buffered)
                elif isinstance(event, BodyReceived):
                    capture.body(event.data)
                elif isinstance(event, BodyComplete):
                    capture.complete(reader.buffered)
                    log_record.respond(answer)
                    log_record.end()
    except Problem as problem:
        if capture._run.head is None:  # type: ignore[attr-defined]
            log_record.begin(*reader.request_line)
        log_record.respond(problem_response(problem))
        log_record.end()


def write(history: History, runs: list[Run]) -> None:
    """Write these runs now, in one transaction."""
    history._log.write(runs, [], Missing(0, 0))


def rows(history: History, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of the list, the newest first."""
    page = Page(
        wanted.get("before"), wanted.get("limit", 500), wanted.get("q", ""), wanted.get("only", "all")
    )
    found: list[dict[str, Any]] = history.page(page, LIMITS)["requests"]
    return found


def files_of(folder: Path) -> bytes:
    """All bytes of all files of a database."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def get(backend: RunningBackend, path: str, **fields: str) -> Any:
    """The JSON that a route answers with."""
    response = requests.get(backend.url + path, headers=fields, timeout=20)
    assert response.status_code == 200, response.text
    return response.json()


def listed(backend: RunningBackend, count: int) -> list[dict[str, Any]]:
    """The rows of the history when there are so many."""
    found: list[dict[str, Any]] = []

    def are_there() -> bool:
        found[:] = get(backend, "/requests/?limit=500")["requests"]
        return len(found) >= count and all(row["arriving"] is None for row in found)

    assert eventually(are_there), f"{len(found)} of {count} requests are in the history"
    assert len(found) == count
    return found


def send(backend: RunningBackend, data: bytes) -> int:
    """The status of the response to these bytes; the connection is closed."""
    answer = receive_all(connect(backend, data))
    return int(answer[9:12])


class Listening:
    """A client of `/requests/events`, from the next event on or from the one behind `last`."""

    def __init__(self, backend: RunningBackend, last: str | None = None) -> None:
        more = "" if last is None else f"Last-Event-ID: {last}\r\n"
        head = f"GET /requests/events HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"
        self._connection = connect(backend, head.encode())
        self._buffer = b""
        self._events: list[tuple[str, Any, str | None]] = []
        self.next("servers")

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def next(self, *names: str) -> tuple[str, Any, str | None]:
        """The next event of one of these names: name, data and id."""
        deadline = time.monotonic() + patient(20)
        while True:
            while self._events:
                found = self._events.pop(0)
                if found[0] in names:
                    return found
            assert time.monotonic() < deadline, f"there was no {names}"
            self._receive()

    def _receive(self) -> None:
        data = self._connection.recv(65536)
        assert data, "the stream has ended"
        *blocks, self._buffer = (self._buffer + data).split(b"\n\n")
        for block in blocks:
            lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"event" in lines:
                number = lines.get(b"id")
                value = json.loads(lines[b"data"])
                self._events.append((lines[b"event"].decode(), value, number.decode() if number else None))
