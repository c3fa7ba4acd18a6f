"""The SQLite database of the history: its tables, and what is done when it is locked, gone or damaged.

Every process and every thread has a connection of its own. Nothing in it is precious: it is not synced to the
disk, and a damaged database is replaced by a new one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .history_writer import Busy, Failed

NAME = "requests.sqlite3"

MOST_RUNS = 8
"""A request has at most so many runs. The first one of request 7 has the id 7 * 8, the next one 7 * 8 + 1."""

_VERSION = 1
_BUSY_SECONDS = 1.0
# Large values stand last, so that the others are read without them. Each index costs time in every request.
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    change INTEGER NOT NULL,
    at REAL NOT NULL,
    key INTEGER, form INTEGER,
    is_complete INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    agreement TEXT,
    is_refused INTEGER NOT NULL,
    method TEXT, target TEXT, kind TEXT, agent TEXT,
    size INTEGER, total INTEGER, head INTEGER,
    chunked INTEGER, redacted INTEGER,
    expected INTEGER, received INTEGER, rate REAL, seen REAL,
    weight INTEGER NOT NULL,
    reads TEXT, tail BLOB, behind BLOB, kept BLOB
);
CREATE INDEX IF NOT EXISTS requests_by_change ON requests (change);
CREATE INDEX IF NOT EXISTS requests_by_key ON requests (key);
CREATE INDEX IF NOT EXISTS incomplete_requests ON requests (id) WHERE NOT is_complete;
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    wire INTEGER NOT NULL,
    status INTEGER, code TEXT, ms REAL, content_type TEXT, answer_size INTEGER, redacted INTEGER,
    problem TEXT, environ TEXT, events TEXT, answer BLOB
);
CREATE TABLE IF NOT EXISTS counters (
    one INTEGER PRIMARY KEY, change INTEGER NOT NULL, lost INTEGER NOT NULL,
    gone INTEGER NOT NULL, gone_change INTEGER NOT NULL
);
INSERT OR IGNORE INTO counters VALUES (1, 0, 0, 0, 0);
CREATE TABLE IF NOT EXISTS backends (name TEXT PRIMARY KEY, seen REAL NOT NULL);
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """One connection to the database in `folder`, which is made when it is first used.

    Only one thread uses it. `version` changes when the file was replaced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def forget(self) -> None:
        """Drop the connection without touching the file. Call it in a process that was forked."""
        self._connection = None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """The connection. What SQLite raises inside is raised as Busy or Failed; nothing is half written."""
        try:
            yield self._open()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        except BaseException:
            self._roll_back()
            raise

    def _give_up(self, error: Exception) -> None:
        self._roll_back()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _LOCKED:
            raise Busy("the database is locked by another process") from None
        self.close()
        if code in _DAMAGED:
            self._remove()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Failed(f"{self._path}: {reason}") from None

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.rollback()

    def close(self) -> None:
        """Close the connection. The next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(NAME + suffix).unlink()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity == _identity(self._path):
            return self._connection
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_size_limit = 4194304")
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, _VERSION):
                raise sqlite3.DatabaseError("it was made by another version: remove it")
            if not found:
                connection.executescript(_SCHEMA)
            self._path.chmod(0o600)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._identity = _identity(self._path)
        return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
