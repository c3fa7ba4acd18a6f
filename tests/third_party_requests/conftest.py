"""Says at the end of a run that the corpus was absent, where nobody can overlook it."""

from __future__ import annotations

import pytest

from tests.third_party_requests.corpus import ABSENT, corpus_is_here


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not corpus_is_here():
        terminalreporter.section("the corpus did not run", sep="!", red=True, bold=True)
        terminalreporter.line(ABSENT)
