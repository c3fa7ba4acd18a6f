"""Quotas: what is held at once, in all and of each client."""

import threading

import pytest

from servers.contract.load import Quota, client_of
from servers.contract.problems import Problem


def refused(quota: Quota, client: str | None) -> str:
    with pytest.raises(Problem) as caught:
        quota.acquire(client)
    assert caught.value.headers == (("Retry-After", "1"),)
    return caught.value.code


def test_what_is_equal_to_a_limit_is_admitted_and_one_more_is_not() -> None:
    quota = Quota("things", 3, 2)
    permits = [quota.acquire("a"), quota.acquire("a"), quota.acquire("b")]
    assert refused(quota, "c") == "overloaded"
    assert refused(quota, "a") == "too_many_requests", "the client's own limit comes first"
    assert quota.is_full
    permits[0].release()
    quota.acquire("a").release()


def test_a_permit_is_given_back_once() -> None:
    quota = Quota("things", 2, 1)
    first, second = quota.acquire("a"), quota.acquire("b")
    for _ in range(3):
        first.release()
    assert quota.held == 1
    second.release()
    assert quota.held == 0
    assert quota._held_by == {}, "clients that hold nothing are forgotten"


def test_zero_means_no_limit_and_no_address_means_no_limit_of_a_client() -> None:
    unlimited, of_one = Quota("things"), Quota("things", 0, 1)
    assert len([unlimited.acquire("a") for _ in range(1000)]) == unlimited.held == 1000
    assert len([of_one.acquire(None) for _ in range(10)]) == of_one.held == 10
    assert not unlimited.is_full


def test_counts_are_exact_when_many_threads_acquire_and_release() -> None:
    quota = Quota("things", 1000, 1000)
    begin = threading.Barrier(8)

    def work(client: str) -> None:
        begin.wait()
        for _ in range(2000):
            quota.acquire(client).release()

    threads = [threading.Thread(target=work, args=(f"client {number % 2}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (quota.held, quota._held_by) == (0, {})


@pytest.mark.parametrize(
    ("address", "client"),
    [
        (("192.0.2.1", 4000), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 4000, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::", 4000, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 4000, 0, 2), "fe80::/64"),
        (("::ffff:192.0.2.1", 4000, 0, 0), "192.0.2.1"),
        (("", 0), None),
        ("/run/socket", None),
        (None, None),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(address: object, client: str | None) -> None:
    assert client_of(address) == client
