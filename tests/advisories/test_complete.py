"""Every row has a test, and rows that wait for a later part of the project are listed once."""

import itertools

from tests.advisories.closed_elsewhere import CLOSED_ELSEWHERE
from tests.advisories.test_advisories import ATTACKS

_SECTIONS = ((1, 63), (70, 118), (120, 138), (150, 161), (170, 180))
_ROWS = [f"H{number:03}" for first, last in _SECTIONS for number in range(first, last + 1)]
# Rows whose tests look inside a process, or start their own: test_in_process.py, test_optimised.py.
_INSIDE = {"H101", "H109", "H111", "H112", "H170"}


def test_there_are_154_rows_and_each_has_a_test() -> None:
    assert len(_ROWS) == 154
    assert sorted({attack.row for attack in ATTACKS} | _INSIDE) == _ROWS


def test_no_two_attacks_have_the_same_name() -> None:
    names = sorted(attack.id for attack in ATTACKS)
    assert [one for one, other in itertools.pairwise(names) if one == other] == []


def test_what_is_closed_elsewhere_is_a_row_and_tested_as_far_as_it_can_be() -> None:
    assert set(CLOSED_ELSEWHERE) <= set(_ROWS)
    assert all(CLOSED_ELSEWHERE.values())


def test_every_attack_reaches_both_parsers() -> None:
    """Gunicorn also counts `100 Continue` and pipelined responses, which WSGI hides from the application."""
    assert {attack.id for attack in ATTACKS if not {"socket", "gunicorn"} <= set(attack.backends)} == set()
