"""The last requests of a store, in SQLite: shared by all processes of all servers that use the store."""

import math
import os
import sqlite3
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..contract.capture import Capture
from ..contract.limits import Limits
from .change_feed import ChangeFeed, event
from .explained import STRIP, Explained, explain_row
from .history_database import Database
from .history_log import HistoryLog
from .history_rows import SMALL, Worked, list_row, rough_strip, runs_of, whole_row, work_out
from .history_writer import HistoryWriter
from .recorder import Recorder

DEFAULT = 500
"""So many requests are kept unless the setting says otherwise."""

MOST_MISSED = 50
_MOST_WORKED = 600
# To parse a request again for its strip takes longer than to serve it. So much of a core may be used for that
# in the long run, and so many seconds at once.
_SHARE_FOR_STRIPS = 0.005
_MOST_FOR_STRIPS = 0.1
_MINIMAP = 1000

_ONLY = {
    "all": "1",
    "forms": "kind IN ('form', 'multipart')",
    "refused": "is_refused",
    "differ": "agreement = 'different'",
}
_COUNTS = (
    "SELECT count(*) AS total, total(agreement = 'equal') AS equal,"
    " total(agreement = 'different') AS different,"
    " total(runs = 1) AS one, total(is_refused) AS refused,"
    " total(kind IN ('form', 'multipart')) AS forms FROM (SELECT * FROM requests ORDER BY id DESC LIMIT ?)"
)


class Page(NamedTuple):
    """What a list is asked for. `q` must stand in the target, the method, the agent, the kind or a status."""

    before: int | None
    limit: int
    q: str
    only: str


class _TimeForStrips:
    """How long requests may be parsed again now. What is not used now is there later, up to a limit."""

    def __init__(self) -> None:
        self._left = _MOST_FOR_STRIPS
        self._at = time.monotonic()

    def until(self) -> float:
        """The end of the time that there is now, on the monotonic clock."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * _SHARE_FOR_STRIPS, _MOST_FOR_STRIPS)
        self._at = now
        return now + self._left

    def spend(self, seconds: float) -> None:
        """So much of it was used."""
        self._left -= seconds


class History:
    """The history in `folder`, of at most `most` requests.

    With `loopback_only` it is for requests that arrive at a loopback address.
    """

    def __init__(self, folder: Path, most: int, *, loopback_only: bool = False) -> None:
        self.folder = folder
        self.most = most
        self.loopback_only = loopback_only
        self.stopping = threading.Event()
        self._log = HistoryLog(Database(folder), most)
        self.writer = HistoryWriter(self._log, most)
        self._reading = threading.Lock()
        self._database = Database(folder)
        self.feed = ChangeFeed(self)
        self._worked: OrderedDict[tuple[int, int], Worked] = OrderedDict()
        self._time_for_strips = _TimeForStrips()

    def open(self) -> None:
        """Make the database, and close it: a child process must not get a connection. Raises Busy, Failed."""
        with self._reading:
            with self._database.connection():
                pass
            self._database.close()

    def capture(self, backend: str, *, wire: bool) -> Capture:
        """The capture of a new connection to this backend. `wire`: it sees the bytes of its requests."""
        return Recorder(self.writer, backend, wire=wire)

    def forget(self) -> None:
        """Begin anew in a child process: it has no threads, and must not use a connection of its parent."""
        self._reading = threading.Lock()
        self._database.forget()
        self._log.forget()
        self.writer.forget()
        self.feed.forget()

    def drain(self) -> None:
        """Wait a short time until what is recorded is written. Call it before the process ends."""
        self.writer.drain()

    def stop(self) -> None:
        """The process stops: streams of events end, so that nothing waits for them."""
        self.stopping.set()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading. Raises Busy and Failed. It may wait for the disk."""
        with self._reading, self._database.connection() as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    def state(self) -> dict[str, Any]:
        """How many requests are not in the history, and why, if something is wrong with it now."""
        writer = self.writer
        with self.reading() as connection:
            lost = connection.execute("SELECT lost FROM counters").fetchone()["lost"]
        return {"lost": lost + writer.lost, "error": writer.error}

    def page(self, page: Page, limits: Limits) -> dict[str, Any]:
        """The rows of a list, the newest first, and how many there are of each kind."""
        with self.reading() as connection:
            counts = dict(connection.execute(_COUNTS, (self.most,)).fetchone())
            where, values = _condition(page)
            rows = connection.execute(
                f"SELECT {SMALL} FROM requests WHERE {where} ORDER BY id DESC LIMIT ?",
                (*values, min(page.limit, self.most)),
            ).fetchall()
            runs = runs_of(connection, [row["id"] for row in rows])
        total = counts.pop("total")
        return {
            "total": total,
            "counts": {name: int(count) for name, count in counts.items()},
            **self.state(),
            "requests": self.rows(rows, runs, limits),
        }

    def missed(self, last: int | None, limits: Limits) -> tuple[int, int, list[bytes]]:
        """The number of the last change, the newest id, and the events since the change `last`.

        They are at most 50; of more it is only said how many.
        """
        with self.reading() as connection:
            counters = connection.execute("SELECT * FROM counters").fetchone()
            change, gone = counters["change"], counters["gone"]
            newest = connection.execute("SELECT max(id) AS newest FROM requests").fetchone()["newest"] or 0
            if last is None or last == change:
                return change, newest, []
            if last > change:  # the database was replaced by a new one
                return change, newest, [event("gone", {"before": 2**53 - 1}, change)]
            rows = connection.execute(
                f"SELECT {SMALL} FROM requests WHERE change > ? ORDER BY change LIMIT ?",
                (last, MOST_MISSED + 1),
            ).fetchall()
            runs = runs_of(connection, [row["id"] for row in rows])
            missed = "SELECT count(*) AS new FROM requests WHERE change > ?"
            new = connection.execute(missed, (last,)).fetchone()["new"]
        gone_change = counters["gone_change"]
        events = [event("gone", {"before": gone}, gone_change)] if gone_change > last else []
        if new > MOST_MISSED:
            return change, newest, [*events, event("count", {"new": new, "newest": newest}, change)]
        shown = zip(self.rows(rows, runs, limits), rows, strict=True)
        events += [event("request", value, row["change"]) for value, row in shown]
        return change, newest, events

    def rows(
        self, rows: list[sqlite3.Row], runs: dict[int, list[sqlite3.Row]], limits: Limits
    ) -> list[dict[str, Any]]:
        """Rows of the list. When parsing them again takes too long, some get only a rough strip."""
        begin, until = time.monotonic(), self._time_for_strips.until()
        listed = [self.row(row, runs[row["id"]], limits, until=until) for row in rows]
        self._time_for_strips.spend(time.monotonic() - begin)
        return listed

    def row(
        self, row: sqlite3.Row, runs: list[sqlite3.Row], limits: Limits, *, until: float = math.inf
    ) -> dict[str, Any]:
        """A row of the list, with its strip: a rough one if the time is over that we have for it."""
        key = row["id"], row["change"]
        worked = self._worked.get(key)
        if worked is None and time.monotonic() > until:
            worked = Worked(None, (), rough_strip(row), None)
        elif worked is None:
            found = self.find(row["id"])
            if found is None:
                return list_row(row, runs, Worked(None, (), [], None))
            worked = self._worked[key] = work_out(*found, explain_row(*found, limits), STRIP)
            while len(self._worked) > _MOST_WORKED:
                self._worked.popitem(last=False)
        return list_row(row, runs, worked)

    def _explained(self, number: int, limits: Limits) -> Explained | None:
        found = self.find(number)
        return None if found is None else explain_row(*found, limits)

    def find(self, number: int) -> tuple[sqlite3.Row, list[sqlite3.Row]] | None:
        """Everything that is kept of a request and of its runs, or None if it is not there."""
        with self.reading() as connection:
            row = connection.execute("SELECT * FROM requests WHERE id = ?", (number,)).fetchone()
            return row and (row, runs_of(connection, [number], whole=True)[number])

    def request(self, number: int, limits: Limits) -> dict[str, Any] | None:
        """One request, or None if it is not in the history (any more)."""
        found = self.find(number)
        if found is None:
            return None
        explained = explain_row(*found, limits)
        return whole_row(*found, work_out(*found, explained, _MINIMAP), explained)

    def spans(self, number: int, limits: Limits) -> Explained | None:
        """The spans of one request, or None if it is not in the history."""
        return self._explained(number, limits)


def _condition(page: Page) -> tuple[str, list[Any]]:
    conditions, values = [_ONLY[page.only]], list[Any]()
    if page.before is not None:
        conditions.append("id < ?")
        values.append(page.before)
    if page.q:
        text = page.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in ("method", "target", "agent", "kind"))
        in_run = (
            "EXISTS (SELECT 1 FROM runs WHERE runs.id BETWEEN requests.id * 8 AND requests.id * 8 + 7"
            " AND (code LIKE ? ESCAPE '\\' OR status LIKE ? ESCAPE '\\'))"
        )
        conditions.append(f"({like} OR {in_run})")
        values += [f"%{text}%"] * 6
    return " AND ".join(conditions), values


@cache
def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="wireproof-history-", ignore_cleanup_errors=True)


@cache
def open_history(store: Path | None, most: int, *, loopback_only: bool = False) -> History:
    """The history beside the folder of a store, or of a store in memory. A process opens it once.

    Raises Failed if it cannot be made.
    """
    folder = Path(_temporary_folder().name) if store is None else store.with_name(store.name + ".history")
    history = History(folder, most, loopback_only=loopback_only)
    history.open()
    os.register_at_fork(after_in_child=history.forget)
    return history
