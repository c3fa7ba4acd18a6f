"""Compare against servers that lie, answer malformed, fall silent or die: verdicts, exit status, sizes."""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clients import compare
from clients.comparison import runner
from clients.comparison.cases import SAMPLE_FILES, Case
from clients.comparison.expectation import Expectation
from clients.http1.exchange import EXCHANGE_SECONDS, Exchange, exchange
from clients.launch import RunningBackend
from tests.comparison.faulty_server import FaultyServer, faulty, forwarded_to
from tests.http1.recording_server import ok

NUMBER_OF_CASES = 200
SAMPLE_SHA256 = hashlib.sha256((SAMPLE_FILES / "hello-world.txt").read_bytes()).hexdigest().encode()

_SLOW = pytest.mark.soak(seconds=4)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(compare.main, ["--level", "bytes", "--known", os.devnull, *map(str, arguments)])


def report_of(result: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def verdicts(report: Mapping[str, Any], backend: str) -> dict[tuple[str, str], str]:
    return {
        (one["case"], one["client"]): one["verdict"] for one in report["results"] if one["backend"] == backend
    }


@pytest.fixture
def many_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases `/0`, `/1`, ... that expect a JSON object. A busy machine may need seconds for a response."""
    cases = [
        Case(
            f"case-{number:03}",
            "A title.",
            ("R1",),
            1,
            f"GET /{number} HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n".encode(),
            Expectation.parse({"status": 200, "body": {}}),
        )
        for number in range(NUMBER_OF_CASES)
    ]
    monkeypatch.setattr(compare, "load_all_cases", lambda clients=("raw",), pattern="*": cases)


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No response within three seconds is none."""
    monkeypatch.setattr(runner, "exchange", partial(exchange, seconds=3.0))


def is_for(case: int, request: bytes) -> bool:
    return request.startswith(b"GET /%d " % case)


@pytest.mark.parametrize(
    "name", ["socket", pytest.param("flask", marks=_SLOW), pytest.param("gunicorn", marks=_SLOW)]
)
def test_a_wrong_hash_is_a_difference_for_every_client(
    backends: Mapping[str, RunningBackend], name: str
) -> None:
    """The proxy gives every upload and every stored file another hash than it has."""
    honest, forward = backends[name], forwarded_to(backends[name].port)
    lie = SAMPLE_SHA256[::-1]
    with faulty(lambda request: forward(request).replace(SAMPLE_SHA256, lie)) as proxy:
        arguments = ("--cases", "post-file*", "--clients", "socket,requests", "--json", "-")
        result = run(*arguments, f"{name}={honest.url}", f"lying={proxy.url}")
    report = report_of(result)
    assert result.exit_code == 1
    assert set(verdicts(report, name).values()) == {"equal"}
    assert len(verdicts(report, "lying")) == 6
    assert set(verdicts(report, "lying").values()) == {"different"}
    details = {one["client"]: one["detail"] for one in report["results"] if one["backend"] == "lying"}
    assert f"files[0].sha256 is {lie.decode()}, but {SAMPLE_SHA256.decode()} was sent" in details["socket"]
    assert "sha256" in details["requests"]


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (ok()[:-1], "2 of 3 bytes"),
        (b"HTTP/1.1 OK\r\n\r\n", "not a status line"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "not a status line", marks=_SLOW),
        pytest.param(ok(b"{'a'}\n"), "the JSON body is malformed", marks=_SLOW),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
            "not a chunk size line",
            marks=_SLOW,
        ),
        pytest.param(ok()[:-1] + b"\xff", "malformed", marks=_SLOW),
        (b"", "closed without a response"),
    ],
)
@pytest.mark.usefixtures("many_cases")
def test_a_malformed_answer_is_a_difference(response: bytes, why: str) -> None:
    with faulty(lambda request: response if is_for(7, request) else ok()) as server:
        result = run("--json", "-", f"socket={server.url}")
    report = report_of(result)
    assert result.exit_code == 1
    assert (report["different"], report["no_response"], report["equal"]) == (1, 0, NUMBER_OF_CASES - 1)
    assert why in next(one["detail"] for one in report["results"] if one["verdict"] == "different")


@pytest.mark.usefixtures("many_cases")
def test_one_case_without_an_answer_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def short_for_one(host: str, port: int, pieces: list[bytes], **options: Any) -> Exchange:
        seconds = 2.0 if is_for(7, b"".join(pieces)) else EXCHANGE_SECONDS
        return exchange(host, port, pieces, seconds=seconds, **options)

    monkeypatch.setattr(runner, "exchange", short_for_one)
    with faulty(lambda request: None if is_for(7, request) else ok()) as server:
        result = run("--json", "-", f"socket={server.url}")
    report = report_of(result)
    assert result.exit_code == 1
    assert (report["no_response"], report["equal"]) == (1, NUMBER_OF_CASES - 1)
    assert report["unreachable"] == {}
    assert verdicts(report, "socket")["case-007", "raw"] == "no_response"


@pytest.mark.usefixtures("many_cases")
def test_it_stops_soon_after_a_server_is_gone() -> None:
    with faulty(lambda _: ok()) as alive, faulty(lambda _: ok(), dies_after=60) as dying:
        result = run("--json", "-", f"socket={alive.url}", f"gunicorn={dying.url}")
        sent = alive.accepted
    report = report_of(result)
    assert result.exit_code == 3
    assert "gunicorn can no longer be reached" in result.stderr
    assert "Connection refused" in report["unreachable"]["gunicorn"]
    assert report["no_response"] <= runner.IN_FLIGHT
    assert 60 <= sent <= 60 + 3 * 2 * runner.IN_FLIGHT


@pytest.mark.parametrize("ending", [None, b""], ids=["silent", "closing"])
@pytest.mark.usefixtures("many_cases", "short_patience")
def test_a_server_that_hangs_or_only_closes_is_gone_too(
    ending: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.comparison.reachability._PROBE_SECONDS", 2.0)
    servers: list[FaultyServer] = []
    with faulty(lambda _: ok() if servers[0].accepted < 60 else ending) as server:
        servers.append(server)
        result = run("--json", "-", f"socket={server.url}")
    report = report_of(result)
    assert result.exit_code == 3
    assert report["unreachable"].keys() == {"socket"}
    assert report["cases"] < 40


@pytest.mark.usefixtures("many_cases")
def test_details_and_annotations_are_cut(tmp_path: Path) -> None:
    """A megabyte of detail, in each place where a server's text can be shown."""
    vast = b"x" * 1_000_000
    responses = [
        ok(b'{"a":"%s"}\n' % vast, status="404 Not Found"),
        ok(b'{"a":"%s"}\n' % vast, media_type="text/html"),
        b"HTTP/1.1 200 OK\r\nAllow: %s\r\nContent-Length: 3\r\n\r\n{}\n" % vast,
        b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % vast,
        b"HTTP/1.1 200 OK\r\n" + b"Allow: x\r\n" * 10_000 + b"Content-Length: 1\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % vast,
        ok(b"[\x1b[31m%s" % vast),
    ]

    def respond(request: bytes) -> bytes:
        number = int(request.split(b" ")[1][1:] or b"0") if b"healthz" not in request else 99
        return responses[number] if number < len(responses) else ok()

    junit, as_json, html = (tmp_path / name for name in ("junit.xml", "report.json", "report.html"))
    with faulty(respond) as server, faulty(lambda _: ok(b'{"b":1}\n')) as other:
        urls = (f"socket={server.url}", f"gunicorn={other.url}")
        result = run("--github", "--all", "--junit", junit, "--json", as_json, "--html", html, *urls)
    assert result.exit_code == 1
    for text in (result.output, junit.read_text("utf-8"), as_json.read_text("utf-8")):
        assert max(map(len, text.splitlines())) < 4000
        assert "\x1b" not in text
    assert sum(line.startswith("::error ") for line in result.output.splitlines()) >= len(responses)
    page = html.read_text("utf-8")
    assert "\x1b" not in page
    assert len(page) < 2_000_000
    assert page.count('<div class="bytes-of">') >= len(responses)


def test_a_megabyte_instead_of_a_hash_is_cut_in_the_clients_own_message(
    backends: Mapping[str, RunningBackend],
) -> None:
    forward = forwarded_to(backends["socket"].port)

    def lie(request: bytes) -> bytes:
        _, _, body = forward(request).partition(b"\r\n\r\n")
        return ok(body.replace(SAMPLE_SHA256, b"f" * 1_000_000))

    with faulty(lie) as proxy:
        result = run("--cases", "post-file", "--clients", "socket", "--github", f"socket={proxy.url}")
    assert result.exit_code == 1
    (annotation,) = [line for line in result.output.splitlines() if line.startswith("::error ")]
    assert len(annotation) < 1000
    assert f"but {SAMPLE_SHA256.decode()} was sent" in annotation
