"""An upload's size does not show in memory: the command as a process, its peak as the kernel counts it."""

import hashlib
import os
import re
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from tests.http1.recording_server import Peer, ok, recording

MAX_PEAK_KIB = 40 << 10
# Reads VmHWM at the end: the peak that wait4 reports counts the parent's, from before exec.
MEASURED = """
import runpy, sys
del sys.argv[0]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    with open("/proc/self/status") as status:
        sys.stderr.write([line for line in status if line.startswith("VmHWM")][0])
"""


def drain(peer: Peer) -> None:
    """Read a body of any length into one buffer, and respond."""
    head = peer.read_head()
    length = re.search(rb"Content-Length: ([0-9]+)", head)
    assert length is not None
    left = int(length[1]) - (len(peer.received) - len(head))
    buffer = bytearray(1 << 20)
    while left > 0 and (count := peer.connection.recv_into(buffer)):
        left -= count
    peer.send(ok())


def peak_of_an_upload(client: str, url: str, *flags: str) -> int:
    """The peak in KiB of a command that must succeed."""
    command = [sys.executable, "-c", MEASURED, f"clients/{client}_upload.py", url, *flags]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    peak = re.search(rb"VmHWM:\s*([0-9]+) kB", done.stderr)
    assert peak is not None
    return int(peak[1])


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    path = tmp_path / "sparse.bin"
    path.touch()
    return path


@pytest.mark.parametrize("client", ["socket", "requests"])
@pytest.mark.parametrize("flag", ["-F", "-T"])
def test_256_mib_do_not_show_in_memory(client: str, flag: str, sparse: Path) -> None:
    os.truncate(sparse, 256 << 20)
    with recording(drain) as server:
        value = f"file=@{sparse}" if flag == "-F" else str(sparse)
        assert peak_of_an_upload(client, server.url, flag, value) <= MAX_PEAK_KIB


@pytest.mark.soak(seconds=60)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("client", ["socket", "requests"])
def test_4_gib_cost_at_most_twice_the_processor_time_of_a_bare_loop(client: str, sparse: Path) -> None:
    """The bare loop reads, hashes and sends the same file. Other programs change this ratio little."""
    os.truncate(sparse, 4 << 30)
    bare, ours, peaks = [], [], []
    with recording(drain) as server:
        for _ in range(2):
            bare.append(send_bare(server.port, sparse))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            peaks.append(peak_of_an_upload(client, server.url, "-F", f"file=@{sparse}"))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            ours.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"{client}: {min(ours) / min(bare):.2f} times the cost of a bare loop, peak {max(peaks)} KiB")
    assert max(peaks) <= MAX_PEAK_KIB
    assert min(ours) <= 2 * min(bare)


def send_bare(port: int, path: Path) -> float:
    """Read, hash and send a file with nothing around it; the seconds of processor time of this thread."""
    block = memoryview(bytearray(1 << 16))
    digest = hashlib.sha256()
    started = time.thread_time()
    with socket.create_connection(("127.0.0.1", port)) as connection, path.open("rb", buffering=0) as file:
        connection.sendall(b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % path.stat().st_size)
        while count := file.readinto(block):
            digest.update(block[:count])
            connection.sendall(block[:count])
        connection.recv(4096)
    return time.thread_time() - started
