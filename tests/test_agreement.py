"""The point of the project: the same bytes get the same response from every backend.

One test a family of cases. A failure names each case and backend that differs, and shows the evidence. The
slow lane and `clients/compare.py` send each case byte by byte too, and the slow lane to FastAPI.
"""

from collections.abc import Mapping, Sequence

import pytest

from clients.comparison.cases import Case
from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import Backend, run_cases
from clients.comparison.verdicts import Verdict
from clients.launch import RunningBackend
from tests.recorded import all_cases

CASES = all_cases()
KNOWN = load_known_differences(KNOWN_DIFFERENCES, CASES)


def by_family(cases: Sequence[Case]) -> Mapping[str, Sequence[Case]]:
    """The recorded cases by their folder, the calls of a client by its name."""
    families: dict[str, list[Case]] = {}
    for case in cases:
        name = case.path.parent.name if case.path else f"calls of {case.client}"
        families.setdefault(name, []).append(case)
    return families


FAMILIES = by_family(CASES)


@pytest.mark.parametrize("byte_by_byte", [False, pytest.param(True, marks=pytest.mark.soak(seconds=20))])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_backend_responds_as_expected_and_as_the_others(
    backends: Mapping[str, RunningBackend], family: str, byte_by_byte: bool
) -> None:
    targets = [
        Backend(backend.name, backend.host, backend.port)
        for backend in backends.values()
        if byte_by_byte or backend.name != "fastapi"
    ]
    cases = FAMILIES[family]
    results = run_cases(cases, targets, known_differences=KNOWN, byte_by_byte=byte_by_byte)
    sent = [(result.case, result.backend) for result in results if result.verdict is not Verdict.NOT_SENT]
    assert sent == [
        (case.name, target.name) for case in cases for target in targets if case.tier <= target.tier
    ]
    failed = [
        f"{result.case} ({result.client}) on {result.backend}: {result.detail}\n{result.evidence}"
        for result in results
        if result.failed
    ]
    assert not failed, f"{len(failed)} differ:\n\n" + "\n\n".join(failed)
