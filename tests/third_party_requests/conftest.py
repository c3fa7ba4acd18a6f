"""Says at the end of a run that the third-party requests were absent."""

import pytest

from tests.third_party_requests.records import ABSENT, are_here


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not are_here():
        terminalreporter.section("the third-party requests were not sent", sep="!", red=True, bold=True)
        terminalreporter.line(ABSENT)
