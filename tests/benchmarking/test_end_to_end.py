"""The command itself, with very little work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from clients.benchmarking.catalog import WORKLOADS
from clients.benchmarking.measured_servers import FAMILIES, REFERENCE, load_servers
from tests.benchmarking.reports import SCHEMA

_PROJECT = Path(__file__).resolve().parent.parent.parent


def benchmark(folder: Path, *flags: str, status: int = 0) -> dict[str, Any]:
    """The JSON of a run, which has its schema."""
    files = ["--json", str(folder / "report.json"), "--html", str(folder / "report.html")]
    command = [sys.executable, str(_PROJECT / "clients" / "benchmark.py"), *flags, *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=900, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    document: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert "<svg" in (folder / "report.html").read_text("utf-8")
    return document


_LITTLE = ("--size", "64k", "--seconds", "0.1", "--rounds", "2", "--sender", "python")


@pytest.mark.timeout(120)
def test_a_very_small_run_measures_both_servers_and_leaves_nothing(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    flags = ("--workloads", "w1-random,w2", "--servers", "socket", "--store", str(store), "--seed", "1")
    document = benchmark(tmp_path, *_LITTLE, *flags)
    assert document["void"] == document["left_out"] == document["failures"] == []
    assert list(document["workloads"]) == ["w1", "w2"]
    for workload, figures in document["workloads"].items():
        assert set(figures) == {"socket", REFERENCE}, workload
        assert figures[REFERENCE]["ratio"] == 1.0
        assert figures["socket"]["ratio"] > 0
        assert all(figure["errors"] == 0 and figure["rounds"] == 2 for figure in figures.values())
        assert all(figure["cpu"] > 0 for figure in figures.values())
    assert list(store.iterdir()) == []


@pytest.mark.soak(seconds=120)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("sender", ["python", "wrk"])
def test_every_workload_runs_on_our_servers(sender: str, tmp_path: Path) -> None:
    if shutil.which(sender) is None and sender == "wrk":
        pytest.skip("wrk is not installed")
    flags = ("--size", "256k", "--seconds", "1", "--rounds", "1", "--sender", sender)
    document = benchmark(tmp_path, *flags, "--servers", "socket,gunicorn,socket-safe,null")
    assert document["void"] == document["left_out"] == []
    assert list(document["workloads"]) == [workload.name for workload in WORKLOADS]
    for workload, figures in document["workloads"].items():
        assert figures["socket"]["errors"] == 0, workload
        assert figures["socket"]["rate"] > 0, workload
    assert document["workloads"]["w4-5000"]["socket"]["held"] == 5000
    assert document["workloads"]["w6"]["socket"]["held"] == 200


@pytest.mark.clients_matrix
@pytest.mark.timeout(900)
def test_every_peer_can_be_installed_and_reads_uploads_rightly(tmp_path: Path) -> None:
    folder = os.environ.get("WIREPROOF_GUESTS") or str(tmp_path)
    flags = ("--workloads", "w1-random,w2,w3,w7,w8", "--install", "--folder", f"{folder}/peers")
    document = benchmark(tmp_path, *_LITTLE, *flags)
    assert document["void"] == []
    missing = {name for name, why in document["absent"].items() if "Debian has" not in why}
    assert missing == set()
    measured = {name for figures in document["workloads"].values() for name in figures}
    assert measured == load_servers().keys() - document["absent"].keys()


def test_a_peer_that_is_not_installed_is_named_with_what_installs_it(tmp_path: Path) -> None:
    flags = ("--workloads", "w3-json", "--servers", "fastapi", "--folder", str(tmp_path / "empty"))
    document = benchmark(tmp_path, *_LITTLE, *flags)
    assert document["absent"] == {"fastapi": "not installed: --install installs it"}
    assert set(document["workloads"]["w3-json"]) == {REFERENCE}


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--workloads", "w9"), "'w9' is not among"),
        (("--servers", "nonesuch"), "'nonesuch' is not among"),
        (("--size", "1x"), "'1x' is not a size"),
        (("--size", "10"), "'10' is not a size of at least"),
        (("--rounds", "0"), "0 is not in the range"),
    ],
)
def test_wrong_usage_ends_with_2(flags: tuple[str, ...], why: str) -> None:
    command = [sys.executable, str(_PROJECT / "clients" / "benchmark.py"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert why in done.stderr


def test_every_server_does_families_that_exist_and_the_reference_does_all() -> None:
    servers = load_servers()
    assert {workload.family for workload in WORKLOADS} == set(FAMILIES)
    assert set(servers[REFERENCE].works) == set(FAMILIES)
    for server in servers.values():
        assert set(server.works) <= set(FAMILIES), server.name
        assert server.backend or server.command, server.name
        assert not server.shares or server.shares in servers, server.name
