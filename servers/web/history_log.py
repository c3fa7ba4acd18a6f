"""Writes requests to the database: one upload that several backends got within a minute becomes one row."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from .agreement import Answer, agree
from .digests import without_host
from .history_database import Database
from .run import Arriving, Run
from .run_columns import KeptRequest, KeptRun, columns_of

MOST_BYTES = 64 * 1024 * 1024
"""At most about so many bytes are in the history."""

MOST_SECONDS = 24 * 3600
"""A request stays in the history for so long at most."""

PAIR_SECONDS = 60
"""Within this time equal requests to two backends are one upload."""

MOST_RUNS = 8
MOST_ARRIVING = 100
_PRUNE_SECONDS = 1.0
# A request that arrives is looked at more often than this; else its server has gone.
_SILENT_SECONDS = 10.0

_REQUEST = KeptRequest._fields
_RUN = KeptRun._fields
_INSERT_REQUEST = (
    f"INSERT INTO requests (id, change, at, runs, {', '.join(_REQUEST)})"
    f" VALUES (?, ?, ?, 1{', ?' * len(_REQUEST)})"
)
_INSERT_RUN = f"INSERT OR REPLACE INTO runs (id, {', '.join(_RUN)}) VALUES (?{', ?' * len(_RUN)})"
_OVER = "expected = NULL, received = NULL, rate = NULL, seen = NULL"


class HistoryLog:
    """The `Target` of the writer's thread. It keeps the last `most` requests."""

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most
        self._next_prune = 0.0
        self._announced: dict[str, float] = {}

    def write(self, runs: list[Run], arriving: list[Arriving], lost: int) -> None:
        """Write these requests in one transaction. Raises Busy and Failed."""
        now = time.time()
        rows = [(run, *columns_of(run)) for run in runs]
        with self._database.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            batch = _Batch(connection, now)
            others = self._other_backends(connection, {run.backend for run in runs}, now)
            for run, request, kept in rows:
                if run.row is not None:
                    batch.finish(run, request, kept)
                elif not (others and batch.join(run, request, kept)):
                    batch.insert(run, request, kept)
            batch.note_arriving(arriving[:MOST_ARRIVING])
            batch.flush(lost)
            if now >= self._next_prune:
                self._prune(connection, batch, now)
            connection.execute("COMMIT")
        for arriver, row in batch.new_rows:
            arriver.run.row = row

    def _other_backends(self, connection: sqlite3.Connection, ours: set[str], now: float) -> bool:
        """Whether another backend may have got one of these requests. Says that these ones are here."""
        for name in ours:
            if now - self._announced.get(name, 0.0) > PAIR_SECONDS / 10:
                connection.execute("INSERT OR REPLACE INTO backends VALUES (?, ?)", (name, now))
                self._announced[name] = now
        since = now - PAIR_SECONDS * 1.2
        names = {name for (name,) in connection.execute("SELECT name FROM backends WHERE seen > ?", (since,))}
        return bool(names - ours) or len(ours) > 1

    def _prune(self, connection: sqlite3.Connection, batch: "_Batch", now: float) -> None:
        """Remove what is too old or too much, and end what no server shows as arriving any more."""
        self._next_prune = now + _PRUNE_SECONDS
        last = 0
        count = weight = 0
        newest = connection.execute("SELECT id, at, weight FROM requests ORDER BY id DESC")
        for number, at, size in newest:
            count, weight = count + 1, weight + size
            if count > self._most or weight > MOST_BYTES or at < now - MOST_SECONDS:
                last = number
                break
        if last:
            connection.execute("DELETE FROM requests WHERE id <= ?", (last,))
            connection.execute("DELETE FROM runs WHERE id < ?", ((last + 1) * MOST_RUNS,))
            batch.note_gone(last + 1)
        silent = "SELECT id FROM requests WHERE seen IS NOT NULL AND seen < ?"
        for (number,) in connection.execute(silent, (now - _SILENT_SECONDS,)).fetchall():
            change = batch.next_change()
            connection.execute(f"UPDATE requests SET change = ?, {_OVER} WHERE id = ?", (change, number))
        batch.save_change()


class _Batch:
    """The requests of one transaction."""

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        self._change: int = connection.execute("SELECT change FROM counters").fetchone()[0]
        found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'requests'").fetchone()
        self._id: int = found[0] if found else 0
        self._requests: list[tuple[Any, ...]] = []
        self._runs: list[tuple[Any, ...]] = []
        self.new_rows: list[tuple[Arriving, int]] = []

    def next_change(self) -> int:
        """The number of one more change."""
        self._change += 1
        return self._change

    def insert(self, run: Run, request: KeptRequest, kept: KeptRun) -> int:
        """A row of its own. Returns its id."""
        self._id += 1
        self._requests.append((self._id, self.next_change(), run.at, *request))
        self._runs.append((self._id * MOST_RUNS, *kept))
        return self._id

    def join(self, run: Run, request: KeptRequest, kept: KeptRun) -> bool:
        """Add the run to the row of the same request to another backend, if there is one."""
        self._insert_waiting()
        for number in self._candidates(run, request):
            runs = self._runs_of(number)
            if len(runs) < MOST_RUNS and kept.backend not in [name for name, _ in runs]:
                self._add(number, request, kept, [answer for _, answer in runs])
                return True
        return False

    def finish(self, run: Run, request: KeptRequest, kept: KeptRun) -> None:
        """A request that was shown while it arrived is over."""
        self._insert_waiting()
        number = run.row
        assert number is not None
        found = self._connection.execute(
            "SELECT runs, digest FROM requests WHERE id = ?", (number,)
        ).fetchone()
        if found is None:  # it was so slow that its row is gone
            self.insert(run, request, kept)
            return
        count, digest = found
        runs = self._runs_of(number)
        position = next((n for n, (name, _) in enumerate(runs) if name == kept.backend), None)
        if position is None or (count > 1 and digest not in (None, request.digest) and request.is_complete):
            self.insert(run, request, kept)  # the other backend got another body
            return
        self._connection.execute(_INSERT_RUN, (number * MOST_RUNS + position, *kept))
        others = [answer for n, (_, answer) in enumerate(runs) if n != position and answer.status is not None]
        self._update(number, request, count, _agreement(kept, others))
        alone = others == [] and count > 1
        if not alone:
            self._connection.execute(f"UPDATE requests SET {_OVER} WHERE id = ?", (number,))

    def _candidates(self, run: Run, request: KeptRequest) -> Iterator[int]:
        """The rows that may be of the same upload, the oldest first."""
        recent = self._now - PAIR_SECONDS
        select = self._connection.execute
        if request.digest is not None and request.is_complete:
            rows = select(
                "SELECT id FROM requests WHERE digest = ? AND at >= ? ORDER BY id", (request.digest, recent)
            )
            yield from [number for (number,) in rows.fetchall()]
        if request.form_digest is not None:
            rows = select(
                "SELECT id FROM requests WHERE form_digest = ? AND at >= ? AND (digest IS NULL OR ? IS NULL)"
                " AND (body_digest = ? OR body_digest IS NULL OR ? IS NULL) ORDER BY id",
                (request.form_digest, recent, request.digest, *[request.body_digest] * 2),
            )
            yield from [number for (number,) in rows.fetchall()]
        if request.head_digest is not None:
            rows = select(
                "SELECT id, kept FROM requests WHERE head_digest = ? AND at >= ?"
                " AND (NOT is_complete OR NOT ?) ORDER BY id",
                (request.head_digest, recent, request.is_complete),
            )
            for number, kept in rows.fetchall():
                if _begin_alike(kept, request.kept):
                    yield number

    def _runs_of(self, number: int) -> list[tuple[str, Answer]]:
        rows = self._connection.execute(
            "SELECT backend, status, content_type, answer_size, answer FROM runs WHERE id >= ? AND id < ?",
            (number * MOST_RUNS, (number + 1) * MOST_RUNS),
        )
        return [(name, Answer(*columns)) for name, *columns in rows.fetchall()]

    def _add(self, number: int, request: KeptRequest, kept: KeptRun, others: list[Answer]) -> None:
        self._connection.execute(_INSERT_RUN, (number * MOST_RUNS + len(others), *kept))
        self._update(number, request, len(others) + 1, _agreement(kept, others))

    def _update(self, number: int, request: KeptRequest, runs: int, agreement: str | None) -> None:
        """Another run of the request is known. The row gets what only this one has seen."""
        execute = self._connection.execute
        execute(
            "UPDATE requests SET change = ?, runs = ?, agreement = ?, is_refused = is_refused OR ?"
            " WHERE id = ?",
            (self.next_change(), runs, agreement, request.is_refused, number),
        )
        total = execute("SELECT total, is_complete, seen FROM requests WHERE id = ?", (number,)).fetchone()
        has_more = request.total is not None and (total[0] is None or request.is_complete > bool(total[1]))
        if has_more or total[2] is not None:
            names = [name for name in _REQUEST if name != "is_refused"]
            values = [value for name, value in zip(_REQUEST, request, strict=True) if name != "is_refused"]
            sets = ", ".join(f"{name} = ?" for name in names)
            execute(f"UPDATE requests SET {sets} WHERE id = ?", (*values, number))

    def note_arriving(self, arriving: list[Arriving]) -> None:
        """Show how much of each of these requests has arrived."""
        for each in arriving:
            run = each.run
            if run.is_over:
                continue
            received = run.size
            seconds = max(time.monotonic() - (each.last_look or each.since), 0.001)
            rate = (received - each.last_size) / seconds
            if run.row is None:
                self._begin_to_arrive(each)
            elif received == each.last_size:
                self._connection.execute("UPDATE requests SET seen = ? WHERE id = ?", (self._now, run.row))
                continue
            row = run.row or self.new_rows[-1][1]
            self._insert_waiting()
            self._connection.execute(
                "UPDATE requests SET change = ?, received = ?, expected = ?, rate = ?, seen = ? WHERE id = ?",
                (self.next_change(), received, run.head and run.head.content_length, rate, self._now, row),
            )
            each.last_size, each.last_look = received, time.monotonic()

    def _begin_to_arrive(self, each: Arriving) -> None:
        shown = each.so_far(self._now)
        request, kept = columns_of(shown)
        request = request._replace(digest=None, body_digest=None, is_complete=False)
        self._insert_waiting()
        for number in self._candidates(shown, request):
            runs = self._runs_of(number)
            arrives = self._connection.execute("SELECT seen FROM requests WHERE id = ?", (number,)).fetchone()
            if arrives[0] is not None and kept.backend not in [name for name, _ in runs]:
                self._connection.execute(_INSERT_RUN, (number * MOST_RUNS + len(runs), *kept))
                self._connection.execute("UPDATE requests SET runs = ? WHERE id = ?", (len(runs) + 1, number))
                break
        else:
            number = self.insert(shown, request, kept)
        self.new_rows.append((each, number))

    def note_gone(self, before: int) -> None:
        """Requests with a lower id are gone."""
        self._connection.execute(
            "UPDATE counters SET gone = ?, gone_change = ?", (before, self.next_change())
        )

    def save_change(self) -> None:
        """Remember the number of the last change."""
        self._connection.execute("UPDATE counters SET change = ?", (self._change,))

    def flush(self, lost: int) -> None:
        """Write what waits."""
        self._insert_waiting()
        self._connection.execute("UPDATE counters SET change = ?, lost = lost + ?", (self._change, lost))

    def _insert_waiting(self) -> None:
        if self._requests:
            self._connection.executemany(_INSERT_REQUEST, self._requests)
            self._requests = []
        if self._runs:
            self._connection.executemany(_INSERT_RUN, self._runs)
            self._runs = []


def _begin_alike(one: bytes | None, other: bytes | None) -> bool:
    """Whether the requests are the same as far as both are kept."""
    if one is None or other is None:
        return False
    one, other = without_host(one), without_host(other)
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def _agreement(kept: KeptRun, others: list[Answer]) -> str | None:
    if not others:
        return None
    return "equal" if all(agree(answer, kept.compared) for answer in others) else "different"
