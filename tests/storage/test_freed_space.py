"""A large file that was stored already, or refused, leaves neither a descriptor nor its space."""

import contextlib
import os
from pathlib import Path

import pytest

from servers.storage import helper_threads, local_upload
from servers.storage.local import LocalStore
from tests.patience import eventually

_CONTENT = os.urandom(100)


def _open_files() -> list[Path]:
    """What the descriptors of this process stand for."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the listing itself
            found.append(descriptor.readlink())
    return found


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no threads"])
@pytest.mark.parametrize("publishes", [True, False], ids=["stored twice", "aborted"])
def test_a_large_file_leaves_nothing(
    threads: bool, publishes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_upload, "_LARGE", len(_CONTENT))
    if not threads:
        monkeypatch.setattr(helper_threads, "_threads", lambda _pid: None)
    store = LocalStore(tmp_path / "store", durable=False)
    for _ in range(2):
        upload = store.begin()
        file = upload.new_file()
        file.write(_CONTENT)
        if publishes:
            file.close()
            upload.publish()
        else:
            upload.abort()
    assert eventually(lambda: not any(path.is_relative_to(tmp_path) for path in _open_files()))
    assert len(list((tmp_path / "store" / "files").iterdir())) == publishes
