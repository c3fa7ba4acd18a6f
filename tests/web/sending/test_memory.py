"""A large body that the page sends takes no memory on its way: it lies in a file. Linux only."""

from pathlib import Path

import pytest

from clients.launch import start
from tests.http1.recording_server import Peer, ok, recording
from tests.test_memory import CEILING, MIB, WORKERS, memory, processes_of, settled
from tests.web.sending.page_client import send

_SIZE = 100 * MIB


def _discard(peer: Peer) -> None:
    """Read the request without keeping it, and respond with its size."""
    head = peer.read_head()
    left = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]) - (
        len(peer.received) - len(head)
    )
    size = len(peer.received) - len(head) + left
    while left and (data := peer.connection.recv(MIB)):
        left -= len(data)
    peer.send(ok(b'{"size":%d}' % size))


@pytest.mark.parametrize("name", ["socket", "gunicorn", "flask"])
def test_a_body_of_100_mib_goes_to_two_servers_within_32_mib(name: str, tmp_path: Path) -> None:
    with recording(_discard) as one, recording(_discard) as other:
        env = {"WIREPROOF_PEERS": f"one={one.url},other={other.url}", "WIREPROOF_WORKERS": str(WORKERS)}
        with start(name, store=tmp_path / "store", env=env) as backend:
            for _ in range(8):  # every worker has loaded what it needs
                send(backend.port, b"x" * 300_000)
            idle = settled(backend)
            answer = send(backend.port, (bytes(MIB) for _ in range(_SIZE // MIB)))
            assert [run["answer"] for run in answer.runs] == [f'{{"size":{_SIZE}}}'] * 2
            peaks = {pid: memory(pid, "VmHWM") for pid in processes_of(backend)}
            grown = sum(peaks.values()) - sum(idle.values())
            print(f"{name}: {grown / MIB:.1f} MiB more at the peak, {[run['ms'] for run in answer.runs]} ms")
            assert grown <= CEILING
