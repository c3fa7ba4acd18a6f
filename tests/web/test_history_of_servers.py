"""The history behind running servers: what they capture on the wire, and what their routes say of it."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from clients.launch import RunningBackend, start
from tests.conftest import EACH_BACKEND
from tests.connections import connect, receive_all
from tests.patience import eventually, patient
from tests.web.recording import Listening, files_of, get, listed, send

KEEPS = {"WIREPROOF_HISTORY": "500", "WIREPROOF_DURABILITY": "fast"}
_SECRET = b"Ym9iOmh1bnRlcjItaXMtc2VjcmV0"


@pytest.fixture(params=["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=8))])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBackend]:
    with start(request.param, store=tmp_path / "store", env=KEEPS) as running:
        yield running


def _request(head: str, body: bytes = b"") -> bytes:
    lines = head.strip().split("\n")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Host: localhost", "Connection: close", "", ""]).encode() + body


def _wire(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found["bytes"])


def test_the_bytes_of_each_request_are_there(backend: RunningBackend) -> None:
    sent = [
        _request("POST /upload/?a=1 HTTP/1.1\nContent-Type: text/plain", b"abc"),
        _request("GET /echo HTTP/1.1"),
        _request("POST / HTTP/1.1\nBad : 1", b"abc"),
        _request("POST / HTTP/1.1\nTransfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
        _request("POST / HTTP/1.1\nTransfer-Encoding: chunked") + b"3\r\nabcd",
        _request("POST / HTTP/1.1\nContent-Type: application/json", b'{"a":1,"a":2}'),
        _request("PUT /upload/f HTTP/1.1", bytes(range(256)) * 1024),
    ]
    statuses = [send(backend, data) for data in sent]
    assert statuses == [200, 200, 400, 200, 400, 400, 200]
    found = [get(backend, f"/requests/{row['id']}") for row in listed(backend, len(sent))]
    found.sort(
        key=lambda one: sent.index(
            next(data for data in sent if data.startswith(_wire(one)[:60]) and (data.startswith(_wire(one))))
        )
    )
    for data, one in zip(sent, found, strict=True):
        assert one["total"] == len(data)
        assert _wire(one) == data[: one["kept"]]
        assert base64.b64decode(one["tail_bytes"]) == data[one["kept"] :][-256:]
        assert one["runs"][0]["wire"]
        assert sum(length for _, length, _ in one["strip"]) == len(data)
    assert [one["runs"][0]["status"] for one in found] == statuses
    assert [one["stop"] and one["stop"]["code"] for one in found] == [
        *(None, None, "bad_header", None, "bad_chunk", "json_duplicate_key", None)
    ]
    assert found[6]["kept"] == found[6]["head"] + 65536


def test_pipelined_requests_are_cut_apart(backend: RunningBackend) -> None:
    first = b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    second = b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
    third = _request("POST /3 HTTP/1.1", b"abc")
    receive_all(connect(backend, first + second + third))
    found = {row["target"]: get(backend, f"/requests/{row['id']}") for row in listed(backend, 3)}
    assert [_wire(found[target]) for target in ("/1", "/2", "/3")] == [first, second, third]
    assert [found[target]["reads"] for target in ("/1", "/2", "/3")] == [[0]] * 3


def test_a_request_that_breaks_off_is_there_without_an_answer(backend: RunningBackend) -> None:
    connect(backend, b"GET / HTTP/1.1\r\nHost: h\r\nX-Half").close()
    connection = connect(backend, _request("POST /upload/ HTTP/1.1", b"abcdef")[:-3])
    connection.shutdown(socket.SHUT_WR)
    receive_all(connection)
    whole, half = listed(backend, 2)
    assert [run["status"] for run in half["runs"] + whole["runs"]] in ([None, 400], [400, None])
    assert not half["complete"]
    assert not whole["complete"]


def test_no_credential_is_on_the_disk(backend: RunningBackend, tmp_path: Path) -> None:
    secret = _SECRET.decode()
    for head in (
        f"GET /echo HTTP/1.1\nAuthorization: Basic {secret}",
        f"GET /echo HTTP/1.1\nCookie: a={secret}",
        f"GET /echo HTTP/1.1\nproxy-AUTHORIZATION:  {secret}",
        f"GET /echo HTTP/1.1\nX: a\n Authorization: {secret}",
        f"GET /echo HTTP/1.1\nAuthorization : {secret}",
    ):
        send(backend, _request(head))
    found = [get(backend, f"/requests/{row['id']}") for row in listed(backend, 5)]
    stored = files_of(tmp_path / "store.history")
    assert b"GET /echo" in stored
    assert _SECRET not in stored
    assert b"hunter2" not in stored
    assert all(one["redacted"] for one in found)
    backend.stop()
    stored = files_of(tmp_path / "store.history")
    assert _SECRET not in stored
    assert b"hunter2" not in stored


def test_a_stream_is_kept_with_the_times_of_its_events(backend: RunningBackend) -> None:
    body = json.dumps({"query": "abcd", "delay": 0.1}).encode()
    send(backend, _request("POST /stream_echo HTTP/1.1\nContent-Type: application/json", body))
    (row,) = listed(backend, 1)
    (run,) = get(backend, f"/requests/{row['id']}")["runs"]
    assert run["answer"].count("data: ") == 4
    assert len(run["events"]) == 4
    assert run["events"][3] - run["events"][0] > 250


def test_the_page_and_its_data_are_not_recorded(backend: RunningBackend) -> None:
    for path in ("/ui", "/ui/", "/ui/server", "/requests/", "/requests/1", "/healthz", "/metrics"):
        requests.get(backend.url + path, timeout=10)
    requests.get(backend.url + "/", headers={"Accept": "text/html"}, timeout=10)
    requests.get(backend.url + "/seen", timeout=10)
    assert [row["target"] for row in listed(backend, 1)] == ["/seen"]


def test_an_upload_is_shown_while_it_arrives(backend: RunningBackend) -> None:
    with Listening(backend) as events:
        head = _request("PUT /upload/slow HTTP/1.1", b"x" * 300_000)[:-300_000]
        uploading = connect(backend, head + b"x" * 100_000)
        row = events.next("request")[1]
        assert (row["target"], row["arriving"]["expected"]) == ("/upload/slow", 300_000)
        assert row["arriving"]["received"] == 100_000
        uploading.sendall(b"x" * 100_000)
        progress = events.next("progress")[1]
        assert (progress["id"], progress["received"]) == (row["id"], 200_000)
        assert progress["rate"] > 0
        uploading.sendall(b"x" * 100_000)
        assert receive_all(uploading).startswith(b"HTTP/1.1 200")
        over = events.next("request")[1]
        assert (over["id"], over["arriving"], over["runs"][0]["status"]) == (row["id"], None, 200)


def test_an_upload_that_breaks_off_arrives_no_more(backend: RunningBackend) -> None:
    with Listening(backend) as events:
        head = _request("PUT /upload/slow HTTP/1.1", b"x" * 300_000)[:-300_000]
        with connect(backend, head + b"x" * 100_000):
            assert events.next("request")[1]["arriving"]["received"] == 100_000
        over = events.next("request")[1]
        assert (over["arriving"], over["complete"]) == (None, False)


def test_events_go_on_where_a_client_left(backend: RunningBackend) -> None:
    with Listening(backend) as events:
        send(backend, _request("GET /1 HTTP/1.1"))
        _, row, number = events.next("request")
        assert row["target"] == "/1"
    send(backend, _request("GET /2 HTTP/1.1"))
    send(backend, _request("GET /3 HTTP/1.1"))
    listed(backend, 3)
    with Listening(backend, number) as events:
        # Two workers write at their own times.
        assert {events.next("request")[1]["target"] for _ in range(2)} == {"/2", "/3"}
        send(backend, _request("GET /4 HTTP/1.1"))
        assert events.next("request")[1]["target"] == "/4"


def test_many_at_once_are_shown_or_counted_and_none_is_missing(backend: RunningBackend) -> None:
    with Listening(backend) as events:
        with requests.Session() as session:
            for n in range(120):
                session.get(f"{backend.url}/{n}", timeout=patient(10))
        counted = rows = 0
        while counted + rows < 120:
            name, value, _ = events.next("request", "count")
            counted, rows = counted + value.get("new", 0), rows + (name == "request")
        assert counted + rows == 120


def test_many_that_were_missed_are_only_counted(backend: RunningBackend) -> None:
    with Listening(backend) as events, requests.Session() as session:
        session.get(f"{backend.url}/first", timeout=patient(10))
        last = events.next("request")[2]
        for n in range(60):
            session.get(f"{backend.url}/{n}", timeout=patient(10))
        assert len(listed(backend, 61)) == 61
    with Listening(backend, last) as events:
        assert events.next("request", "count")[:2] == ("count", {"new": 60, "newest": 61})


def test_a_server_that_stops_waits_for_no_stream_of_events(backend: RunningBackend) -> None:
    with Listening(backend):
        send(backend, _request("GET /last HTTP/1.1"))
        begin = time.monotonic()
        backend.process.terminate()
        backend.process.wait(20)
        assert time.monotonic() - begin < 10


def test_what_was_recorded_is_written_before_the_end(backend: RunningBackend, tmp_path: Path) -> None:
    for n in range(20):
        send(backend, _request(f"GET /number-{n} HTTP/1.1"))
    backend.process.terminate()
    backend.process.wait(20)
    stored = files_of(tmp_path / "store.history")
    assert all(b"GET /number-%d " % n in stored for n in range(20))


def test_both_servers_show_one_upload_as_one_row(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with (
        start("socket", store=store, env=KEEPS) as one,
        start("gunicorn", store=store, env=KEEPS) as other,
        start("flask", store=store, env=KEEPS) as third,
    ):
        for backend in (one, other, third):
            form = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc\r\n--b--\r\n'
            send(backend, _request(f"POST /upload/ HTTP/1.1\nContent-Type: {_FORM}", form))
            requests.post(f"{backend.url}/upload/", json={"a": 1}, timeout=10)
        for backend in (one, other, third):
            assert eventually(lambda: [len(row["runs"]) for row in listed(backend, 2)] == [3, 3])  # noqa: B023
            found = listed(backend, 2)
            assert [row["agreement"] for row in found] == ["equal", "equal"]
            assert [sorted(run["backend"] for run in row["runs"]) for row in found] == [
                ["flask", "gunicorn", "socket"]
            ] * 2
        hidden = next(run for run in get(one, "/requests/1")["runs"] if run["backend"] == "flask")
        assert not hidden["wire"]
        assert hidden["environ"]["REQUEST_METHOD"] == "POST"


_FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize("name", EACH_BACKEND)
def test_each_backend_answers_for_the_history(name: str, tmp_path: Path) -> None:
    with start(name, store=tmp_path / "store", env=KEEPS) as backend:
        requests.post(backend.url + "/upload/", data=b"abc", headers={"Cookie": "a=secret"}, timeout=10)
        (row,) = listed(backend, 1)
        assert row["runs"][0]["backend"] == name
        assert get(backend, f"/requests/{row['id']}")["runs"][0]["answer"]
        assert get(backend, f"/requests/{row['id']}.har")["log"]["entries"][0]["comment"] == name
        assert get(backend, "/ui/server")["backends"][0]["name"] == name
        assert requests.get(backend.url + "/requests/99", timeout=10).status_code == 404
        assert b"secret" not in files_of(tmp_path / "store.history")


def test_all_workers_share_one_history(tmp_path: Path) -> None:
    env = {**KEEPS, "WIREPROOF_WORKERS": "3"}
    with start("socket", store=tmp_path / "store", env=env) as backend:
        for n in range(30):
            send(backend, _request(f"GET /{n} HTTP/1.1"))
        assert {row["target"] for row in listed(backend, 30)} == {f"/{n}" for n in range(30)}


def test_a_token_guards_the_data_and_not_the_page(tmp_path: Path) -> None:
    env = {**KEEPS, "WIREPROOF_TOKEN": "t"}
    with start("socket", store=tmp_path / "store", env=env) as backend:
        for path in ("/requests/", "/requests/events", "/requests/1", "/requests/1.http", "/ui/server"):
            assert requests.get(backend.url + path, timeout=10).status_code == 401
            host = {"Host": "evil.example", "Authorization": "Bearer t"}
            assert requests.get(backend.url + path, headers=host, timeout=10).status_code == 421
        assert requests.get(backend.url + "/ui/", timeout=10).status_code == 200
        get(backend, "/echo", Authorization="Bearer t")
        assert eventually(lambda: get(backend, "/requests/", Authorization="Bearer t")["total"] == 1)
        assert b"Bearer t" not in files_of(tmp_path / "store.history")


def test_without_history_nothing_is_recorded(tmp_path: Path) -> None:
    with start("socket", store=tmp_path / "store") as backend:
        assert requests.get(backend.url + "/requests/", timeout=10).status_code == 404
        assert get(backend, "/ui/server")["history"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_bytes_and_bodies_are_read_in_ranges(backend: RunningBackend) -> None:
    data = _request("POST / HTTP/1.1\nTransfer-Encoding: chunked") + b"3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"
    send(backend, data)
    (row,) = listed(backend, 1)
    url = f"{backend.url}/requests/{row['id']}"
    whole = requests.get(f"{url}.http", timeout=10)
    assert (whole.content, whole.headers["Content-Type"]) == (data, "application/octet-stream")
    part = requests.get(f"{url}.http", headers={"Range": "bytes=5-8"}, timeout=10)
    assert (part.status_code, part.content) == (206, data[5:9])
    assert requests.get(f"{url}.body", timeout=10).content == b"abcde"
    spans = get(backend, f"/requests/{row['id']}/spans?limit=2")
    assert len(spans["spans"]) == 2
    rest = get(backend, f"/requests/{row['id']}/spans?from=4")
    assert rest["spans"][0][0] <= 4 < sum(rest["spans"][0][:2])
    assert spans["total"] >= len(rest["spans"])


def test_wire_and_history_work_together(tmp_path: Path) -> None:
    with start("socket", store=tmp_path / "store", env=KEEPS, flags=["--wire"]) as backend:
        form = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 100_000 + b"\r\n--b--\r\n"
        data = _request(f"POST /upload/ HTTP/1.1\nContent-Type: {_FORM}", form)
        for _ in range(2):
            assert send(backend, data) == 200
        (second, first) = listed(backend, 2)
        spans = get(backend, f"/requests/{first['id']}/spans")["spans"]
        assert sum(span[1] for span in spans) == len(data) == second["total"]
        assert eventually(lambda: "request line" in backend.log())
