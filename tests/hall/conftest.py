"""The servers of the hall: the default ones are the session's, the others are started when a row asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from clients.launch import RunningBackend
from tests.hall.target import Target, start_variant

_HALL = Path(__file__).resolve().parent

Targets = Callable[[str, str], Target]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The heavy variants run when `-m` asks for them, not with everything else."""
    if "soak" in config.getoption("markexpr"):
        return
    for item in items:
        if item.path.parent == _HALL and item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="a heavy variant: pytest -m soak"))


@pytest.fixture(scope="session")
def targets(backends: Mapping[str, RunningBackend]) -> Iterator[Targets]:
    """The server of a backend and a variant, started once."""
    running = {(name, "disk"): Target(name, "disk", backend) for name, backend in backends.items()}
    started: list[Target] = []

    def target(name: str, variant: str) -> Target:
        key = name, variant
        if key not in running:
            running[key] = start_variant(name, variant)
            started.append(running[key])
        return running[key]

    yield target
    for each in started:
        each.backend.stop()
