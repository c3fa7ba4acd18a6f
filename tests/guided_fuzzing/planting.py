"""Bugs that are put in on purpose, to show that the search finds them."""


def plant(bug: str) -> None:
    """Put the planted bug of this name into this process. An empty name plants none."""
    if bug:
        from tests.planted_bugs import PLANTED_BUGS

        PLANTED_BUGS[bug].patch()
