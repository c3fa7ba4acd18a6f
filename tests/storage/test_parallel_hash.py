"""The hash of a file is right, whichever thread computes it."""

import hashlib
import os
import random

import pytest

from servers.storage import parallel_hash
from servers.storage.parallel_hash import LEAST, ParallelHash

_SIZES = [0, 1, LEAST - 1, LEAST, LEAST + 1, 7 * LEAST]


@pytest.fixture(params=[True, False], ids=["threads", "no threads"])
def _threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(parallel_hash, "_pool", lambda _pid: None)


@pytest.mark.usefixtures("_threads")
def test_pieces_of_all_sizes_are_hashed_in_their_order() -> None:
    some = random.Random(1)
    for _ in range(20):
        pieces = [some.randbytes(some.choice(_SIZES)) for _ in range(6)]
        running = ParallelHash()
        for piece in pieces:
            running.update(memoryview(piece) if some.random() < 0.5 else piece)
        assert running.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("size", _SIZES)
def test_a_buffer_may_be_used_again_at_once(size: int) -> None:
    content = os.urandom(size)
    buffer = bytearray(content)
    running = ParallelHash()
    for given in (buffer, memoryview(buffer)):
        running.update(given)
        buffer[:] = bytes(size)
        buffer[:] = content
    for index in range(size):
        buffer[index] = 0
    assert running.hexdigest() == hashlib.sha256(content * 2).hexdigest()


def test_a_large_piece_is_hashed_beside_the_caller() -> None:
    if parallel_hash._pool(os.getpid()) is None:
        pytest.skip("one core")
    running = ParallelHash()
    running.update(bytes(LEAST))
    assert running._pending is not None
    running.hexdigest()
    assert running._pending is None


def test_without_more_threads_it_hashes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(parallel_hash, "started_pool", fail)
    monkeypatch.setattr(parallel_hash, "_pool", parallel_hash._pool.__wrapped__)
    running = ParallelHash()
    running.update(bytes(LEAST))
    assert running._pending is None
    assert running.hexdigest() == hashlib.sha256(bytes(LEAST)).hexdigest()
