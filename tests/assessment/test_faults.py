"""Whatever fault a small endpoint has, the first screen of the report shows it in its group."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from clients.assessment.report import Report, grouped
from clients.assessment.terminal import LINES, report_lines
from clients.comparison.cases import load_cases
from clients.launch import RunningBackend
from tests.assessment.apps.faults import FAULTS
from tests.assessment.serving import APPS, app_url, npm_packages, process_url, report_on

Serve = Callable[[str], AbstractContextManager[str]]
_PYTHON = ("flask", "fastapi")


def shown_on(report: Report) -> dict[tuple[str, str], int]:
    """The kinds that the lines of the report show, by group, each with its number of findings."""
    lines = [line.plain for line in report_lines(report)]
    assert len(lines) <= LINES
    shown = {}
    for group, kinds in grouped(report.findings):
        begin = next(at for at, line in enumerate(lines) if line.startswith(f"{group.title.upper()}  "))
        of_group = lines[begin : lines.index("", begin) if "" in lines[begin:] else len(lines)]
        for one in kinds:
            if any(line.startswith(f"  {len(one.findings):>5}  {one.kind}") for line in of_group):
                shown[group.title, one.kind] = len(one.findings)
    return shown


def assert_shown(serve: Serve, fault: str, reference: RunningBackend, step: int) -> None:
    """The fault is shown, and more of it than without the fault."""
    cases = load_cases()[::step]
    with serve("") as url:
        without = report_on(f"{url}/upload", cases, reference)
    with serve(fault) as url:
        report = report_on(f"{url}/upload", cases, reference)
    group, kind = FAULTS[fault]
    shown = shown_on(report)
    assert shown.get((group.title, kind), 0) >= max(shown_on(without).get((group.title, kind), 0), 1), shown
    assert report.seconds < 60


@pytest.mark.soak(seconds=20)
@pytest.mark.parametrize("framework", _PYTHON)
def test_a_fault_drawn_at_random_stands_in_its_group(
    framework: str, backends: Mapping[str, RunningBackend]
) -> None:
    """Every fourth case, and another fault for each framework."""
    fault = random.Random(framework).choice(list(FAULTS))
    assert_shown(partial(app_url, framework), fault, backends["socket"], 4)


@pytest.mark.soak(seconds=20)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("framework", _PYTHON)
def test_every_fault_stands_in_its_group(
    framework: str, fault: str, backends: Mapping[str, RunningBackend]
) -> None:
    assert_shown(partial(app_url, framework), fault, backends["socket"], 1)


@pytest.fixture(scope="module")
def express(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Express and multer from npm."""
    place: Path = tmp_path_factory.mktemp("express")
    npm_packages(place, "express", "multer")
    (place / "app.js").write_bytes((APPS / "express_app.js").read_bytes())
    yield partial(process_url, "node", place / "app.js", "{port}")


@pytest.mark.clients_matrix
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_express_stands_in_its_group(
    express: Serve, fault: str, backends: Mapping[str, RunningBackend]
) -> None:
    assert_shown(express, fault, backends["socket"], 1)
