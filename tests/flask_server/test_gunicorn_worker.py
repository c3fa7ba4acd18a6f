"""The worker itself, without a process, when our own code fails."""

import logging
import time
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


class WaitingConnection:
    """A connection on which nothing has arrived. It counts how often the worker looks at it."""

    looks = 0

    def head_is_late(self, now: float) -> bool:
        self.looks += 1
        return False

    def is_idle_too_long(self, now: float, *, stopping: bool) -> bool:
        return False


def test_a_turn_of_the_loop_does_not_look_at_every_waiting_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each new connection is a turn: with thousands of them the loop would do nothing else."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    connection = WaitingConnection()
    worker: Any = SimpleNamespace(alive=True, pending_conns=[connection], look_at=0.0, turned_away=())
    for _ in range(100):
        Worker.murder_pending(worker)
        now += 0.01
    assert 2 <= connection.looks <= 5
    looks, worker.alive = connection.looks, False
    Worker.murder_pending(worker)
    assert connection.looks == looks + 1, "a worker that stops waits no longer"
