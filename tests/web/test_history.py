"""The history of one process: rows, pages, bounds, and one row for an upload that two backends got."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.responses import Response, json_response, problem_response
from servers.web import history_log
from servers.web.history import History
from tests.web.recording import LIMITS, files_of, record, rows, write

_OK: dict[str, Any] = {
    "auth": None,
    "body": {"kind": "text"},
    "cookies": [],
    "form": [],
    "headers": [],
    "host": "h:1",
}


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "store.history", 500)
    made.open()
    return made


def _post(body: bytes = b"abc", *, port: int = 1, more: bytes = b"", target: str = "/upload/") -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: text/plain\r\n".encode() + more
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _add(history: History, data: bytes, backend: str = "socket", response: Response | None = None) -> None:
    write(history, record(history, [data], backend=backend, response=response))


def test_a_row_says_what_came_and_what_was_answered(history: History) -> None:
    data = _post(more=b"User-Agent: tester\r\n")
    _add(history, data, response=json_response(_OK))
    (row,) = rows(history)
    run = row.pop("runs")[0]
    assert {name: row[name] for name in ("id", "method", "target", "kind", "size", "total", "agent")} == {
        **{"id": 1, "method": "POST", "target": "/upload/", "kind": "text", "size": 3, "total": len(data)},
        "agent": "tester",
    }
    assert (row["agreement"], row["arriving"], row["stop"], len(row["digest"])) == (None, None, None, 16)
    assert sum(length for _, length, _ in row["strip"]) == len(data)
    assert (run["backend"], run["status"], run["code"], run["wire"]) == ("socket", 200, None, True)
    found = history.request(1, LIMITS)
    assert found is not None
    assert json.loads(found["runs"][0]["answer"]) == _OK
    assert found["end"]["rule"] == "B1"
    assert (found["head"], found["kept"], found["tail"]) == (len(data) - 3, len(data), 0)


def test_one_upload_to_two_backends_is_one_row(history: History) -> None:
    _add(history, _post(port=8000), "socket", json_response({**_OK, "host": "h:8000"}))
    _add(history, _post(port=18001), "gunicorn", json_response({**_OK, "host": "h:18001"}))
    (row,) = rows(history)
    assert [run["backend"] for run in row["runs"]] == ["socket", "gunicorn"]
    assert row["agreement"] == "equal"


def test_different_answers_are_told_by_path(history: History) -> None:
    other = {**_OK, "form": [{"name": "a", "value": "1"}]}
    _add(history, _post(), "socket", json_response(_OK))
    _add(history, _post(), "gunicorn", json_response(other))
    assert rows(history)[0]["agreement"] == "different"
    found = history.request(1, LIMITS)
    assert found is not None
    assert found["diffs"] == [("form", [], [{"name": "a", "value": "1"}])]
    assert [row["id"] for row in rows(history, only="differ")] == [1]


@pytest.mark.parametrize(
    "other",
    [
        _post(b"abd"),
        _post(target="/upload/?a"),
        _post(more=b"X-A: 1\r\n"),
        _post(b"a" * 200_000),
        _post().replace(b"text/plain", b"text/html "),
    ],
)
def test_other_requests_are_rows_of_their_own(history: History, other: bytes) -> None:
    _add(history, _post(), "socket")
    _add(history, other, "gunicorn")
    assert [row["agreement"] for row in rows(history)] == [None, None]


def test_a_long_body_is_recognised_by_its_samples(history: History) -> None:
    body = bytearray(1 << 20)
    _add(history, _post(bytes(body)), "socket")
    _add(history, _post(bytes(body)), "gunicorn")
    body[5 * 65536] = 1
    _add(history, _post(bytes(body)), "flask")
    assert [len(row["runs"]) for row in rows(history)] == [1, 2]


def test_the_same_backend_twice_is_two_rows_that_are_paired_in_order(history: History) -> None:
    for backend in ("socket", "socket", "gunicorn", "gunicorn"):
        _add(history, _post(), backend)
    assert [[run["backend"] for run in row["runs"]] for row in rows(history)] == [["socket", "gunicorn"]] * 2


def test_after_a_minute_it_is_another_upload(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(history, _post(), "socket")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    _add(history, _post(), "gunicorn")
    assert [len(row["runs"]) for row in rows(history)] == [1, 1]


def test_a_refusal_that_stopped_earlier_is_the_same_upload(history: History) -> None:
    refused = b"POST /upload/ HTTP/1.1\r\nHost: a\r\nBad : 1\r\n\r\nabc"
    _add(history, refused[:42], "socket")
    _add(history, refused, "gunicorn")
    (row,) = rows(history)
    assert (row["agreement"], row["method"], row["runs"][0]["code"]) == ("equal", "POST", "bad_header")
    assert [run["backend"] for run in row["runs"]] == ["socket", "gunicorn"]


@pytest.mark.parametrize("first", ["refused", "accepted"])
def test_an_upload_that_only_one_backend_accepts_is_one_row(history: History, first: str) -> None:
    data = _post(b"x" * 5000)
    (refused,) = record(history, [data])
    assert refused.wire is not None
    refused.wire = refused.wire._replace(pieces=[data[:2000]], total=2000)
    refused.is_complete, refused.status, refused.code = False, 413, "body_too_large"
    order = [("socket", [refused]), ("gunicorn", record(history, [data], backend="gunicorn"))]
    for backend, runs in order if first == "refused" else reversed(order):
        runs[0].backend = backend
        write(history, runs)
    (row,) = rows(history)
    assert (row["agreement"], row["total"], len(row["runs"])) == ("different", len(data), 2)


def test_the_detail_of_a_problem_is_not_compared(history: History) -> None:
    for backend, detail in (("socket", "one"), ("gunicorn", "other")):
        _add(history, _post(), backend, problem_response(Problem("bad_value", detail)))
    assert rows(history)[0]["agreement"] == "equal"
    assert rows(history, only="refused")[0]["runs"][0]["code"] == "bad_value"


def test_pages_go_back_to_the_first_request(history: History) -> None:
    for n in range(25):
        _add(history, _post(b"%d" % n, target=f"/{n}"))
    seen: list[int] = []
    before: Any = None
    while page := rows(history, before=before, limit=10):
        seen += [row["id"] for row in page]
        before = page[-1]["id"]
    assert seen == list(range(25, 0, -1))


def test_a_text_is_searched_as_it_stands(history: History) -> None:
    for target in ("/a_b", "/axb", "/100%25"):
        _add(history, _post(target=target))
    assert [row["target"] for row in rows(history, q="a_b")] == ["/a_b"]
    assert [row["target"] for row in rows(history, q="0%25")] == ["/100%25"]
    assert len(rows(history, q="200")) == 3
    assert rows(history, q="' OR 1 --") == []


def test_only_the_last_requests_are_kept(tmp_path: Path) -> None:
    history = History(tmp_path / "h", 10)
    for n in range(40):
        history._log._next_prune = 0
        _add(history, _post(b"%d" % n))
    assert [row["id"] for row in rows(history)] == list(range(40, 30, -1))
    with history.reading() as connection:
        assert connection.execute("SELECT count(*) AS n FROM runs").fetchone()["n"] == 10
        assert connection.execute("SELECT gone FROM counters").fetchone()["gone"] == 31
    assert history.request(30, LIMITS) is None


def test_the_history_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_log, "MOST_BYTES", 1_000_000)
    history = History(tmp_path / "h", 500)
    for n in range(60):
        history._log._next_prune = 0
        _add(history, _post(b"%d" % n * 70_000))
    assert 10 <= len(rows(history)) <= 15
    assert len(files_of(tmp_path / "h")) < 8_000_000


def test_old_requests_go(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(history, _post(b"old"))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    history._log._next_prune = 0
    _add(history, _post(b"new"))
    assert [row["id"] for row in rows(history)] == [2]


def test_ids_are_never_used_again(tmp_path: Path) -> None:
    history = History(tmp_path / "h", 1)
    for n in range(3):
        history._log._next_prune = 0
        _add(history, _post(b"%d" % n))
    again = History(tmp_path / "h", 1)
    _add(again, _post(b"last"))
    assert rows(again)[0]["id"] == 4


SECRET = "Ym9iOmh1bnRlcjItaXMtc2VjcmV0"
_SPELLINGS = [
    f"Authorization: Basic {SECRET}\r\n",
    f"PROXY-authorization:Bearer {SECRET}  \r\n",
    f"Cookie: a=b; sid={SECRET}\r\n",
    f"Cookie : sid={SECRET}\r\n",
    f"X: 1\r\n Authorization: {SECRET}\r\n",
    f"Authorization: a\r\n {SECRET}\r\n",
    f"Authorization {SECRET}\r\n",
    f"Bad Name: 1\r\nCookie: {SECRET}\n",
    f"Authorization: Basic \x01{SECRET}\r\n",
]


@pytest.mark.parametrize("line", _SPELLINGS)
@pytest.mark.parametrize("behind", ["", "\r\nGET / HTTP/1.1\r\nCookie: " + SECRET])
def test_no_credential_reaches_the_disk(history: History, line: str, behind: str, tmp_path: Path) -> None:
    answer = json_response({**_OK, "headers": [{"name": "cookie", "value": SECRET}], "auth": None})
    data = _post(more=line.encode()) + behind.encode()
    runs = record(history, [data[:50], data[50:]], response=answer)
    assert runs
    write(history, runs)
    stored = files_of(tmp_path)
    assert b"POST /upload/" in stored
    assert SECRET.encode() not in stored
    assert rows(history)
    found = history.request(1, LIMITS)
    assert found is not None
    assert found["redacted"]


def test_unread_bytes_behind_a_refusal_hide_credentials_too(history: History, tmp_path: Path) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    behind = b"GET / HTTP/1.1\r\nHost: h\r\nCookie: " + SECRET.encode() + b"\r\n\r\n"
    write(history, record(history, [chunked + behind]))
    assert rows(history)[0]["runs"][0]["code"] == "bad_chunk"
    assert rows(history)[0]["total"] == len(chunked + behind)
    assert SECRET.encode() not in files_of(tmp_path)


@pytest.mark.parametrize("size", [3, 70_000, 200_000])
@pytest.mark.parametrize("before", ["", "0a: 1\r\n" * 50])
def test_trailers_hide_credentials_too(history: History, size: int, before: str, tmp_path: Path) -> None:
    head = b"POST /upload/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"%x\r\n%s\r\n0\r\n%sCookie: %s\r\n\r\n" % (size, b"x" * size, before.encode(), SECRET.encode())
    _add(history, head + body)
    assert rows(history)[0]["runs"][0]["status"] == 200
    assert SECRET.encode() not in files_of(tmp_path)


def test_bodies_and_queries_are_kept_as_they_are(history: History) -> None:
    body = b"\r\nCookie: in the body"
    _add(history, _post(body, target="/?token=t", more=b"Cookie: a=b\r\n"))
    found = history.request(1, LIMITS)
    assert found is not None
    assert found["target"] == "/?token=t"
    with history.reading() as connection:
        kept = connection.execute("SELECT kept FROM requests").fetchone()["kept"]
    assert kept.endswith(body)
    assert b"Cookie: ***\r\n" in kept


def test_the_page_of_a_history_needs_no_strip_twice(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(history, _post())
    first = rows(history)
    monkeypatch.setattr("servers.web.history.explain_row", None)
    assert rows(history) == first


def test_a_page_has_rough_strips_while_the_time_for_others_is_spent(history: History) -> None:
    data = _post()
    for _ in range(3):
        _add(history, data)
    history._time_for_strips.spend(1)
    assert [row["strip"] for row in rows(history)] == [
        [[0, len(data) - 3, "field value"], [len(data) - 3, 3, "part data"]]
    ] * 3
    history._time_for_strips.spend(-1)
    assert all(len(row["strip"]) > 2 for row in rows(history))


def test_spans_cover_each_byte_once(history: History) -> None:
    body = b"x" * 200_000
    _add(history, _post(body))
    found = history.spans(1, Limits())
    assert found is not None
    end = 0
    for span in found.spans:
        assert span.start == end
        end = span.end
    assert end == len(_post(body))
