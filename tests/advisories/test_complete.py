"""No row of the hall is forgotten, and what is closed in another part of the project is said so once."""

from __future__ import annotations

import itertools

from tests.advisories.closed_elsewhere import CLOSED_ELSEWHERE
from tests.advisories.test_advisories import SHOTS

_SECTIONS = ((1, 63), (70, 114), (120, 138), (150, 161), (170, 180))
_ROWS = [f"H{number:03}" for first, last in _SECTIONS for number in range(first, last + 1)]
# Rows whose tests look inside a process, or start their own: test_in_process.py, test_optimised.py.
_INSIDE = {"H101", "H109", "H111", "H112", "H170"}


def test_the_hall_has_150_rows_and_each_has_a_test() -> None:
    assert len(_ROWS) == 150
    assert sorted({shot.row for shot in SHOTS} | _INSIDE) == _ROWS


def test_no_two_shots_have_the_same_name() -> None:
    names = sorted(shot.id for shot in SHOTS)
    assert [one for one, other in itertools.pairwise(names) if one == other] == []


def test_what_is_closed_elsewhere_is_a_row_and_tested_as_far_as_it_can_be() -> None:
    assert set(CLOSED_ELSEWHERE) <= set(_ROWS)
    assert all(CLOSED_ELSEWHERE.values())


def test_every_shot_reaches_both_readings() -> None:
    """But for what WSGI hides: the count of `100 Continue` and of pipelined answers is gunicorn's too."""
    assert {shot.id for shot in SHOTS if not {"socket", "gunicorn"} <= set(shot.backends)} == set()
