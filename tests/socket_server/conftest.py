"""What the tests of the socket server share: a worker with the default limits, for each module once."""

from collections.abc import Iterator

import pytest

from tests.socket_server.worker_thread import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as worker:
        yield worker
