"""The minimum rate of a body, with a fake clock. Chunked framing does not count (contract section 5)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.flask_reading.chunks import ChunkedStream
from servers.flask_server.pace import Pace

LIMITS = Limits(min_body_rate=256, body_rate_window=60)
LEAST = 256 * 60


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("servers.flask_server.pace.time", SimpleNamespace(monotonic=made.monotonic))
    return made


def checked(clock: Clock, limits: Limits, *steps: tuple[float, int]) -> list[bool]:
    """Whether each step is fast enough. A step is the seconds since the last one, and the size so far."""
    pace = Pace(limits)
    found = []
    for seconds, size in steps:
        clock.now += seconds
        try:
            pace.check(size)
        except Problem as problem:
            assert problem.code == "request_timeout"
            found.append(False)
        else:
            found.append(True)
    return found


def test_nothing_is_checked_within_a_window(clock: Clock) -> None:
    assert checked(clock, LIMITS, (0, 0), (30, 1), (29.9, 2)) == [True, True, True]


@pytest.mark.parametrize(("size", "enough"), [(LEAST, True), (LEAST - 1, False)])
def test_a_window_ends_well_with_the_least_and_no_less(clock: Clock, size: int, enough: bool) -> None:
    assert checked(clock, LIMITS, (60, size)) == [enough]


@pytest.mark.parametrize(("more", "enough"), [(LEAST, True), (LEAST - 1, False)])
def test_each_window_counts_for_itself(clock: Clock, more: int, enough: bool) -> None:
    """However much came in the window before."""
    burst = 100 * LEAST
    assert checked(clock, LIMITS, (60, burst), (59.9, burst), (0.1, burst + more)) == [True, True, enough]


@pytest.mark.parametrize("free", ["min_body_rate", "body_rate_window"])
def test_without_a_rate_or_a_window_any_rate_will_do(clock: Clock, free: str) -> None:
    limits = replace(LIMITS, **{free: 0})
    assert checked(clock, limits, (0, 0), (1000, 1), (1000, 1)) == [True, True, True]


def one_a_second(clock: Clock, pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """A source whose every read takes a second."""

    def read(size: int) -> bytes:
        clock.now += 1
        piece = next(pieces)
        assert len(piece) <= size
        return piece

    return read


def seconds_until_refused(clock: Clock, pieces: Iterator[bytes]) -> float:
    begin = clock.now
    stream = ChunkedStream(one_a_second(clock, pieces), LIMITS, has_type=True, check_rate=Pace(LIMITS).check)
    with pytest.raises(Problem, match="request_timeout"):
        while stream.read(1 << 20):
            assert clock.now - begin < 1000, "it drips for ever"
    return clock.now - begin


def bytewise(raw: bytes) -> Iterator[bytes]:
    return (raw[at : at + 1] for at in range(len(raw)))


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(lambda: bytewise(b"3;a=" + b"x" * 200), id="extension"),
        pytest.param(lambda: bytewise(b"fff\r\n" + b"x" * 200), id="data"),
        pytest.param(lambda: bytewise(b"1\r\na\r\n" * 50), id="tiny chunks"),
        pytest.param(lambda: chain([b"3\r\nabc\r\n0\r\n"], bytewise(b"a: " + b"x" * 200)), id="trailer"),
        pytest.param(lambda: chain([b"0\r\n"], bytewise(b"a: b\r\n" * 50)), id="trailers"),
        # Enough raw bytes, but next to nothing of a body.
        pytest.param(lambda: repeat(b"1;" + b"x" * 254 + b"\r\na\r\n"), id="full extensions"),
        pytest.param(lambda: chain([b"0\r\n"], repeat(b"a: " + b"x" * 400 + b"\r\n")), id="full trailers"),
        # What is announced has not arrived.
        pytest.param(lambda: chain([b"fffff\r\n"], repeat(b"x")), id="announced"),
    ],
)
def test_chunks_that_drip_are_ended_with_the_window_wherever_they_drip(
    clock: Clock, pieces: Callable[[], Iterator[bytes]]
) -> None:
    assert seconds_until_refused(clock, pieces()) == 60


def test_chunks_that_stop_to_flow_are_ended_with_the_next_window(clock: Clock) -> None:
    flow = repeat(b"400\r\n" + b"x" * 1024 + b"\r\n", 50)
    assert seconds_until_refused(clock, chain(flow, repeat(b"1\r\nx\r\n"))) == 120


def test_chunks_at_the_least_rate_go_on(clock: Clock) -> None:
    chunk = b"100\r\n" + b"x" * 256 + b"\r\n"
    stream = ChunkedStream(
        one_a_second(clock, chain([chunk * 2], repeat(chunk, 298), [chunk + b"0\r\n\r\n"])),
        LIMITS,
        has_type=True,
        check_rate=Pace(LIMITS).check,
    )
    assert sum(map(len, iter(lambda: stream.read(1 << 20), b""))) == 301 * 256
