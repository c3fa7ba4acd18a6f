"""The servers under attack: the session's backends, and others that start when a row needs them."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.launch import RunningBackend
from tests.advisories.measures import tree
from tests.advisories.target import Target, start_variant
from tests.patience import eventually

_LOOKS = 15  # in 0.02 s each

Targets = Callable[[str, str], Target]


@pytest.fixture(scope="session")
def targets(backends: Mapping[str, RunningBackend]) -> Iterator[Targets]:
    """The server of a backend and a variant, started once."""
    running: dict[tuple[str, str], Target] = {}
    started: list[Target] = []

    def target(name: str, variant: str) -> Target:
        key = name, variant
        if key not in running:
            if variant == "disk":
                running[key] = Target(name, variant, backends[name])
            else:
                running[key] = start_variant(name, variant)
                started.append(running[key])
            _wait_for_all_processes(running[key])
        return running[key]

    yield target
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: each.backend.stop(), started))


def _wait_for_all_processes(target: Target) -> None:
    """A server answers when its first worker does, and `Target.alive` compares all processes."""
    looks: list[object] = []

    def are_the_same() -> bool:
        looks.append(tree(target.pid))
        return looks[-_LOOKS:] == [looks[-1]] * _LOOKS

    assert eventually(are_the_same, seconds=10)
