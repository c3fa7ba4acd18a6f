"""The point of the project: the same bytes get the same answer from every backend.

One test a case and backend that gets it; all backends are sent a case once, when the first of its tests runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from clients.comparison.cases import Case, backend_tier
from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import Backend, load_all_cases, run_case
from clients.comparison.verdicts import Result
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES

CASES = load_all_cases()
KNOWN = load_known_differences(KNOWN_DIFFERENCES, CASES)

Compare = Callable[[Case], Mapping[str, Result]]


@pytest.fixture(scope="module")
def compare(backends: Mapping[str, RunningBackend]) -> Compare:
    """Sends a case to all backends, once however often it is asked; the results by backend."""
    targets = [Backend(backend.name, backend.host, backend.port) for backend in backends.values()]
    done: dict[str, Mapping[str, Result]] = {}

    def run(case: Case) -> Mapping[str, Result]:
        if case.name not in done:
            results = run_case(case, targets, known_differences=KNOWN)
            done[case.name] = {result.backend: result for result in results}
        return done[case.name]

    return run


@pytest.mark.parametrize(
    ("case", "backend"),
    [
        pytest.param(case, backend, id=f"{case.name}-{case.client}-{backend}")
        for case in CASES
        for backend in BACKEND_NAMES
        if case.tier <= backend_tier(backend)
    ],
)
def test_every_backend_answers_as_expected_and_as_the_others(
    compare: Compare, case: Case, backend: str
) -> None:
    result = compare(case)[backend]
    assert not result.failed, f"{result.detail}\n{result.evidence}"
