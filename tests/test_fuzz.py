"""Every backend responds alike to generated requests, and the generator hits every rule.

The seed is fixed, so that a failure can be repeated. `clients/fuzz.py --seed N` sends other requests.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pytest

from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import Backend
from clients.fuzzing.report import WANTED_ACCEPTED, WANTED_MULTIPART, FuzzReport
from clients.fuzzing.run import fuzz, result_of, shrunk
from clients.launch import BACKENDS, BackendKind, RunningBackend, start
from tests.planted_bugs import PLANTED_BUGS, PlantedBug
from tests.recorded import all_cases

SEED = 20240118
# Four backends get fewer requests: the development server needs a thread for each.
COUNTS = {("socket", "gunicorn"): 600, ("socket", "gunicorn", "flask", "fastapi"): 300}
SOAK = 100_000
# Enough for each bug of tests/planted_bugs; some need one kind of fault.
BITES = 3000


def _run(backends: Mapping[str, RunningBackend], names: Sequence[str], count: int, seed: int) -> FuzzReport:
    """Fuzz the installed ones of these backends. Fails with the evidence of each difference."""
    chosen = [Backend(name, backends[name].host, backends[name].port) for name in names if name in backends]
    known_differences = load_known_differences(KNOWN_DIFFERENCES, all_cases())
    report = fuzz(chosen, seed=seed, known_differences=known_differences, count=count)
    small = [result_of(shrunk(example, chosen), seed) for example in report.different.values()]
    assert not small, "\n\n".join(f"{result.case}: {result.detail}\n{result.evidence}" for result in small)
    return report


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(
            names, id=f"{len(names)} backends", marks=pytest.mark.soak(seconds=10) if len(names) > 2 else ()
        )
        for names in COUNTS
    ],
)
def test_every_backend_responds_alike_to_generated_requests(
    backends: Mapping[str, RunningBackend], names: tuple[str, ...]
) -> None:
    report = _run(backends, names, COUNTS[names], SEED)
    assert report.requests == COUNTS[names]
    assert not report.unexpected, "a production is accepted or refused against its rules"
    assert report.share(report.accepted) >= WANTED_ACCEPTED
    assert report.share(report.multipart) >= WANTED_MULTIPART
    assert report.sent["socket"] == report.sent["gunicorn"] == report.requests


@pytest.mark.soak(seconds=400)
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_hit_every_rule(backends: Mapping[str, RunningBackend]) -> None:
    report = _run(backends, ("socket", "gunicorn"), SOAK, SEED + 1)
    assert report.missed_rules() == []
    assert not report.unexpected
    assert report.share(report.accepted) >= WANTED_ACCEPTED
    assert report.share(report.multipart) >= WANTED_MULTIPART


@contextmanager
def _patched_backend(bug: PlantedBug, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBackend]:
    """The backend with the planted bug."""
    kind = BACKENDS[bug.backend]
    own = kind.command[3:]  # after `python -m MODULE`
    command = (sys.executable, "-m", "tests.planted_bugs", bug.backend, bug.name, *own)
    with monkeypatch.context() as patched:
        patched.setitem(BACKENDS, bug.backend, BackendKind(command, kind.prints_url))
        backend = start(bug.backend)
    with backend:
        yield backend


def _bites(
    bug: PlantedBug, backends: Mapping[str, RunningBackend], monkeypatch: pytest.MonkeyPatch, count: int
) -> bool:
    """Whether `count` generated requests find the bug. The first one that does is the last one sent."""
    with _patched_backend(bug, monkeypatch) as patched_backend:
        both = {**{name: backends[name] for name in ("socket", "gunicorn")}, bug.backend: patched_backend}
        chosen = [Backend(name, backend.host, backend.port) for name, backend in both.items()]
        with suppress(_Found):
            fuzz(chosen, seed=SEED, known_differences={}, count=count, on_request=_end_when_found)
            return False
    return True


class _Found(Exception):
    """A request has found the bug."""


def _end_when_found(report: FuzzReport) -> None:
    if report.different:
        raise _Found


@pytest.mark.parametrize(
    "name",
    [
        "percent-22-stays",
        *(
            pytest.param(name, marks=pytest.mark.soak(seconds=10))
            for name in ("short-body-is-a-body", "cookie-lines-have-one-limit-together")
        ),
    ],
)
def test_a_planted_bug_is_found_soon(
    backends: Mapping[str, RunningBackend], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert _bites(PLANTED_BUGS[name], backends, monkeypatch, 500)


@pytest.mark.soak(seconds=30)
@pytest.mark.parametrize("name", [name for name, bug in PLANTED_BUGS.items() if bug.fuzzed])
def test_every_planted_bug_is_found(
    backends: Mapping[str, RunningBackend], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert _bites(PLANTED_BUGS[name], backends, monkeypatch, BITES)
