"""H101: the servers under `python -O`, where an assert that carries logic would be gone, answer the same."""

from __future__ import annotations

import pytest

from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import Backend, load_all_cases, run_cases
from tests.advisories.assertions import Accepted, CutOff, Refused, Rejected, Stored
from tests.advisories.attacks import Shot
from tests.advisories.conftest import Targets
from tests.advisories.test_advisories import SHOTS

# The suites run whole without -O; here one in so many of each tells that nothing depends on it.
_ONE_CASE_IN = 6
_ONE_SHOT_IN = 8
_CASES = load_all_cases()
_KNOWN = load_known_differences(KNOWN_DIFFERENCES, _CASES)
_BACKENDS = [pytest.param(name, id=f"H101-{name}") for name in ("socket", "gunicorn")]
_SAMPLE = [
    shot
    for shot in SHOTS
    if isinstance(shot.check, Accepted | CutOff | Refused | Rejected | Stored) and shot.variant == "disk"
][::_ONE_SHOT_IN]


@pytest.mark.parametrize("backend", _BACKENDS)
def test_recorded_cases_are_answered_the_same_under_O(backend: str, targets: Targets) -> None:
    target = targets(backend, "optimised")
    server = Backend(backend, target.backend.host, target.port)
    sample = [case for case in _CASES if case.tier <= server.tier][::_ONE_CASE_IN]
    results = run_cases(sample, [server], known_differences=_KNOWN)
    assert [f"{result.case}: {result.detail}" for result in results if result.failed] == []
    assert len(results) == len(sample) > 50


@pytest.mark.parametrize(
    ("shot", "backend"),
    [
        pytest.param(shot, backend, id=f"H101-{shot.id}-{backend}")
        for shot in _SAMPLE
        for backend in shot.backends
        if backend != "flask"
    ],
)
def test_hall(shot: Shot, backend: str, targets: Targets) -> None:
    target = targets(backend, "optimised")
    with target.alive():
        shot.check(target)
