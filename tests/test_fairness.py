"""Work is done for clients in turn, whatever one of them has asked for."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

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
