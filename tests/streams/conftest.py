"""The backends with an eye on when they make the events of `/stream_echo`."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from clients.sse.streaming_response import OpenStream
from clients.stream import CLIENTS
from tests.conftest import BACKEND_NAMES
from tests.streams.watched import Watched, watched


@pytest.fixture(scope="session")
def watched_backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Watched]]:
    """One of each, as long as the session."""
    folder = tmp_path_factory.mktemp("watched")
    with ExitStack() as stack:
        yield {name: stack.enter_context(watched(name, folder)) for name in BACKEND_NAMES}


@pytest.fixture(params=BACKEND_NAMES)
def server(request: pytest.FixtureRequest, watched_backends: Mapping[str, Watched]) -> Watched:
    """Each backend in turn."""
    return watched_backends[str(request.param)]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> OpenStream:
    """Each client in turn."""
    return CLIENTS[request.param]
