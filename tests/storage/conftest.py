"""A local store in an empty folder, the recorder of its system calls, and an object store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.storage import local_marker, probe
from servers.storage.local import LocalStore
from tests.object_store import ObjectStore
from tests.storage.syscalls import Syscalls


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use reads the marker and each probe tries an upload, so that no test depends on its own speed."""
    monkeypatch.setattr(local_marker, "_TRUST_SECONDS", 0.0)
    monkeypatch.setattr(probe, "INTERVAL_SECONDS", 0.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


@pytest.fixture
def syscalls(monkeypatch: pytest.MonkeyPatch) -> Syscalls:
    return Syscalls(monkeypatch)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A running object store. A test takes a prefix of its own in it."""
    with ObjectStore() as store:
        yield store
