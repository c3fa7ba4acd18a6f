"""`--budget` runs what fits, in an order that can be repeated, and names what is left."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
_TESTS = """
import pytest, time

@pytest.mark.soak(seconds=1000)
def test_long():
    raise AssertionError("there is no time for it")

@pytest.mark.soak(seconds=0)
@pytest.mark.parametrize("number", range(20))
def test_short(number):
    time.sleep(0.1)
"""

_MODULE = """
import pytest

@pytest.fixture(scope="module", autouse=True)
def of_this_module():
    yield

@pytest.mark.soak(seconds=1000)
@pytest.mark.parametrize("number", range(10))
def test_long(number):
    raise AssertionError("there is no time for it")

@pytest.mark.soak(seconds=0)
@pytest.mark.parametrize("number", range(10))
def test_short(number):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_addoption, pytest_configure\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  soak: slow\n")
    (tmp_path / "test_some.py").write_text(_TESTS)
    return tmp_path


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-v", "-c", str(folder / "pytest.ini"), str(folder), *options]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)


def test_what_does_not_fit_is_left_and_named(folder: Path) -> None:
    done = run(folder, "--budget", "0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) tests ran within 0.5 s, (\d+) are left:", done.stdout)
    assert found is not None, done.stdout
    ran, left = int(found[1]), int(found[2])
    assert ran + left == 21
    assert 1 <= ran <= 6
    assert "left: test_some.py::test_long" in done.stdout
    assert done.stdout.count("left: ") == left
    assert done.stdout.count(" PASSED") == ran


@pytest.mark.soak(seconds=15)
def test_an_order_can_be_repeated(folder: Path) -> None:
    orders = [
        re.findall(r"test_short\[\d+\] PASSED", run(folder, "--budget", "60", "--budget-order", order).stdout)
        for order in ("1", "1", "2")
    ]
    assert len(orders[0]) == 20
    assert orders[0] == orders[1] != orders[2]


def test_a_budget_needs_one_process(folder: Path) -> None:
    done = run(folder, "--budget", "1", "-n", "2")
    assert done.returncode == 4
    assert "--budget needs -n 0" in done.stderr


def test_a_test_that_is_left_keeps_no_fixture_of_its_module(folder: Path) -> None:
    for module in "abc":
        (folder / f"test_{module}.py").write_text(_MODULE)
    done = run(folder, "--budget", "60", "--budget-order", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"test_short\[\d+\] PASSED", done.stdout)) == 50
