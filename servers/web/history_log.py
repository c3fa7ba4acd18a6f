"""Writes requests to the database, and keeps it small."""

import sqlite3
import time

from .history_batch import OVER, Batch
from .history_database import MOST_RUNS, Database
from .history_writer import Missing
from .run import Arriving, Run
from .run_columns import columns_of

MOST_BYTES = 64 * 1024 * 1024
"""At most about so many bytes are in the history."""

MOST_SECONDS = 24 * 3600
"""A request stays in the history for so long at most."""

MOST_ARRIVING = 100
_PRUNE_SECONDS = 1.0
# A request that arrives is looked at more often than this; else its server has gone.
_SILENT_SECONDS = 10.0
_ANNOUNCE_SECONDS = 5.0
# One statement, because Python's lock is handed over for each row that is fetched.
_NEWEST_TO_REMOVE = (
    "SELECT max(id) FROM (SELECT id, at, count(*) OVER newer AS count, sum(weight) OVER newer AS weight"
    " FROM requests WINDOW newer AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING))"
    " WHERE count > ? OR weight > ? OR at < ?"
)


class HistoryLog:
    """The `Target` of the writer's thread. It keeps the last `most` requests."""

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most
        self._next_prune = 0.0
        self._announced: dict[str, float] = {}

    def forget(self) -> None:
        """Drop the connection. Call it in a process that was forked."""
        self._database.forget()

    def write(self, runs: list[Run], arriving: list[Arriving], missing: Missing) -> None:
        """Write these requests in one transaction. Raises Busy and Failed."""
        now = time.time()
        rows = [(run, columns_of(run)) for run in runs]
        with self._database.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            batch = Batch(connection, now)
            batch.skip(missing.skipped)
            self._announce(connection, batch, {run.backend for run in runs}, now)
            for run, columns in rows:
                if run.row is not None:
                    batch.finish(run, columns)
                elif not (batch.has_others and batch.join(columns)):
                    batch.insert(run, columns)
            if arriving:
                batch.note_arriving(arriving[:MOST_ARRIVING])
            if now >= self._next_prune:
                batch.flush()
                self._prune(connection, batch, now)
            batch.flush(missing.lost)
            connection.execute("COMMIT")
        for arriver, row in batch.new_rows:
            arriver.run.row = row

    def _announce(self, connection: sqlite3.Connection, batch: Batch, ours: set[str], now: float) -> None:
        """Tell the other servers that these backends are here."""
        for name in ours:
            if now - self._announced.get(name, 0.0) > _ANNOUNCE_SECONDS:
                connection.execute("INSERT OR REPLACE INTO backends VALUES (?, ?)", (name, now))
                self._announced[name] = now
        batch.has_others = len(ours) > 1 or not batch.backends <= ours

    def _prune(self, connection: sqlite3.Connection, batch: Batch, now: float) -> None:
        """Remove what is too old or too much, and end what no server shows as arriving any more."""
        self._next_prune = now + _PRUNE_SECONDS
        limits = self._most, MOST_BYTES, now - MOST_SECONDS
        (last,) = connection.execute(_NEWEST_TO_REMOVE, limits).fetchone()
        if last is not None:
            connection.execute("DELETE FROM requests WHERE id <= ?", (last,))
            connection.execute("DELETE FROM runs WHERE id < ?", ((last + 1) * MOST_RUNS,))
            gone = "UPDATE counters SET gone = ?, gone_change = ?"
            connection.execute(gone, (last + 1, batch.next_change()))
        silent = "SELECT id FROM requests WHERE seen IS NOT NULL AND seen < ?"
        for (number,) in connection.execute(silent, (now - _SILENT_SECONDS,)).fetchall():
            over = f"UPDATE requests SET change = ?, {OVER} WHERE id = ?"
            connection.execute(over, (batch.next_change(), number))
