"""The command fuzz: a planted difference is found, shrunk, saved and reported; the figures add up."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clients import fuzz
from clients.comparison.cases import rule_tiers
from clients.fuzzing.draft import FuzzRequest
from clients.fuzzing.evaluation import Evaluation, Outcome
from clients.fuzzing.generator import INEXPRESSIBLE
from clients.fuzzing.report import Example, FuzzReport
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response
from tests.comparison.faulty_server import faulty
from tests.http1.recording_server import RecordingServer, ok, scripted

PLANTED = b"\xf0\x9f\x98\x80"

_SLOW = pytest.mark.soak(seconds=5)


@pytest.fixture
def plain() -> Iterator[RecordingServer]:
    """A server that always responds `{}`."""
    with scripted(ok(), to_the_end=True) as server:
        yield server


@pytest.fixture
def odd() -> Iterator[RecordingServer]:
    """A server with another response to requests that have the planted bytes."""
    with scripted(
        lambda request: ok(b'{"n":1}\n' if PLANTED in request else b"{}\n"), to_the_end=True
    ) as server:
        yield server


def is_odd(request: bytes) -> bool:
    """Whether a server that gives some requests a wrong answer does so; never for a sample file."""
    return b"x" in request[-300:] and not request.startswith(b"PUT /upload/")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(fuzz.main, ["--known", os.devnull, *map(str, arguments)])


def test_servers_that_agree_exit_with_0(plain: RecordingServer, tmp_path: Path) -> None:
    save = tmp_path / "none"
    urls = (f"socket={plain.url}", f"gunicorn={plain.url}")
    result = run("--seconds", "30", "--requests", "60", "--save", save, *urls)
    assert result.exit_code == 0, result.output
    assert "socket, gunicorn agree." in result.output
    assert "60 requests" in result.output
    assert not save.exists()


def test_a_short_run_is_told_in_a_few_lines_and_the_hits_only_when_asked_for(plain: RecordingServer) -> None:
    urls = (f"socket={plain.url}", f"gunicorn={plain.url}")
    arguments = ("--seconds", "30", "--requests", "60", *urls)
    short, long = run(*arguments), run("--verbose", *arguments)
    lines = [line for line in short.output.splitlines() if not line.startswith("Generator: accepted with")]
    assert len(lines) < 15
    assert lines[0].endswith("accepted (100.0%)")
    assert re.search(
        r"^[0-9]+ of [0-9]+ rules were reached; a longer run reaches more\.$", short.output, re.M
    )
    assert re.search(r"^[0-9]+ of the requests \([0-9.]+%\) were multipart forms\.$", short.output, re.M)
    assert "Sent: 60 to socket, 60 to gunicorn." in short.output
    assert "too few hits" not in short.output
    assert "Hits of each rule" not in short.output
    assert "Hits of each rule" in long.output
    assert "too few hits" in long.output


@pytest.mark.soak(seconds=12)
def test_an_ignored_field_is_no_difference_in_a_fuzz_run_either(
    plain: RecordingServer, tmp_path: Path
) -> None:
    response = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: x\r\nContent-Length: 3\r\n\r\n{}\n"
    )
    with scripted(response, to_the_end=True) as tagged:
        urls = (f"one={plain.url}", f"two={tagged.url}")
        arguments = ("--seconds", "30", "--requests", "20", "--save", tmp_path, *urls)
        assert run(*arguments).exit_code == 1
        assert run("--header-ignore", "ETag", *arguments).exit_code == 0


@pytest.mark.soak(seconds=12)
@pytest.mark.parametrize(("what", "status"), [("bytes", 1), ("parsed", 0)])
def test_a_fuzz_run_compares_bytes_or_what_was_parsed(what: str, status: int, tmp_path: Path) -> None:
    with (
        scripted(ok(b'{"form":[],"more":1}\n'), to_the_end=True) as one,
        scripted(ok(b'{"form":[]}\n'), to_the_end=True) as other,
    ):
        urls = (f"one={one.url}", f"two={other.url}")
        result = run("--seconds", "30", "--requests", "40", "--compare", what, "--save", tmp_path, *urls)
    assert result.exit_code == status, result.output


def test_a_planted_byte_is_found_and_made_small(
    plain: RecordingServer, odd: RecordingServer, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    arguments = ("--seconds", "60", "--requests", "200", "--seed", "4", "--save", tmp_path, "--json", report)
    result = run(*arguments, f"socket={plain.url}", f"gunicorn={odd.url}")
    assert result.exit_code == 1, result.output
    (saved,) = tmp_path.glob("fuzz-4-*.http")
    # The request line stays with what every backend gets.
    assert saved.read_bytes().partition(b"\r\n\r\n")[2] in (PLANTED, b"")
    assert PLANTED in saved.read_bytes()
    assert len(saved.read_bytes()) < 60
    both = json.loads(saved.with_suffix(".json").read_text("utf-8"))
    assert both["seed"] == 4
    assert {name: one["responses"][0]["body"] for name, one in both["responses"].items()} == {
        "socket": "{}\n",
        "gunicorn": '{"n":1}\n',
    }
    assert "socket and gunicorn: n: only in the second" in result.output
    document = json.loads(report.read_text("utf-8"))
    assert document["cases"] == 200
    assert document["different"] == sum(document["fuzz"]["kinds_of_difference"].values()) > 0
    assert [one["case"] for one in document["results"]] == [saved.stem]


@pytest.mark.soak(seconds=12)
def test_the_same_seed_finds_the_same(plain: RecordingServer, odd: RecordingServer, tmp_path: Path) -> None:
    documents: list[dict[str, Any]] = []
    for name in ("one", "other"):
        save = tmp_path / name
        arguments = ("--seconds", "60", "--requests", "120", "--seed", "9", "--save", save, "--json", "-")
        result = run(*arguments, f"socket={plain.url}", f"gunicorn={odd.url}")
        documents.append(json.loads(result.stdout))
        documents[-1]["fuzz"].pop("seconds")
    assert documents[0] == documents[1]
    names = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("one", "other")]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (ok(status="404 Not Found"), "404"),
        pytest.param(ok()[:-1], "2 of 3 bytes", marks=_SLOW),
        pytest.param(b"x", "status line", marks=_SLOW),
    ],
)
def test_a_server_that_does_not_store_was_reached(response: bytes, why: str) -> None:
    with scripted(response, to_the_end=True) as server:
        result = run("--seconds", "5", "--requests", "5", f"socket={server.url}")
    assert result.exit_code == 1
    assert "socket: a.txt could not be stored first: " in result.output
    assert why in result.output


@pytest.mark.parametrize(
    ("wrong", "ending"),
    [
        pytest.param(ok()[:-1], "bad response", marks=_SLOW),
        pytest.param(b"HTTP/1.1 x\r\n\r\n", "bad response", marks=_SLOW),
        pytest.param(ok(b"{'a'}\n"), "200: the JSON body is malformed", marks=_SLOW),
        (ok(b'{"sha256":"ff"}\n'), "200: shaN"),
        (b"", "closed"),
    ],
)
def test_a_wrong_answer_is_a_difference(wrong: bytes, ending: str, tmp_path: Path) -> None:
    right = ok(b'{"sha256":"00"}\n')
    with (
        scripted(right, to_the_end=True) as one,
        scripted(lambda request: wrong if is_odd(request) else right, to_the_end=True) as other,
    ):
        arguments = ("--seconds", "60", "--requests", "40", "--save", tmp_path, "--json", "-")
        result = run(*arguments, f"socket={one.url}", f"gunicorn={other.url}")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["different"] > 0
    assert document["no_response"] == 0
    assert {one["verdict"] for one in document["results"]} == {"different"}
    assert all(ending in kind for kind in document["fuzz"]["kinds_of_difference"])


@pytest.mark.soak(seconds=12)
def test_it_stops_soon_after_a_server_is_gone(tmp_path: Path) -> None:
    with (
        faulty(lambda _: ok(), until_end=True) as alive,
        faulty(lambda _: ok(), dies_after=60, until_end=True) as dying,
    ):
        arguments = ("--seconds", "60", "--save", tmp_path, "--json", "-")
        result = run(*arguments, f"socket={alive.url}", f"gunicorn={dying.url}")
        sent = alive.accepted
    document = json.loads(result.stdout)
    assert result.exit_code == 3
    assert "Stopped: gunicorn can no longer be reached (" in result.stderr
    assert document["unreachable"].keys() == {"gunicorn"}
    assert document["cases"] < 100
    assert sent < 200


@pytest.mark.soak(seconds=12)
def test_a_code_of_a_megabyte_is_cut(tmp_path: Path) -> None:
    vast = ok(b'{"code":"%s"}\n' % (b"x" * 1_000_000), status="400 Bad Request")
    with (
        scripted(ok(), to_the_end=True) as one,
        scripted(lambda request: vast if is_odd(request) else ok(), to_the_end=True) as other,
    ):
        arguments = ("--seconds", "60", "--requests", "20", "--save", tmp_path, "--github")
        result = run(*arguments, f"socket={one.url}", f"gunicorn={other.url}")
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) < 4000


@pytest.mark.soak(seconds=12)
def test_a_request_that_cannot_be_saved_is_not_wrong_usage(
    plain: RecordingServer, odd: RecordingServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    arguments = ("--seconds", "60", "--requests", "200", "--seed", "4", "--save", tmp_path / "file" / "x")
    result = run(*arguments, f"socket={plain.url}", f"gunicorn={odd.url}")
    assert result.exit_code == 1
    assert "\nError: the minimal request cannot be written: " in result.output
    assert "Usage" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0"),
        ("--seconds", "-1"),
        ("--seconds", "nan"),
        ("--seconds", "inf"),
        ("--requests", "0"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_the_defaults_are_a_minute_and_the_two_backends_of_tier_2() -> None:
    defaults = {parameter.name: parameter.default for parameter in fuzz.main.params}
    assert (defaults["seconds"], defaults["backends"]) == (60, "socket,gunicorn")


def example(request: FuzzRequest, evaluation: Evaluation, status: int = 200) -> Example:
    exchange = Exchange((Response(status, (), b""),))
    return Example(request, {"socket": exchange, "gunicorn": exchange}, evaluation)


def test_a_rule_is_hit_where_it_was_exercised() -> None:
    report = FuzzReport(1, ("socket", "gunicorn"))
    valid = FuzzRequest(0, b"", rules=frozenset({"R1", "M1"}), alone=True, multipart=True)
    faulty = FuzzRequest(1, b"", rules=frozenset({"R1"}), fault_rules=("B5",), alone=True)
    mutated = FuzzRequest(2, b"")
    report.count(example(valid, Evaluation(Outcome.ACCEPTED)))
    report.count(example(faulty, Evaluation(Outcome.REFUSED), 400))
    report.count(example(mutated, Evaluation(Outcome.REFUSED_DIFFERENTLY, "two codes"), 400))
    report.count(example(mutated, Evaluation(Outcome.DIFFERENT, "kind")))
    assert report.hits == {"R1": 1, "M1": 1, "B5": 1, "S3": 1}
    assert report.requests == 4
    assert report.accepted == 1
    assert report.multipart == 1
    assert report.share(report.multipart) == 0.25
    assert report.codes == {"two codes": 1}
    assert report.kinds == {"kind": 1}
    assert report.sent == {"socket": 4, "gunicorn": 4}
    assert not report.unexpected
    document = json.loads(report.as_json([]))
    assert [document[key] for key in ("cases", "equal", "both_refused", "different")] == [4, 2, 1, 1]
    assert document["fuzz"]["rules"].keys() == rule_tiers().keys() - INEXPRESSIBLE.keys()
    assert "B5" not in document["fuzz"]["rules_missed"]
    assert "B6" in document["fuzz"]["rules_missed"]


def test_requests_that_the_grammar_got_wrong_are_reported() -> None:
    report = FuzzReport(1, ("socket",))
    faulty = FuzzRequest(1, b"", rules=frozenset({"R1"}), fault_rules=("B5",), alone=True)
    report.count(example(faulty, Evaluation(Outcome.ACCEPTED)))
    valid = FuzzRequest(0, b"", rules=frozenset({"R1"}), alone=True)
    report.count(example(valid, Evaluation(Outcome.REFUSED)))
    assert report.unexpected == {"accepted with the fault of B5": 1, "refused without a fault": 1}


def test_the_first_example_of_a_kind_is_kept() -> None:
    report = FuzzReport(1, ("socket",))
    for index in (5, 3, 8):
        report.count(example(FuzzRequest(index, b""), Evaluation(Outcome.DIFFERENT, "kind")))
    assert report.different["kind"].request.index == 3
    assert report.kinds["kind"] == 3
