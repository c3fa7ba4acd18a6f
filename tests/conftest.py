"""What tests of several folders share: the three backends, started once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from clients.launch import RunningBackend, running

BACKEND_NAMES = ("socket", "flask", "gunicorn")


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """The running backends by name, each with a store of its own; they live as long as the session."""
    with running(BACKEND_NAMES, store=tmp_path_factory.mktemp("store")) as started:
        yield {backend.name: backend for backend in started}
