"""A local store in an empty folder, and the recorder of its system calls."""

from pathlib import Path

import pytest

from servers.storage.local import LocalStore
from tests.storage.syscalls import Syscalls


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


@pytest.fixture
def syscalls(monkeypatch: pytest.MonkeyPatch) -> Syscalls:
    return Syscalls(monkeypatch)
