"""Every recorded request gets the same response, however its bytes are split into reads (M89)."""

import pytest

from tests.recorded import recorded_cases
from tests.routes.driving import responses_to
from tests.sansio.splits import samples

_RECORDED = recorded_cases()
_BYTEWISE = 3000


@pytest.mark.parametrize("batch", range(8))
def test_no_response_depends_on_the_split(batch: int) -> None:
    """The bytes, the fields and the stored files are the same for every split."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = responses_to([data])
        splits = samples(data, case.name, random_ones=2, bytewise_up_to=_BYTEWISE)
        for number, pieces in enumerate(splits):
            sent = responses_to(pieces, loop=number % 2 == 0)
            assert sent == whole, (case.name, [len(piece) for piece in pieces])


def test_the_recorded_requests_get_responses_of_every_kind() -> None:
    """The test above compares more than refusals of one kind."""
    statuses = {sent[0] for case in _RECORDED for sent in responses_to([case.request])[0]}
    assert {200, 206, 304, 400, 404, 405, 413, 414, 415, 416, 417, 421, 431, 501, 505} <= statuses
