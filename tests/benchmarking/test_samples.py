"""The figures that samples make."""

import pytest

from clients.benchmarking.samples import MIB, Sample, figure_of, percentile


def sample(rate: float, *, cpu: float = 1.0, peak_mib: float = 0.0, errors: int = 0) -> Sample:
    return Sample(rate * 2, 2.0, cpu, int(peak_mib * MIB), (rate / 1000,), errors)


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_rounds() -> None:
    ours = [sample(300.0), sample(100.0), sample(200.0)]
    reference = [sample(100.0), sample(50.0), sample(25.0)]
    figure = figure_of(ours, reference, 1.0)
    assert figure.rate == 200.0
    assert figure.ratio == 4.0
    assert figure.spread == (2.0, 8.0)
    assert figure.rounds == 3


def test_the_median_of_an_even_number_of_rounds_lies_between_the_two_in_the_middle() -> None:
    assert figure_of([sample(rate) for rate in (1.0, 2.0, 4.0, 100.0)], [], 1.0).rate == 3.0


def test_cpu_is_for_a_unit_of_work() -> None:
    figure = figure_of([sample(1.0, cpu=3.0), sample(2.0, cpu=4.0), sample(4.0, cpu=40.0)], [], 1000.0)
    assert figure.cpu == 1500.0  # the median of 3/2, 4/4 and 40/8 seconds for a unit, times 1000


def test_peaks_are_medians_in_mib_and_never_below_zero() -> None:
    assert figure_of([sample(1.0, peak_mib=peak) for peak in (1, 7, 2)], [], 1.0).peak_mib == 2.0
    assert figure_of([sample(1.0, peak_mib=-3)], [], 1.0).peak_mib == 0.0


def test_latencies_of_all_rounds_make_one_distribution() -> None:
    rounds = [
        Sample(1, 1, 1, 0, tuple(n / 1000 for n in numbers)) for numbers in (range(1, 51), range(51, 101))
    ]
    figure = figure_of(rounds, [], 1.0)
    assert figure.p50_ms == pytest.approx(50.0)
    assert figure.p99_ms == pytest.approx(99.0)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.25, 1.0), (0.26, 2.0), (0.5, 2.0), (0.99, 4.0), (1.0, 4.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == value


def test_errors_of_all_rounds_are_counted() -> None:
    assert figure_of([sample(1.0, errors=2), sample(1.0, errors=3)], [], 1.0).errors == 5


def test_nothing_is_divided_by_a_reference_that_did_nothing() -> None:
    figure = figure_of([sample(5.0)], [sample(0.0)], 1.0)
    assert figure.ratio is None
    assert figure.spread is None


def test_a_server_that_did_nothing_has_a_ratio_of_zero_and_no_cost() -> None:
    figure = figure_of([Sample(0.0, 1.0, 0.5, 0, (), errors=9)], [sample(5.0)], 1.0)
    assert figure.ratio == 0.0
    assert figure.cpu is None
    assert figure.p99_ms is None


def test_figures_of_one_workload_are_medians_too() -> None:
    rounds = [Sample(1, 1, 1, 0, (), extra={"held": held}) for held in (1, 3, 2)]
    assert figure_of(rounds, [], 1.0).extra == {"held": 2}
