"""The event loop: deadlines, threads, wake-ups, and how little time and memory it uses."""

import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from servers.contract.limits import Limits
from servers.socket_server.loop import Deadline, Loop
from servers.socket_server.pace import BodyPace
from tests.patience import patient


def _run(loop: Loop, seconds: float) -> None:
    """Run the loop for so many seconds. A loop can be run only once."""
    Deadline(loop, loop.stop).set(time.monotonic() + seconds)
    loop.run()


def _recorder(times: list[float]) -> Callable[[], None]:
    begin = time.monotonic()
    return lambda: times.append(time.monotonic() - begin)


def test_deadlines_are_met_in_order() -> None:
    loop, met = Loop(), list[str]()
    now = time.monotonic()
    for name, after in (("c", 0.06), ("a", 0.02), ("b", 0.04)):
        Deadline(loop, lambda name=name: met.append(name)).set(now + after)  # type: ignore[misc]
    _run(loop, 0.1)
    assert met == ["a", "b", "c"]


@pytest.mark.parametrize(("first", "second"), [(0.02, 0.08), (0.08, 0.02), (0.05, 0.05)])
def test_a_deadline_that_is_moved_is_met_once_at_its_last_time(first: float, second: float) -> None:
    loop, times = Loop(), list[float]()
    deadline = Deadline(loop, _recorder(times))
    now = time.monotonic()
    for after in (first, second):
        deadline.set(now + after)
    _run(loop, 0.15)
    (met,) = times
    assert second - 0.005 <= met < second + 0.1


def test_a_deadline_that_is_unset_or_cancelled_is_never_met() -> None:
    loop, times = Loop(), list[float]()
    unset, cancelled, again = (Deadline(loop, _recorder(times)) for _ in range(3))
    now = time.monotonic()
    for deadline in (unset, cancelled, again):
        deadline.set(now + 0.02)
    unset.set(None)
    cancelled.cancel()
    again.set(None)
    again.set(now + 0.03)
    _run(loop, 0.08)
    assert len(times) == 1


def test_moving_a_deadline_later_costs_no_memory() -> None:
    """A busy connection moves its deadline with every read."""
    loop = Loop()
    deadline = Deadline(loop, lambda: None)
    now = time.monotonic()
    for number in range(10_000):
        deadline.set(now + 10 + number)
    assert len(loop._timers) == 1
    _run(loop, 0)


def test_a_deadline_in_many_years_does_not_end_the_loop() -> None:
    """epoll takes no more than 2**31 milliseconds at a time."""
    loop = Loop()
    Deadline(loop, lambda: None).set(time.monotonic() + 1e12)
    thread = threading.Thread(target=loop.run)
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    loop.call_soon_from_thread(loop.stop)
    thread.join(5)
    assert not thread.is_alive()


def test_work_in_a_thread_comes_back_to_the_loop() -> None:
    loop = Loop()
    threads: list[threading.Thread] = []
    outcomes: list[Future[int]] = []

    def work() -> int:
        threads.append(threading.current_thread())
        return 42

    def done(outcome: Future[int]) -> None:
        threads.append(threading.current_thread())
        outcomes.append(outcome)
        loop.stop()

    loop.in_thread(work, done)
    loop.run()
    assert [outcome.result() for outcome in outcomes] == [42]
    assert threads[0] is not threads[1]
    assert threads[1] is threading.current_thread()


def test_a_failure_in_a_thread_is_an_outcome() -> None:
    loop = Loop()
    failures: list[BaseException | None] = []

    def fail() -> None:
        raise OSError("it fails")

    def done(outcome: Future[None]) -> None:
        failures.append(outcome.exception())
        loop.stop()

    loop.in_thread(fail, done)
    loop.run()
    assert isinstance(failures[0], OSError)


def test_many_wake_ups_are_all_heard() -> None:
    """More than the socket pair can hold: the callbacks count, not the bytes."""
    loop, heard = Loop(), list[int]()
    for number in range(20_000):
        loop.call_soon_from_thread(lambda number=number: heard.append(number))  # type: ignore[misc]
    loop.call_soon_from_thread(loop.stop)
    loop.run()
    assert heard == list(range(20_000))
    loop.call_soon_from_thread(loop.stop)  # after the end this is ignored


@pytest.mark.timeout(20)
def test_a_callback_that_calls_again_and_again_holds_up_no_deadline() -> None:
    """Each callback runs in the next turn."""
    loop, calls = Loop(), list[float]()

    def again() -> None:
        calls.append(time.monotonic())
        loop.call_soon(again)

    again()
    _run(loop, 0.05)
    assert len(calls) > 2


def test_all_threads_are_there_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request fails because the system cannot start another thread."""
    before = set(threading.enumerate())
    loop, outcomes = Loop(5), list[int]()
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    names = [thread.name for thread in set(threading.enumerate()) - before]
    assert sum(name.startswith("disk") for name in names) == 5
    assert sum(name.startswith("parsing") for name in names) == len(names) - 5 > 0

    def done(outcome: Future[int]) -> None:
        outcomes.append(outcome.result())
        if len(outcomes) == 10:
            loop.stop()

    for number in range(10):
        loop.in_thread(lambda number=number: number, done, uses_disk=number % 2 == 0)  # type: ignore[misc]
    loop.run()
    assert sorted(outcomes) == list(range(10))


@pytest.mark.parametrize("room", range(5))
def test_a_loop_that_gets_too_few_threads_is_none(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Creating it fails at once, and the threads that were started end."""
    before, start, started = set(threading.enumerate()), threading.Thread.start, list[threading.Thread]()

    def start_while_there_is_room(thread: threading.Thread) -> None:
        if len(started) == room:
            _no_thread(thread)
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_while_there_is_room)
    # A thread that waits for ever would also keep the tests from ending.
    monkeypatch.setattr(threading, "Barrier", functools.partial(threading.Barrier, timeout=10))
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        Loop(4)
    assert time.monotonic() - begin < patient(8)
    assert len(started) == room
    assert set(threading.enumerate()) == before


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_loop_that_waits_uses_no_time() -> None:
    loop = Loop()
    Deadline(loop, loop.stop).set(time.monotonic() + 0.3)
    begin = time.thread_time()
    loop.run()
    assert time.thread_time() - begin < 0.1


_PACE = Limits(body_idle_timeout=30, body_rate_window=60, min_body_rate=256)
_WANTED = 60 * 256


def test_a_body_is_looked_at_when_it_could_be_too_slow_first() -> None:
    pace = BodyPace(_PACE, 100)
    assert [pace.wait(now) for now in (100, 110, 131, 159)] == [130, 140, 160, 160]


@pytest.mark.parametrize(
    ("size", "again"), [(_WANTED, 189), (_WANTED - 1, None), (10 * _WANTED, 189), (0, None)]
)
def test_the_minimum_rate_is_that_of_each_window(size: int, again: float | None) -> None:
    pace = BodyPace(_PACE, 100)
    pace.wait(159)
    assert pace.check(160, size) == again
    if again is not None:
        pace.wait(215)
        assert pace.check(220, size + _WANTED - 1) is None, "what came before does not count again"


def test_silence_is_too_slow_whatever_came_before() -> None:
    pace = BodyPace(_PACE, 100)
    pace.wait(101)
    assert pace.check(131, 10 * _WANTED) is None


def test_time_that_the_server_took_is_not_the_clients() -> None:
    pace = BodyPace(_PACE, 100)
    pace.exclude(50)
    assert [pace.wait(now) for now in (150, 190)] == [180, 210]


def test_without_a_window_any_rate_will_do_but_not_silence() -> None:
    """The next check is never due at once, so the loop does not spin."""
    pace = BodyPace(Limits(body_idle_timeout=30, body_rate_window=0, min_body_rate=256), 100)
    assert pace.wait(100) == 130
    assert pace.wait(110) == 140
    assert pace.check(139, 1) == 140
    assert pace.check(140, 1) is None
