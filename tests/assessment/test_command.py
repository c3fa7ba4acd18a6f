"""compare with the URL of an upload endpoint, as a user calls it."""

import itertools
import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import trustme
from click.testing import CliRunner, Result

from clients import compare
from clients.assessment import endpoint as endpoint_module
from clients.assessment.groups import Kind
from tests.assessment.serving import app_url
from tests.http1.recording_server import Peer, RecordingServer, ok, recording, scripted

_FEW = ("--cases", "filename-[b-e]*")


def run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "100", "GITHUB_STEP_SUMMARY": ""}).invoke(
        compare.main, list(map(str, arguments))
    )


@pytest.fixture(scope="module")
def flask() -> Iterator[str]:
    with app_url("flask") as url:
        yield f"{url}/upload"


@pytest.fixture(scope="module")
def strict() -> Iterator[str]:
    with app_url("strict") as url:
        yield f"{url}/upload"


@pytest.mark.soak(seconds=10)
def test_a_stock_application_has_a_ranked_verdict_on_one_screen(flask: str) -> None:
    """Its silent losses stand in the first group."""
    done = run(flask)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert len(lines) <= 60
    first = lines[lines.index(next(line for line in lines if line.startswith("SILENT LOSS"))) :]
    group = "\n".join(first[: first.index("")])
    for kind in (
        "whole form is empty",
        "cut off is accepted",
        "Backslashes are lost",
        "bytes that were not sent",
    ):
        assert kind in group


@pytest.mark.soak(seconds=10)
def test_one_line_more_and_nothing_is_lost_any_more(strict: str) -> None:
    done = run(strict)
    assert "SILENT LOSS" not in done.output
    assert "CRASH" not in done.output
    assert "REFUSES" not in done.output


@pytest.mark.soak(seconds=7)
def test_every_report_is_written_and_the_exit_status_tells(flask: str, tmp_path: Path) -> None:
    html, junit, known = tmp_path / "r.html", tmp_path / "r.xml", tmp_path / "known.toml"
    done = run(flask, *_FEW, "--html", html, "--junit", junit, "--json", "-", "--github")
    assert done.exit_code == 1
    (endpoint,) = json.loads(done.stdout)["endpoints"]
    assert endpoint["name"] == flask
    page = html.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count('<div class="bytes-of">') == len(endpoint_findings(endpoint)) > 0
    assert len(page) < 2_000_000
    assert "<testsuite " in junit.read_text("utf-8")
    assert "::error title=silent loss" in done.stderr
    assert run(flask, *_FEW, "--write-known", known).exit_code == 0
    assert "fill in the reason" in run(flask, *_FEW, "--known", known).output
    text = (
        known.read_text("utf-8")
        .replace('reason = ""', 'reason = "r"')
        .replace('expires = ""', "expires = 2999-01-01")
    )
    known.write_text(text, "utf-8")
    done = run(flask, *_FEW, "--known", known)
    assert done.exit_code == 0
    assert "nothing new, " in done.output
    text = text.replace("cases = [", 'cases = [\n    "filename-empty-with-bytes",', 1)
    known.write_text(text, "utf-8")
    done = run(flask, *_FEW, "--known", known)
    assert done.exit_code == 1
    assert "Baseline: remove filename-empty-with-bytes from silent loss: " in " ".join(done.output.split())


def endpoint_findings(endpoint: dict[str, Any]) -> list[str]:
    """The cases of all findings in the JSON report."""
    kinds = [kind for group in endpoint["groups"] for kind in group["kinds"]]
    return [finding["case"] for kind in kinds for finding in kind["findings"]]


def test_right_answers_are_in_the_page_when_they_are_asked_for(strict: str, tmp_path: Path) -> None:
    html = tmp_path / "r.html"
    assert run(strict, *_FEW, "--html", html).exit_code == 0
    assert '<div class="bytes-of">' not in html.read_text("utf-8")
    assert run(strict, *_FEW, "--html", html, "--all").exit_code == 0
    page = html.read_text("utf-8")
    right = re.search(r"right answers <span>(\d+)</span>", page)
    assert right is not None
    assert page.count('<div class="bytes-of">') == int(right[1]) > 1


def test_actions_get_a_summary_of_the_step(flask: str, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    done = CliRunner(env={"GITHUB_STEP_SUMMARY": str(path)}).invoke(compare.main, [flask, *_FEW])
    assert done.exit_code == 1
    assert f"### {flask}" in path.read_text("utf-8")


@pytest.mark.soak(seconds=7)
def test_kinds_and_rules_can_be_chosen(flask: str) -> None:
    done = run(flask, "--only", "urlencoded", "--json", "-")
    assert set(json.loads(done.stdout)["endpoints"][0]["judged"]) == {"multipart", "urlencoded"}
    urlencoded = json.loads(done.stdout)["endpoints"][0]["cases"]
    rules = json.loads(run(flask, "--rules", "U*, M24", "--json", "-").stdout)["endpoints"][0]["cases"]
    assert 0 < urlencoded != rules > 0
    assert "is not among multipart" in run(flask, "--only", "form").output
    assert "no case fits" in run(flask, "--rules", "X9").output


def test_several_endpoints_share_the_screen(flask: str, strict: str) -> None:
    done = run(f"stock={flask}", f"strict={strict}", *_FEW)
    assert len(done.output.splitlines()) <= 60
    assert done.output.startswith("stock  ")
    assert "\nstrict  " in done.output


def test_the_level_status_judges_only_acceptance(flask: str) -> None:
    done = run(flask, *_FEW, "--level", "status")
    assert "only the status is judged" in done.output
    assert "A filename is changed" not in done.output


def test_our_own_backends_can_be_judged_as_any_endpoint() -> None:
    done = run("--backends", "socket", "--level", "parsed", *_FEW)
    assert done.exit_code == 0
    assert "all answers are right" in done.output


def test_fields_and_token_are_added_to_each_request() -> None:
    def answer(request: bytes) -> bytes:
        head = request.partition(b"\r\n\r\n")[0]
        granted = b"\r\nX-Key: k" in head and b"\r\nAuthorization: Bearer t" in head
        return ok(status="200 OK" if granted else "401 Unauthorized")

    with scripted(answer) as server:
        url = f"{server.url}/up"
        done = run(url, "--rules", "M38", "-H", "X-Key: k", "--token", "t")
        assert done.exit_code == 1
        assert "only the status is judged" in done.output
        refused = run(url, "--rules", "M38")
    assert refused.exit_code == 3
    assert "it needs credentials: give them with --token or -H" in refused.output


def test_no_report_has_the_credentials_that_were_added(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("report.html", "report.json", "report.xml")]
    with scripted(lambda _request: ok(), to_the_end=True) as server:
        done = run(
            *(f"{server.url}/up", "--rules", "M38", "--token", "the-secret", "-H", "X-Api-Key: another-one"),
            *("--html", files[0], "--json", files[1], "--junit", files[2]),
        )
    assert done.exit_code == 1
    reported = [done.output, *(file.read_text("utf-8") for file in files)]
    assert any("Authorization: ***" in text for text in reported)
    for text in reported:
        assert "the-secret" not in text
        assert "another-one" not in text


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (ok(status="404 Not Found"), "there is nothing at this path"),
        (ok(status="405 Method Not Allowed"), "it takes no POST"),
        (ok(status="422 Unprocessable Content"), "only with certain fields"),
        (
            b"HTTP/1.1 308 P\r\nLocation: /up/\r\nContent-Length: 0\r\n\r\n",
            "it has moved (308): use the URL /up/",
        ),
        (b"SSH-2.0-x\r\n", "no answer to a POST: not a response"),
        (b"", "no answer to a POST: it closes the connection"),
    ],
)
def test_an_endpoint_that_cannot_be_judged_is_told_why(response: bytes, why: str) -> None:
    with scripted(response) as server:
        done = run(f"{server.url}/up")
    assert done.exit_code == 3
    assert why in " ".join(done.output.split())


def test_an_unreachable_server_is_exit_status_3() -> None:
    with scripted(b"") as server:
        url = f"{server.url}/up"
    done = run(url)
    assert done.exit_code == 3
    assert "no connection" in done.output


def test_a_server_that_dies_on_the_way_stops_the_run() -> None:
    """The case that ended it is a finding, and the others are not sent."""
    served = 0

    def script(peer: Peer) -> None:
        nonlocal served
        peer.read_request()
        peer.send(ok())
        served += 1
        if served == 30:
            server.stop_listening()

    with recording(script) as server:
        done = run(f"{server.url}/up", "--only", "multipart")
    assert done.exit_code == 3
    assert "Not complete: the server can no longer be reached. " in done.output
    assert Kind.GONE in done.output
    assert served < 60


def answering(answer: Callable[[bytes], bytes]) -> AbstractContextManager[RecordingServer]:
    """A server that answers each request by its head."""

    def script(peer: Peer) -> None:
        peer.send(answer(peer.read_request()))

    return recording(script)


def turning(status: str) -> AbstractContextManager[RecordingServer]:
    """A server that accepts 29 requests, and answers all others with this status."""
    numbers = itertools.count(1)
    return answering(lambda request: ok(status="200 OK" if next(numbers) < 30 else status))


def test_a_server_that_limits_the_rate_stops_the_run() -> None:
    with turning("429 Too Many Requests") as server:
        done = run(f"{server.url}/up", "--only", "multipart")
    assert done.exit_code == 3
    assert "Not complete: the server limits the rate of requests (429). " in done.output
    assert len(server.peers) < 100


def test_a_server_that_refuses_everything_in_the_end_is_not_trusted() -> None:
    with turning("403 Forbidden") as server:
        done = run(f"{server.url}/up", "--rules", "M5?")
    assert done.exit_code == 3
    assert "Not complete: the server answered plain uploads with 200, and now with 403." in done.output


def test_a_get_that_is_answered_does_not_hide_that_no_upload_is_taken() -> None:
    def answer(request: bytes) -> bytes:
        return ok(status="200 OK" if request.startswith(b"GET") else "403 Forbidden")

    with answering(answer) as server:
        done = run(f"{server.url}/up")
    assert done.exit_code == 3
    assert "it refuses the sender: credentials are given" in done.output


def test_the_query_of_the_url_is_not_called_invented() -> None:
    def answer(request: bytes) -> bytes:
        form = b'"form":{"a":"1"},"files":[{"name":"f","size":1}]'
        query = dict(parse_qsl(request.split(b" ")[1].partition(b"?")[2].decode()))
        return ok(b'{"args":' + json.dumps(query).encode() + b"," + form + b"}")

    with answering(answer) as server:
        done = run(f"{server.url}/up?key=1", "--cases", "query-*", "--json", "-")
    (endpoint,) = json.loads(done.stdout)["endpoints"]
    assert "args" in endpoint["tells"]["members"]
    assert "'key' was not sent" not in done.stdout


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_MOST_BYTES", 10_000)

    def script(peer: Peer) -> None:
        peer.read_request()
        with suppress(OSError):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
            while True:
                peer.send(bytes(65536))

    with recording(script) as server:
        done = run(f"{server.url}/up")
    assert "no answer to a POST: not a response: it has more than 10000 bytes" in " ".join(
        done.output.split()
    )


def test_options_of_another_level_are_refused(flask: str) -> None:
    for arguments, why in (
        ([flask, "--fail-fast"], "--fail-fast is for --level bytes, and this is parsed"),
        (["--token", "y"], "--token is for --level parsed and status, and this is bytes"),
        ([flask, "--all"], "--all is for --level bytes, or for --html"),
        ([flask, "-H", "no colon"], "is not 'NAME: VALUE'"),
        ([flask, "-H", "X: \u2713"], "is not 'NAME: VALUE'"),
        ([flask, "--token", "a\r\nContent-Length: 3"], "is not 'NAME: VALUE'"),
        ([flask, "-H", "host: example.com"], "-H cannot set host"),
        ([flask, "-H", "Authorization: x", "--token", "y"], "two Authorization fields"),
        ([flask.replace("//", "//u:p@"), "--token", "y"], "there is another Authorization field"),
        ([flask, "--clients", "requests"], "--clients is for --level bytes"),
        ([flask, "--backends", "flask"], "--backends is for a comparison without URLs"),
        ([f"a={flask}", f"b={flask}", "--behind", flask], "--behind is for one URL"),
        ([f"a={flask}", f"b={flask}", "--write-known", "known.toml"], "--write-known is for one URL"),
        ([flask, "--cacert", "nonesuch.pem"], "nonesuch.pem"),
        ([flask, "--known", "nonesuch.toml"], "nonesuch.toml"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert why in " ".join(done.output.split())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[RecordingServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def script(peer: Peer) -> None:
        try:
            peer.connection = context.wrap_socket(peer.connection, server_side=True)
        except (ssl.SSLError, ConnectionError):
            return  # the client did not like the certificate
        with peer.connection:
            peer.read_request()
            peer.send(ok())

    with recording(script) as server:
        yield server


def test_https_is_judged_with_the_certificate_checked(
    authority: trustme.CA, tls_server: RecordingServer, tmp_path: Path
) -> None:
    cafile = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(cafile))
    url = f"https://127.0.0.1:{tls_server.port}/up"
    for arguments in (["--cacert", cafile], ["--insecure"]):
        done = run(url, "--rules", "M38,M50", *arguments)
        assert done.exit_code == 1
        assert "only the status is judged" in done.output
    unknown = run(url, "--rules", "M38")
    assert unknown.exit_code == 3
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.output
