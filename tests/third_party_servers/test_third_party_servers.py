"""compare finds the defects of a stock Flask application, and can ignore the fields of a proxy."""

import socket
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest

from clients import launch
from clients.comparison.projection import Projection
from clients.comparison.runner import Backend, load_all_cases, run_cases
from clients.comparison.verdicts import Result, Verdict
from clients.launch import BackendKind, RunningBackend

PARSED = Projection(parsed=True)
# The defects of the stock application: a case for each, and part of compare's message.
DEFECTS = {
    # Broken multipart gives 200 and an empty form.
    "multipart-ends-in-a-file": "status: expected 400, got 200",
    "multipart-ends-with-the-boundary": "status: expected 400, got 200",
    "part-without-content-disposition": "status: expected 400, got 200",
    # A delimiter that is split at 64 KiB leaves a CR at the end of the file (Werkzeug 3.1.9).
    "closing-dashes-at-the-64-kib-edge": "expected 65351, got 65352",
    # gunicorn does not report that a body is truncated.
    "text-body-cut": "status: expected 400, got 200",
    "form-body-cut": "status: expected 400, got 200",
    # Backslashes are lost.
    "filename-of-a-windows-path": "files[0].filename: expected",
    # A filename after filename* wins.
    "filename-ext-before-its-replacement": "files[0].filename: expected 'café.txt', got 'caf?.txt'",
    # A chunked body that is cut is an error of the server.
    "chunked-cut-in-chunk-data": "status: expected 400, got 500",
}

READ_WELL = {"post-file", "post-form", "file-ending-in-crlf", "file-of-all-bytes"}


@pytest.fixture(scope="module")
def stock() -> Iterator[RunningBackend]:
    command = (
        *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
        *("--bind", "{address}", "tests.third_party_servers.stock_flask:app"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(launch.BACKENDS, "stock", BackendKind(command))
        with launch.start("stock") as backend:
            yield backend


@pytest.fixture(scope="module")
def results(stock: RunningBackend, backends: Mapping[str, RunningBackend]) -> list[Result]:
    """Those of the cases that are named above, and of every eighth case."""
    compared = [
        Backend("socket", backends["socket"].host, backends["socket"].port),
        Backend("flask", stock.host, stock.port),  # T1: what an application can see
    ]
    cases = [case for case in load_all_cases() if PARSED.includes(case)]
    named = DEFECTS.keys() | READ_WELL
    chosen = [case for place, case in enumerate(cases) if place % 8 == 0 or case.name in named]
    return run_cases(chosen, compared, known_differences={}, projection=PARSED)


@pytest.mark.parametrize("case", DEFECTS)
def test_compare_names_each_defect_of_a_stock_flask_application(case: str, results: list[Result]) -> None:
    (found,) = (result for result in results if result.case == case and result.backend == "flask")
    assert found.verdict is Verdict.DIFFERENT
    assert DEFECTS[case] in found.detail


def test_correct_readings_of_the_stock_application_are_equal(results: list[Result]) -> None:
    equal = {
        result.case for result in results if result.verdict is Verdict.EQUAL and result.backend == "flask"
    }
    assert equal >= READ_WELL


def test_our_own_server_is_equal_when_only_parsed_results_count(results: list[Result]) -> None:
    ours = [result for result in results if result.backend == "socket"]
    assert [result.case for result in ours if result.failed] == []
    assert len(ours) > 200


class Proxy:
    """A gateway in front of a backend: it adds Via and changes Host; one request a connection."""

    def __init__(self, backend: RunningBackend) -> None:
        self._target = (backend.host, backend.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            request = b"".join(iter(lambda: client.recv(65536), b""))
            head, blank, body = request.partition(b"\r\n\r\n")
            head = head.replace(b"\r\nHost: localhost:8000", b"\r\nHost: 127.0.0.1:9\r\nVia: 1.1 proxy")
            server.sendall(head + blank + body)
            server.shutdown(socket.SHUT_WR)
            client.sendall(b"".join(iter(lambda: server.recv(65536), b"")))


@pytest.fixture
def proxy(backends: Mapping[str, RunningBackend]) -> Iterator[Proxy]:
    forwarding = Proxy(backends["socket"])
    yield forwarding
    forwarding.close()


@pytest.mark.parametrize(("ignored", "alike"), [((), False), (("via",), False), (("via", "host"), True)])
def test_header_ignore_lets_a_proxy_set_its_fields(
    proxy: Proxy, backends: Mapping[str, RunningBackend], ignored: tuple[str, ...], alike: bool
) -> None:
    compared = [
        Backend("socket", backends["socket"].host, backends["socket"].port),
        Backend("proxied", "127.0.0.1", proxy.port),
    ]
    cases = load_all_cases(["raw"], "form-keeps-order-and-repeats") + load_all_cases(
        ["raw"], "file-of-all-bytes"
    )
    results = run_cases(
        cases, compared, known_differences={}, projection=Projection(ignored=frozenset(ignored))
    )
    assert len(results) == 4
    assert all(result.verdict is Verdict.EQUAL for result in results) == alike
