"""compare finds each wrong reading of tests/planted_bugs.py, names its case, and finds nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clients import launch
from clients.comparison.cases import rule_tiers
from clients.comparison.runner import load_all_cases
from clients.launch import PROJECT_ROOT, BackendKind, RunningBackend
from tests.planted_bugs import MUTANTS, Mutant

OTHER = {"socket": "gunicorn", "gunicorn": "socket"}
COMPARE_SECONDS = 600


@pytest.fixture
def mutated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The backend with the wrong reading in it."""
    wrong: Mutant = request.param
    kind = launch.BACKENDS[wrong.backend]
    own = list(kind.command)[2 if wrong.backend == "socket" else 3 :]  # behind python and what it runs
    command = (sys.executable, "-m", "tests.planted_bugs", wrong.backend, wrong.name, *own)
    monkeypatch.setitem(launch.BACKENDS, wrong.backend, BackendKind(command, kind.prints_url))
    with launch.start(wrong.backend) as backend:
        yield backend


def compare(*backends: RunningBackend, cases: str = "*") -> tuple[int, Mapping[str, Any], str]:
    """compare's exit status, its JSON report and what it shows to a human."""
    urls = [f"{backend.name}={backend.url}" for backend in backends]
    done = subprocess.run(
        [sys.executable, "clients/compare.py", *urls, "--cases", cases, "--json", "-"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=COMPARE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def differing(report: Mapping[str, Any], backend: str) -> set[str]:
    """The cases in which compare finds the backend different."""
    return {
        result["case"]
        for result in report["results"]
        if result["backend"] == backend and result["verdict"] == "different"
    }


def assert_caught(wrong: Mutant, status: int, report: Mapping[str, Any], shown: str) -> None:
    found = differing(report, wrong.backend)
    assert wrong.caught_by <= found, f"compare finds only {sorted(found)}"
    assert status == 1
    assert not differing(report, OTHER[wrong.backend]), "the backend that reads right is blamed"
    for case in wrong.caught_by:
        assert f"{case} ({wrong.backend}" in shown.replace("\n", " ")


def parametrized(*names: str) -> pytest.MarkDecorator:
    wrong = [pytest.param(MUTANTS[name], MUTANTS[name], id=name) for name in names]
    return pytest.mark.parametrize(("wrong", "mutated"), wrong, indirect=["mutated"])


@parametrized(*MUTANTS)
def test_a_wrong_reading_is_caught_by_its_case(
    wrong: Mutant, mutated: RunningBackend, backends: Mapping[str, RunningBackend]
) -> None:
    assert_caught(wrong, *compare(mutated, backends[OTHER[wrong.backend]], cases=wrong.cases))


@pytest.mark.soak(seconds=60)
@parametrized(*MUTANTS)
def test_each_wrong_reading_is_caught_among_all_cases(
    wrong: Mutant, mutated: RunningBackend, backends: Mapping[str, RunningBackend]
) -> None:
    assert_caught(wrong, *compare(mutated, backends[OTHER[wrong.backend]]))


@pytest.mark.parametrize("cases", ["*name*", pytest.param("*", marks=pytest.mark.soak(seconds=60))])
def test_without_a_wrong_reading_nothing_is_found(backends: Mapping[str, RunningBackend], cases: str) -> None:
    status, report, shown = compare(backends["socket"], backends["gunicorn"], cases=cases)
    assert status == 0, shown
    assert report["different"] == report["no_answer"] == report["known"] == 0
    assert report["equal"] >= 200


def test_there_are_twelve_wrong_readings_of_each_backend() -> None:
    for backend in OTHER:
        assert len([wrong for wrong in MUTANTS.values() if wrong.backend == backend]) == 12


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_reading_breaks_a_rule_that_its_cases_are_about(name: str) -> None:
    wrong = MUTANTS[name]
    cases = {case.name: case for case in load_all_cases(pattern=wrong.cases)}
    assert wrong.caught_by, "no case is named"
    assert wrong.caught_by <= cases.keys()
    assert wrong.rule in rule_tiers()
    assert any(wrong.rule in cases[case].rules for case in wrong.caught_by)


def test_the_wrong_readings_stay_out_of_the_backends() -> None:
    production = [path for room in ("servers", "clients") for path in Path(PROJECT_ROOT, room).rglob("*.py")]
    assert production
    assert not [path for path in production if "mutant" in path.read_text("utf-8")]
