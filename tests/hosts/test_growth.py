"""The measurement of more processes and hosts works, with very little work."""

import re
import shutil
import subprocess
import sys

import pytest

from clients.launch import PROJECT_ROOT
from tests.hosts.growth import _count
from tests.hosts.network import Network
from tests.object_store import weed
from tests.test_behind_tls import HAPROXY


def test_an_answer_that_is_not_200_is_no_figure() -> None:
    assert _count(b"200 5\nHello200 0\n") == 2
    with pytest.raises(AssertionError, match="503"):
        _count(b"200 5\nHello503 2\n{}")


@pytest.mark.soak(seconds=60)
def test_each_setup_has_its_line() -> None:
    weed()
    if shutil.which("wrk") is None or HAPROXY is None:
        pytest.skip("without wrk and haproxy the measurement is NOT tested")
    with Network():  # skips where there are no namespaces
        pass
    command = [sys.executable, "-m", "tests.hosts.growth", "--rounds", "1", "--seconds", "1"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (\w+) \| (\d) (processes|hosts) \| ([\d.]+) \| ", done.stdout, re.MULTILINE)
    assert [row[:3] for row in rows] == [
        (backend, number, what)
        for backend in ("socket", "gunicorn")
        for number, what in (
            *(("1", "processes"), ("2", "processes"), ("4", "processes")),
            *(("1", "hosts"), ("2", "hosts")),
        )
    ]
    assert all(float(row[3]) > 0 for row in rows)
