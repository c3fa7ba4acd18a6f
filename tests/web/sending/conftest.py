"""The servers of the tests of sending, started once a module."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from clients.launch import free_port, start
from tests.conftest import EACH_BACKEND
from tests.http1.recording_server import Script, echo_nothing, recording
from tests.web.sending.stage import Stage


@pytest.fixture(scope="module", params=EACH_BACKEND)
def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running server with two peers that record."""
    scripts: dict[str, Script] = {}
    with ExitStack() as stack:
        one = stack.enter_context(recording(lambda peer: scripts["one"](peer)))
        other = stack.enter_context(recording(lambda peer: scripts["other"](peer)))
        store = tmp_path_factory.mktemp("page") / "store"
        peers = f"one={one.url}, other={other.url}/,gone=http://127.0.0.1:{free_port()}"
        env = {"WIREPROOF_PEERS": peers, "WIREPROOF_WORKERS": "1", "WIREPROOF_MAX_BODY": "200000000"}
        backend = stack.enter_context(start(request.param, store=store, env=env))
        yield Stage(backend, one, other, scripts)


@pytest.fixture
def stage(stages: Stage) -> Stage:
    """The running servers. Both peers respond with `{}`, unless a test says otherwise."""
    stages.scripts |= {"one": echo_nothing, "other": echo_nothing}
    return stages
