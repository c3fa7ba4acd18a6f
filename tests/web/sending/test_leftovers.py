"""Nothing is left of a body that the page sends: not in the store, not after a failure, not after a kill."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.launch import start
from tests.http1.recording_server import Peer, recording
from tests.patience import eventually, patient
from tests.web.sending.page_client import send
from tests.web.sending.stage import LARGE, Stage, holding


def _files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _unnamed_files(stage: Stage) -> int:
    """How many files without a name the processes of the server hold open in its store."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        for descriptor in _descriptors(process):
            count += descriptor.startswith(str(stage.backend.store)) and descriptor.endswith("(deleted)")
    return count


def _descriptors(process: Path) -> Iterator[str]:
    try:
        for path in (process / "fd").iterdir():
            yield str(path.readlink())
    except OSError:
        return


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are read in /proc")
def test_a_large_body_lies_in_a_file_without_a_name_that_is_gone_afterwards(stage: Stage) -> None:
    before = _files_below(stage.backend.store)
    stage.scripts["one"], released = holding()
    begun = len(stage.one.peers)
    with ThreadPoolExecutor(1) as pool:
        try:
            sending = pool.submit(send, stage.port, LARGE, Wireproof_To="one")
            assert eventually(lambda: len(stage.one.peers) > begun)
            assert _unnamed_files(stage) == 1
            assert _files_below(stage.backend.store) == before
        finally:
            released.set()
        assert sending.result().status == 200
    assert eventually(lambda: _unnamed_files(stage) == 0)
    assert _files_below(stage.backend.store) == before


def _refused(stage: Stage) -> None:
    assert send(stage.port, LARGE, Wireproof_To="nobody").code == "bad_value"


def _too_large(stage: Stage) -> None:
    pieces = (LARGE for _ in range(250))
    with pytest.raises(OSError):
        if send(stage.port, pieces, Wireproof_To="one").code == "body_too_large":
            raise ConnectionResetError  # the response came before the connection was closed


def _cut_off(stage: Stage) -> None:
    def pieces() -> Iterator[bytes]:
        yield LARGE
        raise InterruptedError

    with pytest.raises(InterruptedError):
        send(stage.port, pieces(), Wireproof_To="one")


@pytest.mark.parametrize("fail", [_refused, _too_large, _cut_off])
def test_nothing_is_left_of_a_body_after_a_failure(stage: Stage, fail: Callable[[Stage], None]) -> None:
    before, sent = _files_below(stage.backend.store), len(stage.one.peers)
    fail(stage)
    assert eventually(lambda: _unnamed_files(stage) == 0)
    assert _files_below(stage.backend.store) == before
    assert len(stage.one.peers) == sent


@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_nothing_is_left_of_a_body_after_a_kill(name: str, tmp_path: Path) -> None:
    hold, released = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        hold.set()
        released.wait(patient(60))

    with recording(script) as peer:
        env = {"WIREPROOF_PEERS": f"one={peer.url}", "WIREPROOF_WORKERS": "1"}
        with start(name, store=tmp_path / "store", env=env) as backend:
            before = _files_below(backend.store)
            with ThreadPoolExecutor(1) as pool:
                sending = pool.submit(send, backend.port, LARGE)
                assert hold.wait(patient(30))
                os.killpg(backend.pid, signal.SIGKILL)
                released.set()
                assert isinstance(sending.exception(), OSError)
            assert _files_below(backend.store) == before
