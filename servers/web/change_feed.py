"""What changes in the history, as Server-Sent Events for all who listen to this process.

One thread looks at the database while somebody listens, about ten times a second, or three times while so
many requests come that they are only counted. Nobody else waits for the disk: listeners take what the thread
has made from memory.
"""

import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ..contract.limits import Limits
from .history_rows import SMALL, runs_of
from .history_writer import Busy, Failed

if TYPE_CHECKING:
    from .history import History

LOOK_SECONDS = 0.1
_COUNT_SECONDS = 0.3
MOST_LISTENERS = 16

_ROWS_A_SECOND = 50
_MOST_AT_ONCE = 10
_KEPT = 2000
_MOST_LOOKED_AT = 100
# How many have changed is asked for first: Python's lock is handed over for each row that is fetched.
_HOW_MANY = "SELECT count(*) FROM (SELECT 1 FROM requests WHERE change > ? LIMIT ?)"
_ARRIVING = "SELECT id FROM requests WHERE change > ? AND seen IS NOT NULL LIMIT ?"
_ALL_ARRIVING = "SELECT id FROM requests WHERE seen IS NOT NULL"
_ROWS = f"SELECT {SMALL} FROM requests WHERE change > ? ORDER BY change LIMIT ?"
_ALL_GONE = 2**53 - 1  # the largest id that JavaScript can count
_REPLACED = 0  # the number of the event that says so: changes begin at 1


class ChangeFeed:
    """The events of one history in this process. `position` counts them."""

    def __init__(self, history: "History") -> None:
        self._history = history
        self.forget()

    def forget(self) -> None:
        """Begin anew. Call it in a child process: it has not got the thread."""
        self._lock = threading.Lock()
        self._listeners = 0
        self._thread: threading.Thread | None = None
        self._events: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)
        self.position = 0
        self._change = 0
        self._newest = 0
        self._arriving: set[int] = set()
        self._allowance = float(_MOST_AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether too many listen already."""
        return self._listeners >= MOST_LISTENERS

    def listen(self, change: int, newest: int, limits: Limits) -> None:
        """One more listens, who knows everything up to this change and this id."""
        with self._lock:
            self._listeners += 1
            if self._thread is None or not self._thread.is_alive():
                self._change, self._newest = change, newest
                self._thread = threading.Thread(target=self._run, args=(limits,), name="changes", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """One listens no more."""
        with self._lock:
            self._listeners -= 1

    def since(self, position: int, known: int) -> tuple[bytes, int, int]:
        """The events behind this position, without those of the changes up to `known`.

        Returns them with the new position and the new `known`: 0 after the database was replaced, whose
        changes are counted anew. Who is too slow misses some.
        """
        with self._lock:
            missing = min(self.position - position, len(self._events))
            events = list(self._events)[len(self._events) - missing :] if missing else []
            position = self.position
        new = []
        for change, data in events:
            if change == _REPLACED:
                known = 0
            if change > known or change == _REPLACED:
                new.append(data)
        return b"".join(new), position, known

    def _run(self, limits: Limits) -> None:
        while True:
            with self._lock:
                if not self._listeners or self._history.stopping.is_set():
                    self._thread = None
                    return
            pause = LOOK_SECONDS
            try:
                if self._look(limits):
                    pause = _COUNT_SECONDS
            except (Busy, Failed):
                time.sleep(1)
            time.sleep(pause)
            self._allowance = min(self._allowance + _ROWS_A_SECOND * pause, _MOST_AT_ONCE)

    def _look(self, limits: Limits) -> bool:
        """Make the events of what has changed. Returns whether requests were only counted."""
        with self._history.reading() as connection:
            counters = connection.execute("SELECT * FROM counters").fetchone()
            if counters["change"] == self._change:
                return False
            events: list[tuple[int, bytes]] = []
            if counters["change"] < self._change:  # the database was replaced by a new one
                events.append((_REPLACED, event("gone", {"before": _ALL_GONE}, _REPLACED)))
                self._change = self._newest = 0
            if counters["gone_change"] > self._change:
                gone = event("gone", {"before": counters["gone"]}, counters["gone_change"])
                events.append((counters["gone_change"], gone))
            since = self._change, _MOST_LOOKED_AT
            (changed,) = connection.execute(_HOW_MANY, since).fetchone()
            arriving = {row["id"] for row in connection.execute(_ARRIVING, since)}
            whole = changed - len(arriving & self._arriving)
            is_counted: bool = whole > self._allowance or changed == _MOST_LOOKED_AT
            rows, runs = [], {}
            if not is_counted:
                rows = connection.execute(_ROWS, (self._change, changed)).fetchall()
                runs = runs_of(connection, [row["id"] for row in rows])
            known = arriving | self._arriving
            if known:
                known &= {row["id"] for row in connection.execute(_ALL_ARRIVING)}
        if is_counted:
            last = counters["change"]
            events.append((last, self._count(last)))
        else:
            self._allowance -= whole
            events += [(row["change"], self._event(row, runs[row["id"]], limits)) for row in rows]
            last = rows[-1]["change"] if rows else counters["change"]
            self._newest = max([self._newest, *(row["id"] for row in rows)])
        self._arriving = known
        self._change = max(last, counters["gone_change"])
        with self._lock:
            self._events.extend(events)
            self.position += len(events)
        return is_counted

    def _is_progress(self, row: Any) -> bool:
        return row["seen"] is not None and row["id"] in self._arriving

    def _event(self, row: Any, runs: list[Any], limits: Limits) -> bytes:
        if self._is_progress(row):
            value = {"id": row["id"], "received": row["received"], "rate": round(row["rate"] or 0)}
            return event("progress", value, row["change"])
        (value,) = self._history.rows([row], {row["id"]: runs}, limits)
        return event("request", value, row["change"])

    def _count(self, change: int) -> bytes:
        """How many are new, when they are too many to be shown one by one."""
        with self._history.reading() as connection:
            newest = connection.execute("SELECT max(id) AS newest FROM requests").fetchone()["newest"] or 0
        new, self._newest = max(newest - self._newest, 0), max(newest, self._newest)
        return event("count", {"new": new, "newest": newest}, change)


def event(name: str, value: Any, number: int | None = None) -> bytes:
    """One event. It is ASCII, as all JSON of this server."""
    data = json.dumps(value, separators=(",", ":"))
    identity = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{identity}data: {data}\n\n".encode("ascii")
