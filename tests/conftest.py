"""What tests of several folders share: options, and the backends, started once a session."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping

import hypothesis
import pytest

from clients.launch import BACKENDS, RunningBackend, installed_backends, running
from tests.budget import Budget, add_options

BACKEND_NAMES = installed_backends()
EACH_BACKEND = [
    pytest.param(name, marks=pytest.mark.soak(seconds=5) if name == "fastapi" else ())
    for name in BACKEND_NAMES
]
"""For tests that start a server of their own. The slow lane takes FastAPI, whose start takes longest."""
SOCKET_BY_DEFAULT = [
    pytest.param(name, marks=() if name == "socket" else pytest.mark.soak(seconds=8))
    for name in BACKEND_NAMES
]
"""For tests that start a server of their own and take long. The slow lane takes all but the socket server."""

_MOST_WORKERS = 8
_LONGEST = frozenset({"test_wheel.py", "test_agreement.py"})
# Generated input has no deadline, as any example may be slow on a busy machine. `.ci/slow` runs `thorough`.
hypothesis.settings.register_profile("daily", deadline=None, max_examples=20)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile("daily")

# A shell starts what it runs in the background with SIGINT ignored, and a program inherits that: the programs
# that the tests interrupt would go on.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers a core and one more for the whole suite, which often waits; else none."""
    chosen = config.args_source is pytest.Config.ArgsSource.ARGS or config.getoption("--budget") is not None
    return 0 if chosen else min(_MOST_WORKERS, 2 * (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that none of them is left when the other workers are done."""
    if config.getoption("--budget") is None:  # it has an order of its own
        items.sort(key=lambda item: item.path.name not in _LONGEST)


def pytest_configure(config: pytest.Config) -> None:
    seconds = config.getoption("--budget")
    if seconds is None:
        return
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("--budget needs -n 0: one process measures the time")
    config.pluginmanager.register(Budget(seconds, config.getoption("--budget-order")), "budget")


def pytest_report_header() -> list[str]:
    """Name the backends that no test starts."""
    absent = [name for name in BACKENDS if name not in BACKEND_NAMES]
    return [f"backend {name} is NOT tested: pip install 'wireproof[{name}]'" for name in absent]


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """The running backends by name, each with its own store; they live as long as the session."""
    with running(BACKEND_NAMES, store=tmp_path_factory.mktemp("store")) as started:
        yield {backend.name: backend for backend in started}
