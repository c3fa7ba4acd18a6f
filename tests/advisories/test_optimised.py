"""H101: `python -O` removes assert statements; the servers still respond the same."""

import pytest

from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import Backend, run_cases
from tests.advisories.assertions import Accepted, CutOff, Refused, Rejected, Stored
from tests.advisories.attacks import Attack
from tests.advisories.conftest import Targets
from tests.advisories.test_advisories import ATTACKS
from tests.recorded import all_cases

# All cases and attacks run without -O; a sample is enough to show that nothing depends on an assert.
_ONE_CASE_IN = 16
_ONE_ATTACK_IN = 8
_CASES = all_cases()
_KNOWN = load_known_differences(KNOWN_DIFFERENCES, _CASES)
_BACKENDS = [pytest.param(name, id=f"H101-{name}") for name in ("socket", "gunicorn")]
_SAMPLE = [
    attack
    for attack in ATTACKS
    if isinstance(attack.check, Accepted | CutOff | Refused | Rejected | Stored) and attack.variant == "disk"
][::_ONE_ATTACK_IN]


@pytest.mark.soak(seconds=10)
@pytest.mark.parametrize("backend", _BACKENDS)
def test_recorded_cases_are_answered_the_same_under_O(backend: str, targets: Targets) -> None:
    target = targets(backend, "optimised")
    server = Backend(backend, target.backend.host, target.port)
    sample = [case for case in _CASES if case.tier <= server.tier][::_ONE_CASE_IN]
    results = run_cases(sample, [server], known_differences=_KNOWN)
    assert [f"{result.case}: {result.detail}" for result in results if result.failed] == []
    assert len(results) == len(sample) > 50


@pytest.mark.parametrize(
    ("attack", "backend"),
    [
        pytest.param(attack, backend, id=f"H101-{attack.id}-{backend}")
        for attack in _SAMPLE
        for backend in attack.backends
        if backend != "flask"
    ],
)
def test_attack(attack: Attack, backend: str, targets: Targets) -> None:
    target = targets(backend, "optimised")
    with target.alive():
        attack.check(target)
