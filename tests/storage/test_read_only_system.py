"""Every backend runs where only its store can be written, as in a container with a read-only root."""

import os
import subprocess
from pathlib import Path

import pytest
import requests

from clients.comparison.cases import PROJECT_ROOT
from clients.launch import BACKENDS, HOST, free_port
from tests.conftest import SOCKET_BY_DEFAULT
from tests.patience import eventually
from tests.storage.mounts import in_own_mounts

# /dev, with its folder for shared memory, is a file system of its own and stays writable.
READ_ONLY = """
for folder in / /tmp /var/tmp; do
    if mountpoint -q "$folder"; then mount -o remount,ro,bind "$folder"; fi
done
if touch "$1/x" 2>/dev/null; then echo "still writable" >&2; exit 9; fi
mount -t tmpfs none "$1"
shift
exec "$@"
"""


def is_answered(port: int) -> bool:
    """Whether /healthz is 200."""
    try:
        return requests.get(f"http://{HOST}:{port}/healthz", timeout=60).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_only_the_store_must_be_writable(tmp_path: Path, name: str) -> None:
    root, log = tmp_path / "store", tmp_path / "log"
    root.mkdir()
    tried = subprocess.run(in_own_mounts(READ_ONLY, str(root), "true"), capture_output=True, timeout=60)
    if tried.returncode != 0:
        pytest.skip("making mounts read-only needs root, or user namespaces")
    port = free_port()
    command = in_own_mounts(READ_ONLY, str(root), *BACKENDS[name].command_for(HOST, port))
    env = os.environ | {"PYTHONPATH": str(PROJECT_ROOT), "WIREPROOF_STORE": str(root)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, stdout=out, stderr=out)
    try:
        assert eventually(lambda: process.poll() is not None or is_answered(port), 20)
        assert process.poll() is None, log.read_text()
        files = {"a": b"first", "b": b"second", "c": bytes(1 << 20)}
        response = requests.post(f"http://{HOST}:{port}/upload/", files=files, timeout=60)
        assert (response.status_code, len(response.json()["files"])) == (200, 3), response.text
    finally:
        process.terminate()
        process.wait(60)
