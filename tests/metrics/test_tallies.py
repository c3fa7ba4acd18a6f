"""What one process counts, without a server."""

import threading

import pytest

from servers.contract.problems import PROBLEMS
from servers.contract.request_log import QUIET, RequestRecord
from servers.metrics.definitions import DURATION, STORE_DURATION
from servers.metrics.tallies import Tallies


def record(method: str | None = "GET", status: int | None = 200, code: str | None = None) -> RequestRecord:
    """The record of a request that was answered so."""
    made = RequestRecord(QUIET, None)
    made.method, made.status, made.code, made.route = method, status, code, "echo"
    made.received, made.sent = 3, 5
    return made


def test_requests_with_the_same_labels_are_counted_together() -> None:
    tallies = Tallies()
    for _ in range(2):
        tallies.request_ended(record(), 0.5)
    tallies.request_ended(record(status=404, code="not_found"), 0.5)
    counted = tallies.take().requests
    assert {key: (tally.count, tally.received, tally.sent) for key, tally in counted.items()} == {
        ("echo", "GET", 200, None): (2, 6, 10),
        ("echo", "GET", 404, "not_found"): (1, 3, 5),
    }


def test_what_was_taken_is_not_counted_again() -> None:
    tallies = Tallies()
    tallies.request_ended(record(), 0.5)
    tallies.store_operation("write", 0.1, "store_unavailable")
    assert tallies.take().requests
    nothing = tallies.take()
    assert (nothing.requests, nothing.store, nothing.store_errors) == ({}, {}, {})


@pytest.mark.parametrize(
    ("method", "label"), [("GET", "GET"), ("BREW", "other"), ("get", "other"), (None, None)]
)
def test_a_method_of_the_client_s_choice_is_no_label(method: str | None, label: str | None) -> None:
    tallies = Tallies()
    tallies.request_ended(record(method), 0.5)
    assert [key[1] for key in tallies.take().requests] == [label]


def test_a_bucket_includes_its_upper_bound() -> None:
    tallies = Tallies()
    first, *_, last = DURATION.bounds
    for seconds in (0.0, first, first * 1.01, last, last + 1):
        tallies.request_ended(record(), seconds)
    (tally,) = tallies.take().requests.values()
    buckets = tally.buckets
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1], sum(buckets)) == (2, 1, 1, 1, 5)
    assert tally.total == pytest.approx(first * 2.01 + 2 * last + 1)


def test_the_store_is_counted_by_operation_and_problem() -> None:
    tallies = Tallies()
    for code in (None, "store_unavailable", "store_unavailable", "insufficient_storage"):
        tallies.store_operation("publish", 0.2, code)
    counted = tallies.take()
    assert sum(counted.store["publish"].buckets) == 4
    assert len(counted.store["publish"].buckets) == len(STORE_DURATION.bounds) + 1
    assert counted.store_errors == {
        ("publish", "store_unavailable"): 2,
        ("publish", "insufficient_storage"): 1,
    }
    assert {code for _, code in counted.store_errors} <= set(PROBLEMS)


def test_threads_lose_no_count() -> None:
    tallies = Tallies()
    one = record()

    def count() -> None:
        for _ in range(500):
            tallies.request_ended(one, 0.1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    taken = 0
    while any(thread.is_alive() for thread in threads):
        taken += sum(tally.count for tally in tallies.take().requests.values())
    taken += sum(tally.count for tally in tallies.take().requests.values())
    assert taken == 8 * 500
