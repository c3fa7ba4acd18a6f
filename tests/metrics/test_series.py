"""The files of one process, and the folder that the processes of a server share."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from clients.launch import PROJECT_ROOT
from servers.contract.problems import PROBLEMS
from servers.contract.route import METHODS
from servers.metrics import definitions as known
from servers.metrics import shared_folder
from servers.metrics.series import SIZES, Series
from servers.metrics.shared_folder import SharedFolder
from servers.metrics.tallies import Durations
from servers.routes import ROUTES
from tests.metrics import reading
from tests.metrics.reading import series


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of this test are."""
    monkeypatch.setattr(shared_folder, "IN_MEMORY", tmp_path)
    return tmp_path


@pytest.fixture
def folder() -> Iterator[SharedFolder]:
    made = SharedFolder()
    yield made
    made.remove()


def _values(folder: Path) -> dict[reading.Series, float]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return reading.values_in(generate_latest(registry).decode())


def test_processes_are_added_up(tmp_path: Path) -> None:
    for slot, seconds in (("0", 0.3), ("1", 70.0)):
        one = Series(tmp_path, slot)
        one.add(known.SENT, ("echo",), 10)
        one.add(known.SENT, ("echo",), 1)
        one.set(known.CONNECTIONS, ("idle",), 5)
        one.set(known.CONNECTIONS, ("idle",), 4)
        durations = Durations(known.DURATION.bounds)
        durations.add(seconds)
        one.observe(known.DURATION, ("echo",), durations)
        one.close()
    values = _values(tmp_path)
    assert values[series("sent_bytes_total", route="echo")] == 22
    assert values[series("connections", phase="idle")] == 8
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in values.items()
        if name == "wireproof_request_duration_seconds_bucket"
    }
    assert (buckets["0.25"], buckets["0.5"], buckets["60.0"], buckets["300.0"], buckets["+Inf"]) == (
        *(0, 1, 1, 2, 2),
    )
    assert values[series("request_duration_seconds_sum", route="echo")] == pytest.approx(70.3)


def test_a_successor_goes_on_counting_and_has_gauges_of_its_own(tmp_path: Path) -> None:
    first = Series(tmp_path, "0")
    first.add(known.SENT, ("echo",), 10)
    first.set(known.UPLOADS, (), 3)
    first.close()
    successor = Series(tmp_path, "0")
    assert series("uploads_in_flight") not in _values(tmp_path)
    successor.add(known.SENT, ("echo",), 1)
    successor.close()
    assert _values(tmp_path)[series("sent_bytes_total", route="echo")] == 11


def test_when_a_file_is_full_further_series_count_as_others_and_it_never_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows may meet a full file system: the next write would end the process with SIGBUS."""
    monkeypatch.setitem(SIZES, "counter", 64 * 1024)
    one = Series(tmp_path, "0")
    one.reserve(known.REQUESTS)
    labels = [
        (route.name, method, "200", "") for route in ROUTES for method in (*METHODS, *map(str, range(9)))
    ]
    for each in labels:
        one.add(known.REQUESTS, each, 1)
    one.close()
    values = _values(tmp_path)
    other = series("requests_total", **dict.fromkeys(known.REQUESTS.labels, known.OTHER))
    assert 200 < len(values) < len(labels)
    assert values[other] > 0
    assert sum(values.values()) == len(labels)
    again = Series(tmp_path, "0")
    again.add(known.REQUESTS, ("new", "", "", ""), 1)
    again.close()
    assert _values(tmp_path) == values | {other: values[other] + 1}
    sizes = sorted(path.stat().st_size for path in tmp_path.glob("*.db"))
    assert sizes == sorted(SIZES.values())


def test_the_files_have_room_for_thousands_of_requests_and_for_all_else(tmp_path: Path) -> None:
    one = Series(tmp_path, "0")
    longest = max(PROBLEMS, key=len)
    for number in range(3000):
        one.add(known.REQUESTS, (f"request_spans{number:4}", "OPTIONS", "503", longest), 0)
    for route in [route.name for route in ROUTES] + [""]:
        one.observe(known.DURATION, (route,), Durations(known.DURATION.bounds))
        one.add(known.SENT, (route,), 0)
        one.add(known.RECEIVED, (route,), 0)
    for operation in known.OPERATIONS:
        one.observe(known.STORE_DURATION, (operation,), Durations(known.STORE_DURATION.bounds))
        for code in known.STORE_CODES:
            one.add(known.STORE_ERRORS, (operation, code), 0)
    one.close()
    paths = list(tmp_path.glob("*.db"))
    assert all(b'"other"' not in path.read_bytes() for path in paths)
    assert sorted(path.stat().st_size for path in paths) == sorted(SIZES.values())
    assert all(path.stat().st_blocks * 512 >= path.stat().st_size for path in paths), "a file has a hole"


def test_files_that_cannot_be_made_leave_no_half_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name.startswith("histogram"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        Series(tmp_path, "0")
    assert [path.name for path in tmp_path.iterdir()] == ["counter_0.db"]


def test_every_metric_has_a_name_and_a_help_of_its_own() -> None:
    names = [metric.name for metric in known.METRICS]
    assert len(set(names)) == len(names) == len({metric.help for metric in known.METRICS})
    for metric in known.METRICS:
        assert metric.name.startswith("wireproof_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_seconds") == (metric.kind == "histogram") == bool(metric.bounds)
        assert list(metric.bounds) == sorted(set(metric.bounds))


# Takes a slot, says which, and waits until it is killed.
_PROCESS = """
import sys, time
from pathlib import Path
from servers.metrics.shared_folder import SharedFolder
folder = object.__new__(SharedFolder)
folder.path = Path(sys.argv[1])
print(folder.take_slot(), flush=True)
time.sleep(600)
"""


def test_a_slot_is_free_again_when_its_process_is_killed(folder: SharedFolder) -> None:
    assert folder.take_slot() == "0"
    command = [sys.executable, "-c", _PROCESS, str(folder.path)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        with folder.free_slots() as free:
            assert free == []
        assert folder.take_slot() == "2"
        process.kill()
    with folder.free_slots() as free:
        assert free == ["1"]
        assert folder.take_slot() == "3", "a slot that is looked at is not taken"
    assert folder.take_slot() == "1"


def _age(folder: Path) -> None:
    old = time.time() - 3600
    os.utime(folder, (old, old))


def test_the_folder_of_a_killed_server_is_removed_by_the_next_one(place: Path, folder: SharedFolder) -> None:
    left, young = place / f"{shared_folder.PREFIX}left", place / f"{shared_folder.PREFIX}young"
    foreign = place / "another-thing"
    for path in (left, young, foreign):
        path.mkdir()
        (path / "lock").touch()
    (foreign / "lock").unlink()
    link = place / f"{shared_folder.PREFIX}link"
    link.symlink_to(foreign)
    for path in (left, foreign, folder.path):
        _age(path)
    SharedFolder().remove()
    assert list(foreign.iterdir()) == []
    assert not left.exists()
    assert young.exists()
    assert foreign.exists()
    assert folder.path.exists(), "its process lives"


def test_without_a_file_system_in_memory_the_temporary_folder_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shared_folder, "IN_MEMORY", tmp_path / "missing")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    made = SharedFolder()
    assert made.path.parent == tmp_path / "temporary"
    made.remove()
    assert list((tmp_path / "temporary").iterdir()) == []
