"""A plugin for pytest: the fixture `upload_server` is a running server whose uploads are objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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
