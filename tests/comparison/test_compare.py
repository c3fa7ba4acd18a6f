"""The command compare: its exit status, its reports, and its error messages."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from jsonschema import validate  # type: ignore[import-untyped]

from clients import compare
from clients.comparison.cases import PROJECT_ROOT, Case
from clients.comparison.expectation import Expectation
from clients.comparison.report_files import github_annotations
from clients.comparison.verdicts import Result as ComparedResult
from clients.comparison.verdicts import Verdict
from clients.launch import BACKENDS, BackendKind
from tests.http1.recording_server import HOST, RecordingServer, ok, scripted

REPORT_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("schema", "backends", "clients", "cases", "unreachable", "equal", "known", "different"),
        *("both_refused", "no_response", "not_sent", "results"),
    ],
    "properties": {
        "schema": {"const": 2},
        "backends": {"type": "array", "items": {"type": "string"}},
        "clients": {"type": "array", "items": {"enum": ["raw", "socket", "requests", "stream"]}},
        **{
            name: {"type": "integer", "minimum": 0}
            for name in ("cases", "equal", "known", "different", "both_refused", "no_response", "not_sent")
        },
        "unreachable": {"type": "object", "additionalProperties": {"type": "string"}},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["case", "backend", "client", "verdict", "status", "detail", "seconds"],
                "properties": {
                    "case": {"type": "string"},
                    "backend": {"type": "string"},
                    "client": {"enum": ["raw", "socket", "requests", "stream"]},
                    "verdict": {
                        "enum": ["equal", "known", "different", "both_refused", "no_response", "not_sent"]
                    },
                    "status": {"type": ["integer", "null"]},
                    "detail": {"type": "string"},
                    "seconds": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}
KNOWN = (
    '[[difference]]\ncase = "number"\nbackend = "flask"\nrule = "R38"\nreason = "it counts"\nstatus = 200\n'
)


def case(name: str, expect: Any, tier: int = 1) -> Case:
    request = f"GET /{name} HTTP/1.1\r\nHost: localhost:8000\r\n\r\n".encode()
    path = PROJECT_ROOT / "sample_files" / "requests" / "cookies" / f"{name}.json"
    return Case(name, f"About {name}.", ("R1",), tier, request, Expectation.parse(expect), path=path)


CASES = [
    case("number", {"status": 200}),
    case("plain", {"status": 200, "body": {}}),
    case("pipeline", {"status": 200}, tier=3),
]


@pytest.fixture(autouse=True)
def _cases(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(clients: tuple[str, ...] = ("raw",), pattern: str = "*") -> list[Case]:
        return [case for case in CASES if pattern in ("*", case.name)]

    monkeypatch.setattr(compare, "load_all_cases", load)


@pytest.fixture
def one() -> Iterator[RecordingServer]:
    """A server that always responds `{}`."""
    with scripted(ok()) as server:
        yield server


@pytest.fixture
def other() -> Iterator[RecordingServer]:
    """A server with another response for `/number`."""
    with scripted(lambda request: ok(b'{"n":1}\n' if b"/number" in request else b"{}\n")) as server:
        yield server


@pytest.fixture
def dead_url() -> str:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://{HOST}:{port}"


def run(*arguments: str | Path, known: Path | str = os.devnull) -> Result:
    return CliRunner().invoke(compare.main, ["--level", "bytes", "--known", str(known), *map(str, arguments)])


def test_equal_backends_exit_with_0_and_a_table(one: RecordingServer) -> None:
    result = run(f"socket={one.url}", f"flask={one.url}")
    assert result.exit_code == 0
    assert "3 cases: socket and flask agree." in result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert ["socket", "3", "3", "0", "0", "0", "0", "0"] in rows
    assert ["flask", "2", "2", "0", "0", "0", "0", "1"] in rows
    assert max(map(len, result.output.splitlines())) <= 80


def test_one_case_is_no_plural(one: RecordingServer, other: RecordingServer) -> None:
    equal = run(f"socket={one.url}", "--cases", "number")
    assert "\n1 case: socket is as expected." in equal.output
    different = run(f"socket={one.url}", f"gunicorn={other.url}", "--cases", "number")
    assert "\n1 case: 1 different." in different.output


def test_a_difference_exits_with_1_and_shows_both_responses(
    one: RecordingServer, other: RecordingServer
) -> None:
    result = run(f"socket={one.url}", f"gunicorn={other.url}")
    assert result.exit_code == 1
    for text in (
        "number (gunicorn, raw): different",
        "socket and gunicorn: n: only in the second",
        "GET /number HTTP/1.1",
        '{"n":1}',
        "3 cases: 1 different.",
        "--seed 0 --cases number",
    ):
        assert text in result.output


def test_with_fail_fast_the_first_case_that_fails_is_the_last(
    one: RecordingServer, other: RecordingServer
) -> None:
    result = run(f"socket={one.url}", f"gunicorn={other.url}", "--fail-fast")
    assert result.exit_code == 1
    assert "1 case: 1 different." in result.output
    assert "plain" not in result.output


def test_with_fail_fast_equal_backends_get_every_case(one: RecordingServer) -> None:
    result = run(f"socket={one.url}", "--fail-fast")
    assert "3 cases: socket is as expected." in result.output


def test_the_command_line_that_repeats_a_case_is_printed(
    one: RecordingServer, other: RecordingServer
) -> None:
    arguments = ["--clients", "raw, socket", "--seed", "3", "--header-ignore", "ETag"]
    arguments += ["--header-ignore", "Via", "--json", os.devnull]
    result = run(*arguments, f"socket={one.url}", f"gunicorn={other.url}")
    (again,) = re.findall("^Again: (.+)$", result.output, re.MULTILINE)
    words = shlex.split(again)
    assert words[-6:] == ["--seed", "3", "--cases", "number", f"socket={one.url}", f"gunicorn={other.url}"]
    assert again.startswith(
        "main --level bytes --clients raw,socket --header-ignore ETag --header-ignore Via --known "
    )
    repeated = CliRunner().invoke(compare.main, words[1:])
    assert repeated.exit_code == 1
    assert "1 case: 1 different." in repeated.output


def test_a_url_without_a_name_is_repeated_without_one(one: RecordingServer, other: RecordingServer) -> None:
    result = run(one.url, other.url)
    assert f"--seed 0 --cases number {one.url} {other.url}\n" in result.output


def test_of_many_differences_ten_are_shown_in_full_unless_all_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, one: RecordingServer
) -> None:
    many = [case(f"case-with-a-long-name-{number:02}", {"status": 404}) for number in range(40)]
    monkeypatch.setattr(compare, "load_all_cases", lambda clients=("raw",), pattern="*": many)
    few, every = run(f"socket={one.url}"), run(f"socket={one.url}", "--all")
    assert few.exit_code == every.exit_code == 1
    assert few.output.count("(socket, raw): different") == 10
    assert "30 more, by name (--all shows every difference):" in few.output
    _, _, names = few.output.partition("socket:\n")
    assert [word for word in names.split() if word.startswith("case-")][:30] == [
        shown.name for shown in many[10:]
    ]
    assert max(map(len, names.partition("\n\n")[0].splitlines())) <= 80
    assert names.index("case-with-a-long-name-12") < names.index("\n")
    assert every.output.count("(socket, raw): different") == 40
    assert "by name" not in every.output


def test_a_known_difference_exits_with_0(
    tmp_path: Path, one: RecordingServer, other: RecordingServer
) -> None:
    path = tmp_path / "known.toml"
    path.write_text(KNOWN, "utf-8")
    result = run(f"socket={one.url}", f"flask={other.url}", known=path)
    assert result.exit_code == 0
    assert "agree, 1 known." in result.output
    assert run(f"socket={one.url}", f"flask={one.url}", known=path).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--backends", "nginx"], "nginx is not among socket, flask, gunicorn"),
        (["--backends", ","], "nothing is not among"),
        (["--clients", "curl"], "curl is not among raw, socket, requests, stream"),
        (["ftp://h:1"], "it has to begin with http:// or https://"),
        (["http://h:1/path"], "expected http://HOST:PORT"),
        (["http://h:99999"], "'h:99999' is not a host"),
        (["http://h:0"], "expected http://HOST:PORT"),
        (["http://a..b"], "'a..b' is not a host"),
        (["http://[::1"], "'[::1' is not a host"),
        (["--only", "multipart", "--cases", "number"], "of these clients, kinds and rules"),
        (["a=http://h:1", "a=http://h:2"], "a name of its own"),
        (["--cases", "nonesuch"], "no case matches 'nonesuch'"),
        (["--known", "nonesuch.toml"], "nonesuch.toml"),
        (["--seed", "x"], "'x' is not a valid integer"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], why: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())


def test_a_report_that_cannot_be_written_is_not_wrong_usage(tmp_path: Path, one: RecordingServer) -> None:
    result = run(f"socket={one.url}", "--json", tmp_path)
    assert result.exit_code == 1
    assert "\nError: the report cannot be written: " in result.output
    assert "Usage" not in result.output


def test_a_url_without_a_server_exits_with_3(dead_url: str) -> None:
    result = run(dead_url)
    assert result.exit_code == 3
    assert "Connection refused" in result.output
    assert "Traceback" not in result.output


def test_a_backend_that_does_not_start_exits_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "flask", BackendKind((sys.executable, "-c", "raise SystemExit('no luck')")))
    result = run("--backends", "flask")
    assert result.exit_code == 3
    assert "no luck" in result.output


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch, one: RecordingServer) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "run_cases", interrupt)
    result = run(one.url)
    assert result.exit_code == 130
    assert "Interrupted" in result.output


def test_a_truncated_response_is_a_difference(one: RecordingServer) -> None:
    with scripted(ok()[:-1]) as cut_short:
        result = run(f"socket={one.url}", f"gunicorn={cut_short.url}")
    assert result.exit_code == 1
    assert "3 cases: 2 different." in result.output
    assert "the response's body has 2 of 3 bytes (the connection ended) (sent whole)" in result.output


def test_the_json_report_keeps_its_schema(
    tmp_path: Path, one: RecordingServer, other: RecordingServer
) -> None:
    path = tmp_path / "report.json"
    run(f"socket={one.url}", f"gunicorn={other.url}", "--json", path)
    report = json.loads(path.read_text("utf-8"))
    validate(report, REPORT_SCHEMA)
    assert report["backends"] == ["socket", "gunicorn"]
    assert (report["cases"], report["equal"], report["different"], report["not_sent"]) == (3, 4, 1, 1)
    assert len(report["results"]) == 6


def test_json_to_stdout_is_nothing_but_json(one: RecordingServer) -> None:
    result = run(f"socket={one.url}", "--json", "-")
    validate(json.loads(result.stdout), REPORT_SCHEMA)
    assert "socket is as expected" in result.stderr


def test_junit_is_xml_with_a_suite_a_backend(
    tmp_path: Path, one: RecordingServer, other: RecordingServer
) -> None:
    path = tmp_path / "new" / "junit.xml"
    run(f"socket={one.url}", f"gunicorn={other.url}", "--junit", path)
    suites = ElementTree.parse(path).getroot()
    assert [(suite.get("name"), suite.get("failures"), suite.get("skipped")) for suite in suites] == [
        ("socket", "0", "0"),
        ("gunicorn", "1", "1"),
    ]
    failure = suites.find(".//failure")
    assert failure is not None
    assert "GET /number" in (failure.text or "")
    times = [float(test.get("time", "0")) for test in suites.iter("testcase") if not len(test)]
    assert len(times) == 4
    assert all(0 < time < 60 for time in times)


def test_github_annotations_name_the_case_and_its_file(one: RecordingServer, other: RecordingServer) -> None:
    result = run(f"socket={one.url}", f"gunicorn={other.url}", "--github")
    assert (
        "::error file=sample_files/requests/cookies/number.json,line=1,title=number on gunicorn%3A different"
        "::socket and gunicorn: n: only in the second" in result.output
    )


def test_github_shows_ten_annotations_and_the_number_of_the_others() -> None:
    results = [ComparedResult(f"case-{number}", "flask", "raw", Verdict.DIFFERENT) for number in range(14)]
    lines = list(github_annotations(results, []))
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 10 + ["4"]
    assert lines[10] == "4 more differences."


def test_actions_get_a_summary_of_the_step(
    one: RecordingServer, other: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    run(f"socket={one.url}", f"gunicorn={other.url}")
    assert "| gunicorn | 1 | 0 | 1 | 0 | 0 | 1 |" in path.read_text("utf-8").splitlines()


def test_only_the_chosen_cases_are_sent(one: RecordingServer) -> None:
    assert run(f"socket={one.url}", "--cases", "plain").exit_code == 0
    assert not any(b"/number" in request for request in one.requests)
    assert sum(b"/plain" in request for request in one.requests) == 3


def test_a_url_without_a_name_gets_tiers_1_and_2(one: RecordingServer) -> None:
    result = run(one.url, "--json", "-")
    verdicts = {entry["case"]: entry["verdict"] for entry in json.loads(result.stdout)["results"]}
    assert verdicts == {"number": "equal", "plain": "equal", "pipeline": "not_sent"}


def test_the_version_is_that_of_the_project() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert f'version = "{result.output.split()[-1]}"' in (PROJECT_ROOT / "pyproject.toml").read_text("utf-8")


def test_it_runs_as_a_script_too() -> None:
    script = PROJECT_ROOT / "clients" / "compare.py"
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Exit status: 0" in done.stdout
