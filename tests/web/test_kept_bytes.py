"""What is kept of the bytes of each request, however they were split into reads."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.web.body_sample import KEPT_BODY, BodySample
from servers.web.history import History
from servers.web.kept_bytes import MOST_READS, KeptBytes
from servers.web.run import Run
from tests.web.recording import record


def _request(size: int, name: str = "a") -> bytes:
    body = (b"%06d" % size) * (size // 6 + 1)
    return f"POST /{name} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode() + body[:size]


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(places)]


def _kept(run: Run) -> bytes:
    assert run.wire is not None
    return b"".join(run.wire.pieces)


@given(
    st.lists(st.sampled_from([0, 1, 10, 300, KEPT_BODY, KEPT_BODY + 100, 200_000]), min_size=1, max_size=4),
    st.lists(st.integers(0, 1 << 20), max_size=20),
)
def test_each_pipelined_request_has_its_own_bytes(sizes: list[int], cuts: list[int]) -> None:
    history = _history()
    sent = [_request(size, str(n)) for n, size in enumerate(sizes)]
    runs = record(history, _pieces(b"".join(sent), cuts))
    assert len(runs) == len(sent)
    for run, data in zip(runs, sent, strict=True):
        assert run.wire is not None
        head = data.index(b"\r\n\r\n") + 4
        assert (run.wire.total, run.wire.head) == (len(data), head)
        assert _kept(run) == data[: head + KEPT_BODY]
        assert run.wire.tail == data[head + KEPT_BODY :][-256:]
        assert run.wire.reads[0] == 0
        assert run.wire.reads == sorted(set(run.wire.reads))
        assert run.wire.reads[-1] < len(data)


def test_reads_are_told_where_they_began() -> None:
    data = _request(10) + _request(3)
    first, second = record(_history(), [data[:5], data[5:20], data[20:70], data[70:]])
    assert first.wire is not None
    assert second.wire is not None
    assert first.wire.reads == [0, 5, 20]
    assert second.wire.reads == [0, 70 - len(_request(10))]


def test_only_the_first_reads_are_told() -> None:
    data = _request(1000)
    (run,) = record(_history(), [data[n : n + 1] for n in range(len(data))])
    assert run.wire is not None
    assert len(run.wire.reads) == MOST_READS


def test_nothing_is_kept_between_two_requests() -> None:
    kept = KeptBytes()
    kept.read(100_000)
    kept.feed(b"x" * 100_000)
    kept.cut()
    assert kept.snapshot() == ([], 0)
    assert kept.total == 0
    assert kept.__class__.__slots__
    assert all(len(value) == 0 for value in (kept._last, kept._beyond, kept._tail, kept._reads))


@pytest.mark.parametrize("size", [1 << 20, 64 << 20])
def test_a_long_body_costs_the_memory_of_a_short_one(size: int) -> None:
    kept = KeptBytes()
    kept.feed(b"POST / HTTP/1.1\r\n\r\n")
    kept.head_complete(0)
    piece = b"x" * 65536
    for _ in range(size // len(piece)):
        kept.feed(piece)
    pieces, _ = kept.snapshot()
    held = sum(map(len, pieces)) + len(kept._tail) + len(kept._beyond)
    assert held <= 19 + KEPT_BODY + 256 + len(piece)  # the last read is held by the parser too
    assert kept.cut().tail == b"x" * 256


@given(st.integers(0, 400_000), st.lists(st.integers(0, 400_000), max_size=12))
def test_a_sample_does_not_depend_on_the_reads(size: int, cuts: list[int]) -> None:
    data = bytes(n * 7 % 251 for n in range(size))
    whole, split = BodySample(), BodySample()
    whole.feed(data)
    for piece in _pieces(data, cuts):
        split.feed(piece)
    assert (whole.digest(), whole.size) == (split.digest(), size)
    if size <= KEPT_BODY:
        assert whole.digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("at", [0, KEPT_BODY - 1, KEPT_BODY, KEPT_BODY + 255, 3 * KEPT_BODY])
def test_a_sample_sees_a_change_in_its_bytes(at: int) -> None:
    data = bytearray(4 * KEPT_BODY)
    one, other = BodySample(), BodySample()
    one.feed(data)
    data[at] = 1
    other.feed(data)
    assert one.digest() != other.digest()


def _history() -> History:
    return History(Path("/nonexistent/never-opened"), 10)
