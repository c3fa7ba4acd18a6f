"""What a server needs of a store in a bucket besides the store: its package, a folder, a regular sweep."""

import sys
from pathlib import Path

import pytest

from servers.contract.limits import Limits
from servers.settings import start_upkeep
from servers.storage import local_folder, open_store
from servers.storage.memory import MemoryStore
from tests.patience import eventually


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("servers.storage.s3", "obstore"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ValueError, match=r"needs the package obstore: pip install 'wireproof\[s3\]'"):
        open_store("s3://bucket/without-the-package", durable=True)


def test_the_history_of_a_bucket_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_folder("s3://bucket/a/b") == tmp_path / "bucket-a-b"
    assert local_folder("s3://bucket") == tmp_path / "bucket"


def test_a_server_sweeps_as_often_as_the_store_asks() -> None:
    class Swept(MemoryStore):
        sweep_seconds = 0.01
        times = 0

        def clean(self) -> int:
            self.times += 1
            if self.times == 3:
                self.sweep_seconds = 3600.0
            return 0

    store = Swept()
    start_upkeep(store, Limits())
    assert eventually(lambda: store.times == 3)
