"""Generated requests get the same answer from every backend, and the generator does what it says.

The seed is fixed, so that a failure can be looked at; another seed is a run of `compare.py --fuzz` away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from clients.agreement import Backend, load_all_cases
from clients.fuzz.report import WANTED_ACCEPTED, WANTED_MULTIPART, FuzzReport
from clients.fuzz.run import fuzz, result_of, shrunk
from clients.known import KNOWN_DIFFERENCES, load_known
from clients.launch import RunningBackend

SEED = 20240118
# Two backends get more of them than four do: what is for all costs the development server a thread each.
COUNTS = {("socket", "gunicorn"): 4000, ("socket", "gunicorn", "flask", "fastapi"): 1500}
SOAK = 100_000


def _run(backends: Mapping[str, RunningBackend], names: Sequence[str], count: int, seed: int) -> FuzzReport:
    """Fuzz those of the backends that are installed; what differs fails the test with its evidence."""
    chosen = [Backend(name, backends[name].host, backends[name].port) for name in names if name in backends]
    known = load_known(KNOWN_DIFFERENCES, load_all_cases())
    report = fuzz(chosen, seed=seed, known=known, count=count)
    small = [result_of(shrunk(example, chosen), seed) for example in report.different.values()]
    assert not small, "\n\n".join(f"{result.case}: {result.detail}\n{result.evidence}" for result in small)
    return report


@pytest.mark.parametrize("names", COUNTS, ids=lambda names: f"{len(names)} backends")
def test_generated_requests_are_answered_alike(
    backends: Mapping[str, RunningBackend], names: tuple[str, ...]
) -> None:
    report = _run(backends, names, COUNTS[names], SEED)
    assert report.requests == COUNTS[names]
    assert not report.unexpected, "a production is not what it says"
    assert report.share(report.accepted) >= WANTED_ACCEPTED
    assert report.share(report.multipart) >= WANTED_MULTIPART
    assert report.sent["socket"] == report.sent["gunicorn"] == report.requests


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_hit_every_rule(backends: Mapping[str, RunningBackend]) -> None:
    report = _run(backends, ("socket", "gunicorn"), SOAK, SEED + 1)
    assert report.missed_rules() == []
    assert not report.unexpected
    assert report.share(report.accepted) >= WANTED_ACCEPTED
    assert report.share(report.multipart) >= WANTED_MULTIPART
