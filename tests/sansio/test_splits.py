"""Every recorded request gives the same events for every split into reads (M89)."""

import random

import pytest

from clients.comparison.cases import load_cases
from tests.sansio.splits import at_random, by_size, bytewise
from tests.sansio.transcripts import read_requests

_RECORDED = load_cases()
_BYTEWISE = 20_000


def test_recorded_requests_are_there() -> None:
    assert len(_RECORDED) > 500


@pytest.mark.parametrize("batch", range(8))
def test_a_recorded_request_for_every_split(batch: int) -> None:
    """As a whole, in single bytes and in random pieces: the same heads, bodies and problem."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = read_requests([data])
        rng = random.Random(case.name)
        for _ in range(3):
            pieces = at_random(data, rng)
            assert read_requests(pieces) == whole, (case.name, [len(piece) for piece in pieces])
        if len(data) <= _BYTEWISE:
            assert read_requests(bytewise(data)) == whole, case.name
        else:
            assert read_requests(by_size(data, 1021)) == whole, case.name
