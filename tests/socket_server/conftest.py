"""A worker with the default limits, started once for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.socket_server.worker_thread import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as worker:
        yield worker
