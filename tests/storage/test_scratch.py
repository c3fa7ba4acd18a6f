"""A store gives files without a name for bytes that are kept while one request lasts."""

import shutil
from pathlib import Path

import pytest

from servers.storage.base import Store
from servers.storage.local import LocalStore
from servers.storage.memory import MemoryStore


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_a_scratch_file_is_read_and_written_and_has_no_name(kind: str, tmp_path: Path) -> None:
    store: Store = MemoryStore() if kind == "memory" else LocalStore(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    with store.scratch() as one, store.scratch() as other:
        assert one.write(b"one") == 3
        assert other.write(b"other") == 5
        assert sorted(tmp_path.rglob("*")) == before
        one.seek(0)
        assert one.read() == b"one"
    assert sorted(tmp_path.rglob("*")) == before
    assert list(store.names()) == []


def test_a_store_that_is_gone_gives_none(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(FileNotFoundError):
        store.scratch()
    LocalStore(tmp_path / "store")
    with pytest.raises(OSError):
        store.scratch()
