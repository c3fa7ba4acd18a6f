"""Work is done for clients in turn, whatever one of them has asked for."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import fairness
from servers.fairness import FairQueue, FairThreads
from tests.patience import eventually


def taken(queue: FairQueue[int]) -> list[tuple[str | None, int]]:
    return list(iter(queue.take, None))


def test_clients_are_served_in_turn_and_each_in_its_order() -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(3):
        queue.put("many", number)
    queue.put("one", 10)
    queue.put(None, 20)
    assert queue
    assert taken(queue) == [("many", 0), ("one", 10), (None, 20), ("many", 1), ("many", 2)]
    assert not queue


def test_a_client_that_comes_late_waits_for_one_item_of_each_other() -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(100):
        queue.put("many", number)
    assert queue.take() == ("many", 0)
    queue.put("one", 10)
    assert [queue.take(), queue.take(), queue.take()] == [("many", 1), ("one", 10), ("many", 2)]


def test_some_clients_are_passed_over() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.put("a", 1)
    queue.put(None, 2)
    assert queue.take({"a"}) == (None, 2)
    assert queue.take({"a"}) is None
    assert queue.take() == ("a", 1)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_results_and_errors_are_those_of_the_work(pool: ThreadPoolExecutor) -> None:
    threads = FairThreads(pool)

    def fail() -> None:
        raise ValueError("no")

    assert [threads.submit("a", lambda number=number: number).result(10) for number in range(50)] == [  # type: ignore[misc]
        *range(50)
    ]
    with pytest.raises(ValueError, match="no"):
        threads.submit("a", fail).result(10)
    assert threads.submit("a", lambda: 1).result(10) == 1


def test_one_client_never_has_more_threads_than_it_may_and_loses_no_work(pool: ThreadPoolExecutor) -> None:
    threads = FairThreads(pool, most_of_one=3)
    lock = threading.Lock()
    at_once = [0, 0]  # now, and the most
    go_on = threading.Semaphore(0)

    def work() -> None:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        go_on.acquire()
        with lock:
            at_once[0] -= 1

    futures = [threads.submit("many", work) for _ in range(40)]
    assert eventually(lambda: at_once[0] == 3)
    assert threads.submit("one", lambda: "served").result(10) == "served"
    for _ in futures:
        go_on.release()
    for future in futures:
        future.result(10)
    assert at_once == [0, 3]
    assert threads._running == {}
    assert threads._at_most == set()


def test_few_pieces_begin_at_once_and_more_while_those_wait(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still at first, so nothing that was begun is thought to wait."""
    now = [100.0]
    monkeypatch.setattr(fairness, "monotonic", lambda: now[0])
    threads = FairThreads(pool, at_once=2)
    begun: list[int] = []
    go_on = threading.Semaphore(0)

    def work(number: int) -> None:
        begun.append(number)
        go_on.acquire()

    futures = [threads.submit("a", lambda number=number: work(number)) for number in range(8)]  # type: ignore[misc]
    assert eventually(lambda: sorted(begun) == [0, 1])
    threads.relieve()
    assert threads.is_late
    assert not eventually(lambda: len(begun) > 2, 0.1)
    now[0] += 2 * fairness.RELIEF_SECONDS
    threads.relieve()
    threads.relieve()
    threads.relieve()
    assert eventually(lambda: sorted(begun) == [0, 1, 2, 3])
    for _ in futures:  # each thread goes on with what is next, without being asked
        go_on.release()
    for future in futures:
        future.result(10)
    assert sorted(begun) == list(range(8))
    assert eventually(lambda: not threads.is_late)
    assert eventually(lambda: threads._tokens == 0 and not threads._begun)


def test_work_of_a_client_that_has_all_its_threads_is_not_late(pool: ThreadPoolExecutor) -> None:
    threads = FairThreads(pool, most_of_one=1, at_once=2)
    go_on = threading.Event()
    futures = [threads.submit("many", lambda: go_on.wait(10)) for _ in range(3)]
    assert eventually(lambda: threads._at_most == {"many"})
    assert not threads.is_late
    go_on.set()
    assert all(future.result(10) for future in futures)
