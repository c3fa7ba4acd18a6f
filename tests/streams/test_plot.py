"""The plot: a row an event, at most 80 columns, a stair for a stream and a wall for a burst."""

import itertools

import pytest

from clients.sse.plot import COLUMNS, MARK, MAX_ROWS, plot


def places(times: list[float]) -> list[int]:
    return [line.index(MARK) for line in list(plot(times))[1:]]


def test_a_stream_is_a_stair_over_the_whole_width() -> None:
    columns = places([0.3 * event for event in range(10)])
    steps = {right - left for left, right in itertools.pairwise(columns)}
    assert min(steps) >= 1
    assert max(steps) - min(steps) <= 1
    assert columns[-1] == COLUMNS - 1


def test_a_burst_is_a_wall() -> None:
    assert len(set(places([2.4 + 0.001 * event for event in range(9)]))) == 1


def test_events_of_one_time_are_one_line() -> None:
    assert list(plot([2.4] * 9)) == ["all 9 events came at 2.400 s"]


def test_of_many_events_the_first_and_the_last_are_among_those_shown() -> None:
    lines = list(plot([0.01 * event for event in range(1000)]))
    assert len(lines) == MAX_ROWS + 1
    assert lines[1].split()[0] == "1"
    assert lines[-1].split()[0] == "1000"


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.0], [9.0, 99999.0], [0.1] * 100_000])
def test_no_line_is_wider_than_the_terminal(times: list[float]) -> None:
    assert all(len(line) <= COLUMNS for line in plot(times))


def test_each_row_tells_the_time_and_the_gap_before() -> None:
    lines = list(plot([0.004, 0.304, 1.0]))
    assert [line.split()[:-1] for line in lines[1:]] == [
        ["1", "0.004", "s"],
        ["2", "0.304", "s", "+0.300"],
        ["3", "1.000", "s", "+0.696"],
    ]
