"""The database is locked, gone, damaged, full or forbidden: serving goes on, and what is lost is counted."""

import os
import resource
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from clients.launch import start
from servers.web import history_writer
from servers.web.history import History, open_history
from servers.web.history_database import NAME
from servers.web.history_writer import Failed
from tests.patience import eventually, patient
from tests.web.recording import get, record, rows

# A database that is made with all its tables has about this size.
_EMPTY = 120_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store.history"


@pytest.fixture
def history(folder: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    monkeypatch.setattr(history_writer, "_PAUSE_SECONDS", 0.05)
    made = History(folder, 500)
    made.open()
    return made


def _put(history: History, count: int = 1, size: int = 10) -> float:
    """Record so many requests; returns how many seconds that took."""
    data = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    runs = [run for _ in range(count) for run in record(history, [data])]
    begin = time.monotonic()
    for run in runs:
        history.writer.put(run)
    return time.monotonic() - begin


def _shown(history: History) -> int:
    return len(rows(history))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_what_is_recorded_is_written_soon(history: History) -> None:
    _put(history, 3)
    assert eventually(lambda: _shown(history) == 3)
    assert history.state() == {"lost": 0, "error": None}


def test_nobody_waits_for_a_locked_database(history: History, folder: Path) -> None:
    with _locked(folder):
        assert _put(history, 200) < patient(0.2)
        assert eventually(lambda: history.writer.error is not None)
        assert _put(history, 200) < patient(0.2)
    assert eventually(lambda: _shown(history) == 400)
    assert history.state() == {"lost": 0, "error": None}


def test_what_does_not_fit_into_the_queue_is_counted(
    history: History, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_writer, "MOST_WAITING", 20_000)
    with _locked(folder):
        _put(history, 100)
        assert eventually(lambda: history.writer.error is not None)
        _put(history, 100)
    assert eventually(lambda: _shown(history) + history.state()["lost"] == 200 and not history.writer.lost)
    assert history.state()["lost"] > 100


def test_a_deleted_database_is_made_anew(history: History, folder: Path) -> None:
    _put(history)
    assert eventually(lambda: _shown(history) == 1)
    shutil.rmtree(folder)
    _put(history, 2)
    assert eventually(lambda: _shown(history) == 2)


@pytest.mark.parametrize("garbage", [b"this is no database at all" * 1000, b""])
def test_a_damaged_database_is_replaced(history: History, folder: Path, garbage: bytes) -> None:
    _put(history)
    assert eventually(lambda: _shown(history) == 1)
    (folder / "other").write_bytes(garbage)
    (folder / "other").replace(folder / NAME)

    def works_again() -> bool:
        _put(history)
        try:
            return _shown(history) > 0
        except Failed:
            return False

    assert eventually(works_again)


def test_a_full_disk_loses_requests_and_nothing_else(history: History, folder: Path) -> None:
    _put(history)
    assert eventually(lambda: _shown(history) == 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_EMPTY, hard))  # writing beyond it fails with EFBIG
    try:
        _put(history, 20, size=60_000)
        assert eventually(lambda: history.writer.lost > 0)
        assert history.writer.error is not None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    _put(history)
    assert eventually(lambda: not history.writer.lost and history.writer.error is None)
    assert history.state()["lost"] >= 1


def test_a_folder_that_cannot_be_made_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from servers.settings import Settings

    (tmp_path / "s.history").write_text("this is a file")
    settings = Settings(store=str(tmp_path / "s"))
    assert settings.open_history() is None
    assert settings.open_history() is None
    assert len([each for each in caplog.messages if "no history of requests" in each]) == 1
    with pytest.raises(Failed):
        open_history(tmp_path / "s", 5)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_forbidden_loses_requests(history: History, folder: Path) -> None:
    folder.chmod(0o500)
    (folder / NAME).chmod(0o400)
    _put(history)
    assert eventually(lambda: history.writer.error is not None)
    folder.chmod(0o700)
    (folder / NAME).chmod(0o600)
    _put(history)
    assert eventually(lambda: history.writer.error is None)


def test_a_process_without_threads_left_serves_on(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    _put(history, 5)
    assert history.writer.lost == 5


@pytest.mark.parametrize("name", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8))])
def test_uploads_go_on_while_the_database_is_locked_and_then_gone(name: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    env = {"WIREPROOF_HISTORY": "500", "WIREPROOF_DURABILITY": "fast"}
    with start(name, store=store, env=env) as backend, requests.Session() as session:

        def uploads(count: int) -> None:
            for n in range(count):
                response = session.post(f"{backend.url}/upload/?{n}", files={"f": b"abc"}, timeout=10)
                assert response.status_code == 200

        uploads(3)
        folder = tmp_path / "store.history"
        with _locked(folder):
            begin = time.monotonic()
            uploads(50)
            assert time.monotonic() - begin < patient(5)
        assert eventually(lambda: get(backend, "/requests/?limit=500")["total"] == 53, 20)
        shutil.rmtree(folder)
        uploads(10)
        assert eventually(lambda: get(backend, "/requests/")["total"] == 10, 20)
        folder.rename(tmp_path / "away")
        folder.write_text("a file")
        uploads(10)
        state = f"{backend.url}/ui/server"  # of the worker that got the uploads: its connection is kept
        assert eventually(lambda: session.get(state, timeout=10).json()["history"]["lost"] == 10, 20)
        answer = session.get(f"{backend.url}/requests/", timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        folder.unlink()
        uploads(5)
        assert eventually(lambda: get(backend, "/requests/")["total"] >= 5, 20)
        assert eventually(lambda: get(backend, "/requests/")["lost"] == 10, 20)
