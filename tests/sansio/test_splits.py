"""Every recorded request gives the same events for every split into reads (M89)."""

import pytest

from tests.recorded import recorded_cases
from tests.sansio.splits import samples
from tests.sansio.transcripts import read_requests

_RECORDED = recorded_cases()
_BYTEWISE = 20_000


def test_recorded_requests_are_there() -> None:
    assert len(_RECORDED) > 500


@pytest.mark.parametrize("batch", range(8))
def test_a_recorded_request_for_every_split(batch: int) -> None:
    """As a whole, in single bytes and in random pieces: the same heads, bodies and problem."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = read_requests([data])
        for pieces in samples(data, case.name, random_ones=3, bytewise_up_to=_BYTEWISE):
            assert read_requests(pieces) == whole, (case.name, [len(piece) for piece in pieces])
