"""compare finds each bug of tests/planted_bugs, names its cases, and finds nothing else."""

import json
import subprocess
import sys
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from clients import launch
from clients.comparison.cases import rule_tiers
from clients.comparison.runner import load_all_cases
from clients.launch import PROJECT_ROOT, BackendKind, RunningBackend
from tests.planted_bugs import PLANTED_BUGS, PlantedBug

OTHER = {"socket": "gunicorn", "gunicorn": "socket"}
COMPARE_SECONDS = 600
SAMPLE = "*[f-h0-9]"  # a sixth of the cases, with rules of every kind


@pytest.fixture
def patched_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The backend with the planted bug."""
    bug: PlantedBug = request.param
    kind = launch.BACKENDS[bug.backend]
    own = kind.command[3:]  # after `python -m MODULE`
    command = (sys.executable, "-m", "tests.planted_bugs", bug.backend, bug.name, *own)
    monkeypatch.setitem(launch.BACKENDS, bug.backend, BackendKind(command, kind.prints_url))
    with launch.start(bug.backend) as backend:
        yield backend


def compare(*backends: RunningBackend, cases: str = "*") -> tuple[int, Mapping[str, Any], str]:
    """compare's exit status, its JSON report, and the report for people."""
    urls = [f"{backend.name}={backend.url}" for backend in backends]
    done = subprocess.run(
        [sys.executable, "clients/compare.py", *urls, "--cases", cases, "--all", "--json", "-"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=COMPARE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def differing(report: Mapping[str, Any], backend: str) -> set[str]:
    """The cases that compare reports as different on the backend."""
    return {
        result["case"]
        for result in report["results"]
        if result["backend"] == backend and result["verdict"] == "different"
    }


def assert_caught(bug: PlantedBug, status: int, report: Mapping[str, Any], shown: str) -> None:
    found = differing(report, bug.backend)
    assert bug.caught_by <= found, f"compare finds only {sorted(found)}"
    assert status == 1
    assert not differing(report, OTHER[bug.backend]), "the backend without a bug is reported"
    for case in bug.caught_by:
        assert f"{case} ({bug.backend}" in shown.replace("\n", " ")


def assert_most_agree(bug: PlantedBug, report: Mapping[str, Any]) -> None:
    assert 2 * len(differing(report, bug.backend)) < report["cases"], "most differ: the patch is broken"


def parametrized(names: Iterable[str], daily: Container[str]) -> pytest.MarkDecorator:
    """These bugs; the soak run takes those that are not for each day."""
    bugs = [
        pytest.param(bug, bug, id=bug.name, marks=() if bug.name in daily else pytest.mark.soak(seconds=15))
        for bug in map(PLANTED_BUGS.__getitem__, names)
    ]
    return pytest.mark.parametrize(("bug", "patched_backend"), bugs, indirect=["patched_backend"])


@parametrized(PLANTED_BUGS, daily=list(PLANTED_BUGS)[::16])
def test_a_planted_bug_is_caught_by_its_cases_and_changes_few_others(
    bug: PlantedBug, patched_backend: RunningBackend, backends: Mapping[str, RunningBackend]
) -> None:
    other = backends[OTHER[bug.backend]]
    assert_caught(bug, *compare(patched_backend, other, cases=bug.cases))
    _, report, _ = compare(patched_backend, other, cases=SAMPLE)
    assert_most_agree(bug, report)


@pytest.mark.soak(seconds=60)
@parametrized(list(PLANTED_BUGS)[::16], daily=PLANTED_BUGS)
def test_a_planted_bug_is_caught_among_all_cases(
    bug: PlantedBug, patched_backend: RunningBackend, backends: Mapping[str, RunningBackend]
) -> None:
    status, report, shown = compare(patched_backend, backends[OTHER[bug.backend]])
    assert_caught(bug, status, report, shown)
    assert_most_agree(bug, report)


@pytest.mark.parametrize("cases", ["name-with*", pytest.param("*", marks=pytest.mark.soak(seconds=60))])
def test_without_a_planted_bug_nothing_is_found(backends: Mapping[str, RunningBackend], cases: str) -> None:
    status, report, shown = compare(backends["socket"], backends["gunicorn"], cases=cases)
    assert status == 0, shown
    assert report["different"] == report["no_response"] == report["known"] == 0
    assert report["equal"] >= 10


def test_there_are_twelve_planted_bugs_or_more_for_each_backend() -> None:
    for backend in OTHER:
        assert len([bug for bug in PLANTED_BUGS.values() if bug.backend == backend]) >= 12


@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_a_planted_bug_breaks_a_rule_of_its_cases(name: str) -> None:
    bug = PLANTED_BUGS[name]
    cases = {case.name: case for case in load_all_cases(pattern=bug.cases)}
    assert bug.caught_by, "no case is named"
    assert bug.caught_by <= cases.keys()
    assert bug.rule in rule_tiers()
    assert any(bug.rule in cases[case].rules for case in bug.caught_by)


def test_the_code_of_the_backends_mentions_no_planted_bug() -> None:
    production = [path for room in ("servers", "clients") for path in Path(PROJECT_ROOT, room).rglob("*.py")]
    assert production
    assert not [path for path in production if "planted" in path.read_text("utf-8")]
