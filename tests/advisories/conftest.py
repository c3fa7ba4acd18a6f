"""The servers under attack: the session's backends, and others that start when a row needs them."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.launch import RunningBackend
from tests.advisories.target import Target, start_variant

Targets = Callable[[str, str], Target]


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
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: each.backend.stop(), started))
