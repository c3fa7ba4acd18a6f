"""A large file on its way into a bucket and back takes no more memory than a small one. Linux only."""

import hashlib

import pytest

from clients.launch import start
from tests.object_store import BUCKET, ObjectStore
from tests.test_memory import MIB, blocks, download, memory, processes_of, settled, upload

_CEILING = 48 * MIB
_SIZE = 1024 * MIB


@pytest.mark.soak(seconds=120)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["socket", "gunicorn", "flask"])
def test_a_file_of_1_gib_stays_within_48_mib(name: str, object_store: ObjectStore) -> None:
    env = object_store.environ | {"WIREPROOF_STORE": f"s3://{BUCKET}/memory", "WIREPROOF_WORKERS": "2"}
    with start(name, env=env) as backend:
        for _ in range(8):  # every worker has imported what it needs
            entry = upload(backend, "file", 1000).json()["files"][0]
            download(backend, entry["href"])
        idle = settled(backend)
        entry = upload(backend, "file", _SIZE).json()["files"][0]
        expected = hashlib.sha256()
        for block in blocks(_SIZE):
            expected.update(block)
        assert entry["sha256"] == expected.hexdigest()
        assert download(backend, entry["href"]) == entry["sha256"]
        peaks = {pid: memory(pid, "VmHWM") for pid in processes_of(backend)}
    assert peaks.keys() == idle.keys(), "a process has come or gone"
    before, grown = sum(idle.values()), sum(peaks.values()) - sum(idle.values())
    figures = f"{before / MIB:.1f} MiB idle, {grown / MIB:.1f} MiB more at the peak"
    print(f"{name}, {figures}")
    assert grown <= _CEILING, figures
