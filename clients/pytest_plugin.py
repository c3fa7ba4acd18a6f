"""A plugin for pytest: an upload server for tests of clients, and cases for tests of upload endpoints.

The fixture `upload_server` is a running server whose uploads are objects. A test with the fixture
`upload_case` runs once for each recorded case, against what the fixture `upload_endpoint` gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .assessment.upload_cases import TestedEndpoint, UploadCase
    from .launch import RunningBackend
    from .received_uploads import UploadServer


@pytest.fixture(scope="session")
def upload_server_backend() -> str:
    """Which backend runs: socket, flask, gunicorn or fastapi. Override this fixture to choose another one."""
    return "socket"


@pytest.fixture(scope="session")
def _wireproof_backend(upload_server_backend: str) -> Iterator[RunningBackend]:
    from .launch import start

    with start(upload_server_backend, env={"WIREPROOF_DURABILITY": "fast"}) as backend:
        yield backend


@pytest.fixture
def upload_server(_wireproof_backend: RunningBackend) -> Iterator[UploadServer]:
    """A running upload server on a free port of 127.0.0.1. It begins each test without uploads."""
    from .real_clients.recorder import Recorder
    from .received_uploads import UploadServer

    with Recorder({}) as recorder:
        recorder.upstream = (_wireproof_backend.host, _wireproof_backend.port)
        yield UploadServer(recorder)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "upload_cases(pattern): run `upload_case` for cases with such names")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test id for each case."""
    if "upload_case" not in metafunc.fixturenames:
        return
    from .assessment.upload_cases import cases_by_name

    mark = metafunc.definition.get_closest_marker("upload_cases")
    names = list(cases_by_name(mark.args[0] if mark and mark.args else "*"))
    metafunc.parametrize("upload_case", names, indirect=True)


@pytest.fixture(scope="session")
def upload_endpoint() -> Any:
    """What `upload_case` is sent to: a URL, or a WSGI or ASGI application and its path. Override it."""
    raise pytest.UsageError("define the fixture upload_endpoint: it returns a URL, or (application, '/path')")


@pytest.fixture(scope="session")
def _wireproof_endpoint(upload_endpoint: Any) -> Iterator[TestedEndpoint]:
    from .assessment.upload_cases import tested_endpoint
    from .launch import start

    quiet = {"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast"}
    with start("socket", env=quiet) as reference, tested_endpoint(upload_endpoint, reference) as tested:
        yield tested


@pytest.fixture
def upload_case(request: pytest.FixtureRequest, _wireproof_endpoint: TestedEndpoint) -> UploadCase:
    """One case; `upload_case.check()` sends it. It is skipped if the endpoint takes no such body."""
    from .assessment.upload_cases import UploadCase, cases_by_name

    case = UploadCase(cases_by_name("*")[request.param], _wireproof_endpoint)
    if not case.is_sent:
        pytest.skip("the endpoint takes no such body, or does not tell what it read")
    return case
