"""The requests of one transaction: which are rows of their own, and which belong to rows that are there."""

import sqlite3
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

from .agreement import Answer, agree
from .history_database import MOST_RUNS
from .run import Arriving, Run
from .run_columns import REQUEST, RUN, Columns, columns_of
from .same_request import begin_alike, form_of_bytes

PAIR_SECONDS = 60
"""Within this time equal requests to two backends are one upload."""

OVER = "expected = NULL, received = NULL, rate = NULL, seen = NULL"
"""Sets the columns of a request that arrives no more."""

# So many rows are looked at for the other half of a request that was refused before its end.
_MOST_LOOKS = 50
_STATE = (
    "SELECT change, (SELECT seq FROM sqlite_sequence WHERE name = 'requests'),"
    " (SELECT group_concat(name) FROM backends WHERE seen > ?) FROM counters"
)
_INTO_REQUESTS = f"INSERT INTO requests (id, change, at, runs, {', '.join(REQUEST)}) VALUES "
_A_REQUEST = f"(?, ?, ?, 1{', ?' * len(REQUEST)})"
_INTO_RUNS = f"INSERT OR REPLACE INTO runs (id, {', '.join(RUN)}) VALUES "
_A_RUN = f"(?{', ?' * len(RUN)})"
# Python's lock is handed over for each statement, which disturbs the threads that serve. So a statement
# inserts many rows. It has a power of two of them, so that there are few statements to be compiled.
_MOST_ROWS = 32
# What another backend's run of a request may tell first: all but whether it was refused.
_TOLD = tuple(name for name in REQUEST if name != "is_refused")
_UPDATE_REQUEST = f"UPDATE requests SET {', '.join(f'{name} = ?' for name in _TOLD)} WHERE id = ?"


class Batch:
    """One transaction, which has begun. `backends` were here in the last minute, for this store.

    `new_rows` are the rows of requests that began to arrive.
    """

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        self._change: int
        self._change, newest, names = connection.execute(_STATE, (now - PAIR_SECONDS * 1.2,)).fetchone()
        self._id: int = newest or 0
        self.backends = set((names or "").split(",")) - {""}
        self.has_others = False
        self.new_rows: list[tuple[Arriving, int]] = []
        self._requests: list[tuple[Any, ...]] = []
        self._runs: list[tuple[Any, ...]] = []

    def next_change(self) -> int:
        """The number of one more change."""
        self._change += 1
        return self._change

    def skip(self, requests: int) -> None:
        """So many requests came that are not written: those behind them have higher ids."""
        self._id += requests

    def insert(self, run: Run, columns: Columns) -> int:
        """A row of its own. Returns its id."""
        self._id += 1
        self._change += 1
        self._requests.append((self._id, self._change, run.at, *columns.request))
        self._runs.append((self._id * MOST_RUNS, *columns.run))
        return self._id

    def flush(self, lost: int = 0) -> None:
        """Write what waits."""
        self._insert(_INTO_REQUESTS, _A_REQUEST, self._requests)
        self._insert(_INTO_RUNS, _A_RUN, self._runs)
        self._connection.execute("UPDATE counters SET change = ?, lost = lost + ?", (self._change, lost))

    def _insert(self, into: str, a_row: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert the rows, and empty the list."""
        begin, count = 0, _MOST_ROWS
        while begin < len(rows):
            while count > len(rows) - begin:
                count //= 2
            values = list(chain.from_iterable(rows[begin : begin + count]))
            self._connection.execute(into + ", ".join([a_row] * count), values)
            begin += count
        rows.clear()

    def join(self, columns: Columns) -> bool:
        """Add the run to the row of the same request to another backend, if there is one."""
        self.flush()
        for number in self._candidates(columns):
            runs = self._runs_of(number)
            if len(runs) < MOST_RUNS and columns.of_run("backend") not in [name for name, _ in runs]:
                self._write_run(number, len(runs), columns)
                self._note_run(number, columns, len(runs) + 1, [answer for _, answer in runs])
                return True
        return False

    def finish(self, run: Run, columns: Columns) -> None:
        """A request that was shown while it arrived is over."""
        self.flush()
        assert run.row is not None
        number = run.row
        runs = self._runs_of(number)
        backend = columns.of_run("backend")
        position = next((n for n, (name, _) in enumerate(runs) if name == backend), None)
        key = self._value(number, "key")
        if position is None or (key is not None and columns.of_request("key") not in (None, key)):
            self.insert(run, columns)  # the row is gone, or the other backend got another body
            return
        self._write_run(number, position, columns)
        others = [answer for n, (_, answer) in enumerate(runs) if n != position]
        self._note_run(number, columns, len(runs), [answer for answer in others if answer.status is not None])
        if all(answer.status is not None for answer in others):
            self._connection.execute(f"UPDATE requests SET {OVER} WHERE id = ?", (number,))

    def _candidates(self, columns: Columns) -> Iterator[int]:
        """The rows that may be of the same upload, the oldest first."""
        key, is_complete = columns.of_request("key"), columns.of_request("is_complete")
        known = "id, form, head, chunked, kept"
        recent = self._now - PAIR_SECONDS
        if key is not None:
            select = f"SELECT {known} FROM requests WHERE key = ? AND at >= ? ORDER BY id"
            yield from self._matching(columns, self._connection.execute(select, (key, recent)).fetchall())
        # One of the two was refused before its end, or still arrives.
        line = columns.of_request("method"), columns.of_request("target")
        select = (
            f"SELECT {known} FROM (SELECT {known}, at, method, target, is_complete FROM requests"
            " WHERE (NOT is_complete OR NOT ?) ORDER BY id DESC LIMIT ?)"
            " WHERE at >= ? AND method IS ? AND target IS ? ORDER BY id"
        )
        values = (is_complete, _MOST_LOOKS, recent, *line)
        yield from self._matching(columns, self._connection.execute(select, values).fetchall())

    def _matching(self, columns: Columns, rows: list[tuple[Any, ...]]) -> Iterator[int]:
        ours, form = columns.of_request("kept"), columns.of_request("form")
        for number, other_form, head, chunked, kept in rows:
            if ours is not None and kept is not None:
                same = begin_alike(ours, kept)
            elif ours is not None:
                end = columns.of_request("head")
                same = bool(end) and other_form == form_of_bytes(
                    ours[:end], chunked=columns.of_request("chunked")
                )
            elif kept is not None:
                same = bool(head) and form == form_of_bytes(kept[:head], chunked=bool(chunked))
            else:
                same = form == other_form
            if same:
                yield number

    def _runs_of(self, number: int) -> list[tuple[str, Answer]]:
        rows = self._connection.execute(
            "SELECT backend, status, content_type, answer_size, answer FROM runs WHERE id >= ? AND id < ?",
            (number * MOST_RUNS, (number + 1) * MOST_RUNS),
        )
        return [(name, Answer(*values)) for name, *values in rows.fetchall()]

    def _value(self, number: int, column: str) -> Any:
        row = self._connection.execute(f"SELECT {column} FROM requests WHERE id = ?", (number,)).fetchone()
        return None if row is None else row[0]

    def _write_run(self, number: int, position: int, columns: Columns) -> None:
        self._connection.execute(_INTO_RUNS + _A_RUN, (number * MOST_RUNS + position, *columns.run))

    def _note_run(self, number: int, columns: Columns, runs: int, others: list[Answer]) -> None:
        """Another run of the request is known. The row gets what only this one has seen."""
        execute = self._connection.execute
        agreement = None
        if others:
            same = all(agree(answer, columns.answer) for answer in others)
            agreement = "equal" if same else "different"
        select = "SELECT total, is_complete, seen FROM requests WHERE id = ?"
        total, was_complete, seen = execute(select, (number,)).fetchone()
        more = columns.of_request("total") is not None and (
            total is None or columns.of_request("is_complete") > was_complete
        )
        if more or seen is not None:
            execute(_UPDATE_REQUEST, (*map(columns.of_request, _TOLD), number))
        update = "UPDATE requests SET change = ?, runs = ?, agreement = ?, is_refused = is_refused OR ?"
        refused = columns.of_request("is_refused")
        execute(f"{update} WHERE id = ?", (self.next_change(), runs, agreement, refused, number))

    def note_arriving(self, arriving: list[Arriving]) -> None:
        """Show how much of each of these requests has arrived."""
        self.flush()
        for each in arriving:
            run = each.run
            if run.is_over:
                continue
            received = run.size
            if run.row is not None and received == each.last_size:
                self._connection.execute("UPDATE requests SET seen = ? WHERE id = ?", (self._now, run.row))
                continue
            row = self._begin_to_arrive(each) if run.row is None else run.row
            seconds = max(time.monotonic() - (each.last_look or each.since), 0.001)
            rate = (received - each.last_size) / seconds
            expected = None if run.head is None else run.head.content_length
            self._connection.execute(
                "UPDATE requests SET change = ?, received = ?, expected = ?, rate = ?, seen = ? WHERE id = ?",
                (self.next_change(), received, expected, rate, self._now, row),
            )
            each.last_size, each.last_look = received, time.monotonic()

    def _begin_to_arrive(self, each: Arriving) -> int:
        """The row of a request that arrives: its own, or that of the same request to another backend."""
        run = each.so_far(self._now)
        columns = columns_of(run)
        number = None
        if self.has_others or self.backends - {run.backend}:
            for candidate in self._candidates(columns):
                runs = self._runs_of(candidate)
                backends = [name for name, _ in runs]
                if self._value(candidate, "seen") is not None and run.backend not in backends:
                    number = candidate
                    self._write_run(number, len(runs), columns)
                    update = "UPDATE requests SET runs = ? WHERE id = ?"
                    self._connection.execute(update, (len(runs) + 1, number))
                    break
        if number is None:
            number = self.insert(run, columns)
            self.flush()
        self.new_rows.append((each, number))
        return number
