"""`GET /metrics` of running servers, with two worker processes where a server has some."""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from clients.launch import RunningBackend, start
from servers.contract.metrics import CONNECTION_PHASES
from servers.contract.route import METHODS
from servers.metrics import definitions as known
from servers.routes import ROUTES
from tests.conftest import EACH_BACKEND, SOCKET_BY_DEFAULT
from tests.connections import connect, receive_all
from tests.metrics.reading import ON, comes_to, requests_to, series, text_of, values_in, values_of
from tests.patience import eventually
from tests.socket_server.process_tree import arranged, children, is_running

PROMTOOL = shutil.which("promtool")
# What a backend does with a malformed head, as the metrics see it. Werkzeug's server answers it itself.
_MALFORMED = {"flask": requests_to("", "", 400)}
_TELL_CONNECTIONS = ("socket", "gunicorn")
# For tests that start servers of their own.
_OWN = ("socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=5)))


@pytest.fixture(scope="module", params=EACH_BACKEND)
def backend(request: pytest.FixtureRequest) -> Iterator[RunningBackend]:
    with start(request.param, env=ON) as running:
        yield running


def _send(backend: RunningBackend, method: str, path: str, body: bytes = b"") -> bytes:
    """The body of the answer to a request on a connection of its own."""
    response = requests.request(method, backend.url + path, data=body or None, timeout=60)
    return response.content


def test_known_requests_are_counted_with_their_bytes_and_durations(backend: RunningBackend) -> None:
    malformed = _MALFORMED.get(backend.name, requests_to("", "", 400, "request_line"))
    counted = {
        requests_to("echo", "GET", 200): 5,
        requests_to("echo", "other", 501, "method_not_implemented"): 1,
        requests_to("put_file", "PUT", 200): 3,
        requests_to("models", "DELETE", 405, "method_not_allowed"): 1,
        requests_to("", "GET", 404, "not_found"): 1,
        malformed: 1,
        series("received_bytes_total", route="put_file"): 3 * 7,
    }
    before = values_of(backend)
    sent = sum(len(_send(backend, "GET", f"/seen/{number}?a=b")) for number in range(5))
    sent += len(_send(backend, "BREW", "/"))
    for _ in range(3):
        _send(backend, "PUT", "/upload/a.txt", b"7 bytes")
    _send(backend, "DELETE", "/v1/models")
    _send(backend, "GET", "/v1/none")
    receive_all(connect(backend, b"no request\r\n\r\n"))
    counted |= {
        series("sent_bytes_total", route="echo"): sent,
        series("request_duration_seconds_count", route="echo"): 6,
        series("request_duration_seconds_bucket", route="echo", le="+Inf"): 6,
        series("store_duration_seconds_count", operation="publish"): 3,
        series("store_duration_seconds_count", operation="create"): 3,
        series("store_duration_seconds_count", operation="close"): 3,
    }
    assert comes_to(backend, {one: before.get(one, 0) + value for one, value in counted.items()})
    after = values_of(backend)
    total = series("request_duration_seconds_sum", route="echo")
    assert after[total] > before.get(total, 0)


def test_the_bytes_of_a_stored_file_are_counted(backend: RunningBackend) -> None:
    """The system sends large files by itself."""
    content = os.urandom(3_000_000)
    sent = series("sent_bytes_total", route="files")
    before = values_of(backend).get(sent, 0)
    _send(backend, "PUT", "/upload/large", content)
    assert _send(backend, "GET", f"/files/{hashlib.sha256(content).hexdigest()}") == content
    assert comes_to(backend, {sent: before + len(content), requests_to("files", "GET", 200): 1})


def test_all_processes_are_counted_and_named(backend: RunningBackend) -> None:
    workers = 2 if backend.name in _TELL_CONNECTIONS else 1

    def all_count() -> bool:
        found = {one: value for one, value in values_of(backend).items() if one[0] == "wireproof_workers"}
        return [(dict(labels)["backend"], value) for (_, labels), value in found.items()] == [
            (backend.name, workers)
        ]

    assert eventually(all_count)


def test_uploads_and_connections_are_shown_while_they_last(backend: RunningBackend) -> None:
    head = b"PUT /upload/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
    tells = backend.name in _TELL_CONNECTIONS
    expected = {series("uploads_in_flight"): 3.0}
    if tells:
        expected |= {
            series("connections", phase="reading_body"): 3,
            series("connections", phase="reading_head"): 1,
            series("connections", phase="idle"): 2,
        }
    open_connections = [connect(backend, head) for _ in range(3)]
    open_connections += [connect(backend, b"GET / HT"), connect(backend), connect(backend)]
    try:
        assert comes_to(backend, expected)
    finally:
        for connection in open_connections:
            connection.close()
    assert comes_to(backend, dict.fromkeys(expected, 0.0))
    shown = {labels for name, labels in values_of(backend) if name == "wireproof_connections"}
    assert shown == ({frozenset({("phase", phase)}) for phase in CONNECTION_PHASES} if tells else set())


def test_hostile_requests_add_no_series(backend: RunningBackend) -> None:
    def send_hostile(number: int) -> None:
        _send(backend, "GET", f"/made/up/{number}")
        _send(backend, "GET", f"/v1/{number}/x")
        _send(backend, f"BREW{number}", f"/upload/{number}")
        _send(backend, "GET", f"/files/{number:064}?{number}={number}")

    counted = series("request_duration_seconds_count", route="files")
    begin = values_of(backend).get(counted, 0)
    for number in range(4):
        send_hostile(number)
    assert comes_to(backend, {counted: begin + 4})
    before = set(values_of(backend))
    for number in range(30):
        send_hostile(10**9 + number)
    assert comes_to(backend, {counted: begin + 34})
    assert set(values_of(backend)) == before
    labels = [dict(labels) for name, labels in before if name == "wireproof_requests_total"]
    assert len(labels) > 4
    assert {each.get("route", "") for each in labels} <= {*(route.name for route in ROUTES), "", known.OTHER}
    assert {each.get("method", "") for each in labels} <= {*METHODS, "", known.OTHER}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: the output is NOT checked by it")
def test_promtool_finds_nothing_wrong(backend: RunningBackend) -> None:
    assert PROMTOOL is not None
    _send(backend, "PUT", "/upload/a.txt", b"x")
    checked = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text_of(backend), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_answer_is_text_that_is_not_stored_by_caches(backend: RunningBackend) -> None:
    response = requests.get(backend.url + "/metrics", timeout=60)
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    head = requests.head(backend.url + "/metrics", timeout=60)
    assert (head.status_code, head.content) == (200, b"")
    assert {family for family, _ in values_in(response.text)}, "it has series"


@pytest.mark.parametrize("name", _OWN)
def test_what_a_killed_worker_had_open_is_forgotten_and_what_it_counted_stays(name: str) -> None:
    half = b"PUT /upload/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
    reading = series("connections", phase="reading_body")
    with start(name, env=ON) as backend:
        assert eventually(lambda: len(children(backend.pid)) == 2)
        for _ in range(8):
            _send(backend, "GET", "/counted")
        open_connections = [connect(backend, half) for _ in range(4)]
        both = {series("uploads_in_flight"): 4, reading: 4, requests_to("echo", "GET", 200): 8}
        assert comes_to(backend, both)
        for pid in children(backend.pid):
            os.kill(pid, signal.SIGKILL)
            assert eventually(lambda pid=pid: not is_running(pid))  # type: ignore[misc]
        none = dict.fromkeys(both, 0) | {requests_to("echo", "GET", 200): 8}
        assert comes_to(backend, none | {series("workers", backend=name, version=_version(backend)): 2}, 30)
        for connection in open_connections:
            connection.close()
        _send(backend, "GET", "/counted")
        assert comes_to(backend, {requests_to("echo", "GET", 200): 9})
        assert "cannot show" not in backend.log()


def _version(backend: RunningBackend) -> str:
    (labels,) = {labels for name, labels in values_of(backend) if name == "wireproof_workers"}
    return dict(labels)["version"]


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize("name", _TELL_CONNECTIONS)
def test_new_workers_go_on_counting_after_a_reload(name: str) -> None:
    with start(name, env=ON) as backend:
        assert eventually(lambda: len(children(backend.pid)) == 2)
        first = set(children(backend.pid))
        for _ in range(8):
            _send(backend, "GET", "/counted")
        backend.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: len(set(children(backend.pid)) - first) == 2, 30)
        assert eventually(lambda: not any(map(is_running, first)), 30)
        _send(backend, "GET", "/counted")
        assert comes_to(backend, {requests_to("echo", "GET", 200): 9})


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_errors_of_the_store_are_counted(tmp_path: Path, name: str) -> None:
    store = tmp_path / "store"
    with start(name, store=store, env=ON) as backend:
        _send(backend, "PUT", "/upload/a", b"x")
        store.rename(tmp_path / "away")
        for _ in range(3):
            _send(backend, "PUT", "/upload/a", b"x")
        _send(backend, "GET", "/files/" + "0" * 64)
        expected = {
            series("store_errors_total", operation="create", code="store_unavailable"): 3,
            series("store_errors_total", operation="open", code="store_unavailable"): 1,
            series("store_errors_total", operation="create", code="insufficient_storage"): 0,
            requests_to("put_file", "PUT", 503, "store_unavailable"): 3,
        }
        assert comes_to(backend, expected)


def _folder_of(backend: RunningBackend) -> Path:
    """The folder in which the processes of a server keep their numbers."""
    for descriptor in Path(f"/proc/{backend.pid}/fd").iterdir():
        target = descriptor.readlink()
        if target.name == "lock" and target.parent.name.startswith("wireproof-metrics-"):
            return target.parent
    raise AssertionError("the server has no such folder")


@pytest.mark.parametrize("name", _OWN)
def test_the_folder_is_private_and_goes_with_the_server(name: str) -> None:
    with start(name, env=ON) as backend:
        folder = _folder_of(backend)
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize("name", _TELL_CONNECTIONS)
def test_the_loss_of_the_folder_stops_nothing_but_the_metrics(name: str) -> None:
    with start(name, env=ON) as backend:
        assert comes_to(backend, {})
        shutil.rmtree(_folder_of(backend))
        response = requests.get(backend.url + "/metrics", timeout=60)
        assert (response.status_code, response.json()["code"]) == (500, "internal")
        assert requests.put(backend.url + "/upload/a", data=b"x", timeout=60).status_code == 200


@pytest.mark.parametrize("name", _OWN)
def test_without_the_package_metrics_are_refused_at_the_start_and_off_without_being_asked_for(
    tmp_path: Path, name: str
) -> None:
    without = arranged(tmp_path, "import sys\nsys.modules['prometheus_client'] = None\n")
    with start(name, env=without) as backend:
        response = requests.get(backend.url + "/metrics", timeout=60)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert "--metrics" in response.json()["detail"]
    with pytest.raises(Exception, match="exit status 2") as failed:
        start(name, env=ON | without)
    assert "metrics need the package prometheus_client: pip install 'wireproof[metrics]'" in str(failed.value)
    assert "Traceback" not in str(failed.value)
