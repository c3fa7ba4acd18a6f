"""What tests of several folders share: the backends, and a guest whose extra is installed, started once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from clients.launch import BACKENDS, RunningBackend, installed_backends, running

BACKEND_NAMES = installed_backends()


def pytest_report_header() -> list[str]:
    """Say loudly which backends no test asks."""
    absent = [name for name in BACKENDS if name not in BACKEND_NAMES]
    return [f"backend {name} is NOT tested: pip install 'wireproof[{name}]'" for name in absent]


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """The running backends by name, each with a store of its own; they live as long as the session."""
    with running(BACKEND_NAMES, store=tmp_path_factory.mktemp("store")) as started:
        yield {backend.name: backend for backend in started}
