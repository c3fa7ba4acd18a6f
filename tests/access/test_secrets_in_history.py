"""No credential of a field is in the history, whether the head was accepted or is malformed (H176)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clients.launch import start
from tests.access.canary import CREDENTIALS, FIELDS, HIDDEN
from tests.access.test_secrets import _answer
from tests.conftest import BACKEND_NAMES
from tests.patience import eventually

_TABLES = ("requests", "runs")


def _rows(database: Path) -> dict[str, list[str]]:
    """Each row of the tables as one text."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: [
                " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
                for row in connection.execute(f"SELECT * FROM {table}")
            ]
            for table in _TABLES
        }


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_no_credential_is_kept(name: str, tmp_path: Path) -> None:
    env = {"WIREPROOF_HISTORY": "5000"}
    with start(name, store=tmp_path / "store", env=env) as backend:
        for request in CREDENTIALS:
            _answer(backend, request)
        (database,) = tmp_path.rglob("requests.sqlite3")
        # Under `flask run` and in FastAPI nobody sees a malformed head: four requests a field are none.
        least = len(CREDENTIALS) if name in ("socket", "gunicorn") else 4 * len(FIELDS)
        assert eventually(lambda: len(_rows(database)["requests"]) >= least)
        rows = _rows(database)
        page = _answer(
            backend, b"GET /requests/?limit=500 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
    for table in _TABLES:
        assert [row for row in rows[table] if any(hidden in row for hidden in HIDDEN)] == [], table
    assert b" 200 " in page
    assert not any(hidden.encode() in page for hidden in HIDDEN)
