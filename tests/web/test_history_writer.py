"""Many requests in a short time: the last are written, and those are skipped that would leave soon."""

import threading
import time
from itertools import pairwise

import pytest

from servers.web import history_writer
from servers.web.history_writer import Busy, HistoryWriter, Missing
from servers.web.run import Arriving, Run
from tests.patience import eventually

MOST = 300


class _Target:
    """Notes what is written. While it is `locked`, nothing can be."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.skipped = self.lost = 0
        self.locked = threading.Event()

    def write(self, runs: list[Run], arriving: list[Arriving], missing: Missing) -> None:
        if self.locked.is_set():
            raise Busy("locked")
        self.numbers += [int(run.target or "") for run in runs]
        self.skipped += missing.skipped
        self.lost += missing.lost


class _Flooded(_Target):
    """Sends 250 requests during each of the first transactions. `flood` counts what was written by then."""

    def __init__(self, transactions: int) -> None:
        super().__init__()
        self.writer = HistoryWriter(self, MOST)
        self.begin = time.monotonic()
        self.left, self.sent = transactions, 1
        self.flood: list[int] = []
        self.seconds: list[float] = []

    def write(self, runs: list[Run], arriving: list[Arriving], missing: Missing) -> None:
        super().write(runs, arriving, missing)
        if self.left:
            self.left -= 1
            self.flood.append(len(self.numbers))
            self.seconds.append(time.monotonic() - self.begin)
            for _ in range(250):
                self.writer.put(_run(self.sent))
                self.sent += 1


def _run(number: int) -> Run:
    run = Run()
    run.target = str(number)
    return run


@pytest.fixture
def target() -> _Target:
    return _Target()


def test_while_many_requests_come_only_some_are_written_and_at_last_the_newest() -> None:
    """More requests come with each transaction, however slow the machine is."""
    target = _Flooded(6)
    target.writer.put(_run(0))
    assert eventually(lambda: not target.left and target.numbers[-1] == target.sent - 1, 30)
    assert len(target.numbers) + target.skipped == target.sent
    assert target.skipped > 0
    assert target.lost == 0
    assert target.numbers == sorted(target.numbers)
    assert target.numbers[-100:] == list(range(target.sent - 100, target.sent))
    assert all(
        count <= 200 + 200 * seconds for count, seconds in zip(target.flood, target.seconds, strict=True)
    )


@pytest.mark.parametrize(
    ("each_second", "written", "waiting", "step"),
    [(90, 90, 0, 1), (400, 100, MOST - 100, 1), (4000, 20, 80, 8)],
)
def test_the_more_requests_come_the_fewer_are_written(
    monkeypatch: pytest.MonkeyPatch, each_second: int, written: int, waiting: int, step: int
) -> None:
    """Nobody follows a flood, and each row that is written takes time from serving."""
    now = [0.0]
    monkeypatch.setattr("servers.web.history_writer.time.monotonic", lambda: now[0])
    monkeypatch.setattr(HistoryWriter, "_started", lambda _: True)
    writer, taken = HistoryWriter(_Target(), MOST), []
    for _ in range(10):
        for number in range(each_second):
            if writer.wants_next():
                writer.put(_run(number))
            else:
                writer.skip()
        now[0] += 1.0
        runs = writer._take()
        writer._write(runs, [])
        taken.append(len(runs))
    assert taken[-5:] == [written] * 5
    behind = [int(run.target or "") for run in writer._take()]
    assert len(behind) == waiting, "and behind them all that wait"
    assert {(after - before) % each_second for before, after in pairwise(behind)} <= {step}


def test_every_request_is_wanted_again_when_a_flood_has_ended_with_nothing_left_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HistoryWriter, "_started", lambda _: True)
    writer = HistoryWriter(_Target(), MOST)
    writer.put(_run(0))
    writer._skipped = 1_000_000
    writer._wake.clear()
    assert len(writer._take()) == 1
    assert not all(writer.wants_next() for _ in range(8)), "it floods"
    assert writer._wake.is_set(), "the thread looks again"
    assert writer._take() == []
    assert all(writer.wants_next() for _ in range(8))


def test_all_requests_are_written_when_they_come_slowly(target: _Target) -> None:
    writer = HistoryWriter(target, MOST)
    for number in range(30):
        writer.put(_run(number))
        time.sleep(0.01)
    assert eventually(lambda: target.numbers == list(range(30)))
    assert target.skipped == 0


def test_behind_a_lock_the_last_requests_are_written_in_their_order(target: _Target) -> None:
    writer = HistoryWriter(target, MOST)
    target.locked.set()
    for number in range(100):
        writer.put(_run(number))
    assert eventually(lambda: writer.error is not None)
    for number in range(100, 500):
        writer.put(_run(number))
    target.locked.clear()
    assert eventually(lambda: target.numbers[-1:] == [499])
    assert target.numbers == list(range(500 - MOST, 500))
    assert (target.skipped, target.lost) == (200, 0)


def test_what_does_not_fit_into_memory_is_lost_and_counted(
    target: _Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_writer, "MOST_WAITING", 20 * Run().weight)
    writer = HistoryWriter(target, MOST)
    target.locked.set()
    for number in range(100):
        writer.put(_run(number))
    target.locked.clear()
    assert eventually(lambda: target.lost + len(target.numbers) == 100)
    assert target.numbers == list(range(80, 100))
    assert target.skipped == 0


def test_draining_writes_all_that_waits_although_more_came(target: _Target) -> None:
    writer = HistoryWriter(target, MOST)
    for number in range(MOST):
        writer.put(_run(number))
    writer.drain(10)
    assert target.numbers == list(range(MOST))
