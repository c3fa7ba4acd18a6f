"""The cases, loaded once for all tests of a process: loading takes half a second."""

from collections.abc import Sequence
from functools import cache

from clients.comparison.cases import Case
from clients.comparison.runner import load_all_cases


@cache
def all_cases() -> Sequence[Case]:
    """Every case of every client."""
    return tuple(load_all_cases())


@cache
def recorded_cases() -> Sequence[Case]:
    """The recorded requests, sorted by name."""
    return tuple(case for case in all_cases() if case.client == "raw")
