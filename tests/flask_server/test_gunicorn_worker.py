"""The worker itself, without a process, when our own code fails."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from servers.contract.problems import Problem
from servers.flask_server.gunicorn_worker import Worker


class BrokenConnection:
    """A connection on which reading a head fails unexpectedly."""

    def __init__(self) -> None:
        self.refused: list[Problem] = []

    def gather(self) -> bool:
        raise TypeError("unforeseen")

    def refuse(self, problem: Problem) -> None:
        self.refused.append(problem)


def test_a_fault_of_ours_while_a_head_is_read_is_logged_and_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = BrokenConnection()
    worker = SimpleNamespace(log=logging.getLogger("gunicorn.test"))
    stays = Worker.handle(cast(Any, worker), cast(Any, connection))
    assert stays is False
    assert [problem.code for problem in connection.refused] == ["internal"]
    assert "TypeError: unforeseen" in caplog.text
