"""Each assertion fails on a server that has the fault, and passes on one without it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from clients.launch import RunningBackend
from tests.advisories.assertions import Accepted, Bounded, Linear, Rejected, Stored, differs
from tests.advisories.messages import file, form, get, sized
from tests.advisories.target import Target

_FAULTY = Path(__file__).resolve().parent / "faulty_server.py"


@dataclass
class _Program:
    """The part of a RunningBackend that a Target uses."""

    port: int
    pid: int
    store: Path

    def log(self) -> str:
        return ""


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Target]:
    """The faulty server, as a target."""
    with subprocess.Popen([sys.executable, _FAULTY], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        program = _Program(int(process.stdout.readline()), process.pid, tmp_path)
        try:
            yield Target("faulty", "disk", cast(RunningBackend, program))
        finally:
            process.kill()


def _request(target: bytes, size: int) -> bytes:
    return sized(target, b"x" * size)


def test_linear_cost_passes_and_a_square_fails(faulty: Target) -> None:
    Linear(lambda size: _request(b"/linear", size), 10_000)(faulty)
    with pytest.raises(AssertionError, match="not linear"):
        # Noise passes one doubling now and then. All three in one attempt it does not.
        Linear(lambda size: _request(b"/quadratic", size), 10_000, attempts=1)(faulty)


def test_memory_that_is_held_fails(faulty: Target) -> None:
    request = _request(b"/", 4 << 20)
    Bounded(lambda: [request], 16)(faulty)
    request = _request(b"/hoarding", 4 << 20)
    with pytest.raises(AssertionError, match="grew by"):
        for _ in range(10):  # on a busy machine a measurement may come too late to see it
            Bounded(lambda: [request], 16)(faulty)


def test_a_refusal_passes_and_an_answered_canary_fails(faulty: Target) -> None:
    Rejected(get(b"/refusing"), 400, "bad_header", get())(faulty)
    with pytest.raises(AssertionError, match="2 responses"):
        Rejected(get(b"/smuggling"), 400, "bad_header", get())(faulty)
    with pytest.raises(AssertionError, match="not 400 bad_host"):
        Rejected(get(b"/refusing"), 400, "bad_host", get())(faulty)
    with pytest.raises(AssertionError, match="400: "):
        Rejected(get(b"/refusing"), 400, "bad_header", get(b"/refusing"))(faulty)


def test_something_stored_fails(faulty: Target) -> None:
    class Storing(Target):
        def stored(self) -> frozenset[str]:
            self.slowest += 1
            return frozenset({str(self.slowest)})

    with pytest.raises(AssertionError, match="was stored"):
        Rejected(get(b"/refusing"), 400, "bad_header", get())(Storing("faulty", "disk", faulty.backend))


def test_wrong_descriptions_and_missing_files_fail(faulty: Target) -> None:
    with pytest.raises(AssertionError, match="/a is missing"):
        Accepted(get(), {"a": 1})(faulty)
    with pytest.raises(KeyError):
        Stored(form(file(b"f", b"a", b"x")), (b"x",))(faulty)


def test_differences_are_named() -> None:
    seen = {"a": [{"b": 1, "c": 2}], "d": None}
    assert differs(seen, {"a": [{"b": 1}], "d": None}) == ""
    assert differs(seen, {"a": [{"b": 2}]}) == "/a/0/b: 1, not 2"
    assert differs(seen, {"a": []}).startswith("/a: ")
    assert differs(seen, {"e": 1}) == "/e is missing"
    assert differs(seen, {"d": 0}) == "/d: None, not 0"


def test_a_server_that_does_not_answer_healthz_is_not_alive(faulty: Target) -> None:
    faulty.backend.port = 1
    with pytest.raises(AssertionError, match="not ALIVE"), faulty.alive():
        pass
