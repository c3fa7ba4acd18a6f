"""`pytest --budget SECONDS`: run tests in a random order until the time is used, and report what is left.

Slow lanes use it: a slice of each lane runs every day, another slice the next day. The header names the
order, and `--budget-order` repeats it. A test that takes long says so, `@pytest.mark.soak(seconds=300)`;
it starts only while that much time is left.
"""

from __future__ import annotations

import random
import time

import pytest

_MARKERS = ("soak", "clients_matrix", "real_clients")
_SECONDS = 10.0  # of a test that does not say how long it takes


def add_options(parser: pytest.Parser) -> None:
    """Add `--budget` and `--budget-order`."""
    group = parser.getgroup("budget", "a slice of the tests")
    group.addoption("--budget", type=float, metavar="SECONDS", help="Run tests until this time is used.")
    group.addoption("--budget-order", type=int, metavar="NUMBER", help="The order of a former run.")


def expected_seconds(item: pytest.Item) -> float:
    """How long the test takes, by its marker."""
    markers = (item.get_closest_marker(name) for name in _MARKERS)
    return max((float(marker.kwargs.get("seconds", _SECONDS)) for marker in markers if marker), default=0.0)


class Budget:
    """A plugin that runs what fits into `seconds`."""

    def __init__(self, seconds: float, order: int | None) -> None:
        self._seconds = seconds
        self._order = random.randrange(10**6) if order is None else order
        self._ends = 0.0
        self._ran = 0
        self._left: list[str] = []

    def pytest_report_header(self) -> str:
        return f"budget: {self._seconds:g} s; --budget-order {self._order} repeats this order"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        random.Random(self._order).shuffle(items)

    def pytest_runtestloop(self) -> None:
        self._ends = time.monotonic() + self._seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if time.monotonic() + expected_seconds(item) > self._ends:
            self._left.append(item.nodeid)
            # The test before kept the fixtures that this one shares with it; the next test may be elsewhere.
            item.session._setupstate.teardown_exact(nextitem)
            return True  # nothing else runs this test
        self._ran += 1
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("budget")
        terminalreporter.line(
            f"{self._ran} tests ran within {self._seconds:g} s, {len(self._left)} are left:"
        )
        for name in self._left:
            terminalreporter.line(f"left: {name}")
