"""The verdict on given arrival times: the three kinds, too little to tell, and what noise may not change."""

import itertools
import random

import pytest

from clients.sse.classification import StreamKind, classify_stream

DELAY = 0.3
STEADY = [0.005 + DELAY * event for event in range(9)]


def verdict(times: list[float], delay: float | None = DELAY) -> StreamKind:
    return classify_stream(times, delay=delay).kind


def in_bursts(size: int, count: int = 24) -> list[float]:
    """Events that somebody collects until there are `size`, and passes on within half a millisecond."""
    made = [0.005 + DELAY * event for event in range(count)]
    sent = [made[min(event // size * size + size, count) - 1] for event in range(count)]
    return [at + 0.0005 * (event % size) / size for event, at in enumerate(sent)]


@pytest.mark.parametrize("delay", [DELAY, None])
def test_a_steady_stream_is_real(delay: float | None) -> None:
    assert verdict(STEADY, delay) is StreamKind.REAL


@pytest.mark.parametrize("delay", [DELAY, None])
@pytest.mark.parametrize("size", [2, 3, 5, 24])
def test_bursts_of_any_size_are_buffered_pairs_too(size: int, delay: float | None) -> None:
    assert verdict(in_bursts(size), delay) is StreamKind.BUFFERED


def test_a_first_event_alone_does_not_make_a_stream() -> None:
    assert verdict([0.005, *[2.4] * 8]) is StreamKind.BUFFERED


@pytest.mark.parametrize("delay", [DELAY, None])
@pytest.mark.parametrize(
    ("sizes", "kind"),
    [
        pytest.param((1, 1, 1, 1, 4), StreamKind.REAL, id="4 of 8 alone"),
        pytest.param((1, 1, 1, 5), StreamKind.BUFFERED, id="3 of 8 alone"),
    ],
)
def test_half_of_the_events_must_come_alone(
    sizes: tuple[int, ...], kind: StreamKind, delay: float | None
) -> None:
    """Each burst of `sizes` comes when its last event is made."""
    made = itertools.accumulate(sizes)
    times = [DELAY * (last - 1) for last, size in zip(made, sizes, strict=True) for _ in range(size)]
    assert verdict(times, delay) is kind


@pytest.mark.parametrize(
    ("delay", "kind"),
    [
        pytest.param(0.0099, StreamKind.UNDECIDED, id="0.0495 s"),
        pytest.param(0.01, StreamKind.REAL, id="0.05 s"),
    ],
)
def test_the_shortest_time_in_which_events_are_made(delay: float, kind: StreamKind) -> None:
    assert verdict([delay * event for event in range(6)], delay) is kind


@pytest.mark.parametrize(("last", "kind"), [(0.499, StreamKind.UNDECIDED), (0.5, StreamKind.REAL)])
def test_the_shortest_time_in_which_events_come_when_no_delay_is_known(last: float, kind: StreamKind) -> None:
    assert verdict([0.0, 0.1, 0.2, 0.3, 0.4, last], None) is kind


@pytest.mark.parametrize(("gap", "kind"), [(0.0499, StreamKind.BUFFERED), (0.05, StreamKind.REAL)])
def test_a_tenth_of_the_delay_is_a_gap(gap: float, kind: StreamKind) -> None:
    assert verdict([0.0, gap, 1.0], 0.5) is kind


@pytest.mark.parametrize(("gap", "kind"), [(0.00099, StreamKind.BUFFERED), (0.001, StreamKind.REAL)])
def test_a_gap_is_a_millisecond_at_least(gap: float, kind: StreamKind) -> None:
    """A tenth of the delay is 0.6 ms. With a gap after the first event 6 of 11 come alone, else 4."""
    assert verdict([0.0, gap, 0.03, 0.04, 0.05, 0.06, *[0.07] * 5], 0.006) is kind


@pytest.mark.parametrize("delay", [DELAY, None])
def test_all_at_once_at_the_end_is_buffered(delay: float | None) -> None:
    assert verdict([2.4] * 9, delay) is StreamKind.BUFFERED


def test_a_client_that_read_the_whole_sees_a_pseudo_stream_whatever_the_times() -> None:
    for times in ([2.4] * 9, STEADY, [0.0], []):
        assert classify_stream(times, delay=DELAY, read_whole=True).kind is StreamKind.PSEUDO


@pytest.mark.parametrize("delay", [DELAY, 0.05, None])
def test_a_reader_that_stalls_for_a_moment_still_sees_a_stream(delay: float | None) -> None:
    """Everything that arrives within a stall is seen at its end."""
    pace = delay or 0.02
    for start in range(9):
        begin, end = 0.004 + pace * start, 0.004 + pace * (start + 4)
        times = [0.005 + pace * event for event in range(30)]
        assert verdict([end if begin < at < end else at for at in times], delay) is StreamKind.REAL


def test_jitter_does_not_make_bursts() -> None:
    rng = random.Random(4)
    for _ in range(200):
        times = [0.0]
        for _ in range(8):
            times.append(times[-1] + 0.1 + rng.expovariate(1 / 0.05))
        shaken = sorted(at + rng.uniform(0, 0.06) for at in times)
        assert verdict(shaken, 0.1) is StreamKind.REAL


def test_a_model_that_thinks_and_then_speaks_fast_is_real() -> None:
    """Uneven on purpose: a long pause at the start and one in the middle, tokens every 5 to 40 ms."""
    rng = random.Random(4)
    times = [3.0]
    for token in range(200):
        times.append(times[-1] + rng.uniform(0.005, 0.04) + (10 if token == 90 else 0))
    assert verdict(times, None) is StreamKind.REAL


@pytest.mark.parametrize(
    ("times", "delay"),
    [
        ([], DELAY),
        ([0.4], DELAY),
        ([0.001, 0.001, 0.002], None),
        ([0.001, 0.001, 0.002], 0.0),
        ([0.7, 0.7, 0.7], 0.0),
        ([0.4, 0.4, 0.4], None),
        ([0.02, 0.02, 0.02], 0.01),
    ],
)
def test_too_little_or_too_fast_is_not_judged(times: list[float], delay: float | None) -> None:
    assert verdict(times, delay) is StreamKind.UNDECIDED


def test_a_delay_that_nobody_heeds_is_no_measure() -> None:
    assert verdict([0.01 * event for event in range(9)], 5.0) is StreamKind.UNDECIDED
    assert verdict([0.1 * event for event in range(9)], 5.0) is StreamKind.REAL


def test_the_evidence_says_what_was_counted() -> None:
    real = " | ".join(classify_stream(STEADY, delay=DELAY).evidence)
    assert "9 of 9 events came on their own, 30 ms or more from the next" in real
    assert "after 0.005 s, 2.395 s before the last could be made" in real
    assert "gaps: 0.300 s in the median, 0.300 to 0.300; the request asked for 0.3 s" in real
    paired = " | ".join(classify_stream(in_bursts(2, 8), delay=DELAY).evidence)
    assert "0 of 8 events came on their own" in paired
    assert "the others in 4 bursts of up to 2" in paired
    late = " | ".join(classify_stream([3.0] * 9, delay=DELAY).evidence)
    assert "by then the last could have been made for 0.600 s" in late
    whole = " | ".join(classify_stream([3.0] * 9, read_whole=True).evidence)
    assert "the client handed over 9 events at 3.000 s, none before" in whole
