"""A server that answers or stores something wrong gets no figures."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from clients.benchmarking import command
from clients.benchmarking.catalog import workloads_named
from clients.benchmarking.measured_servers import PEERS, REFERENCE, Server
from clients.benchmarking.place import Place
from clients.benchmarking.samples import WrongAnswerError
from clients.benchmarking.serving import Environments, Running, serving
from clients.benchmarking.workloads import Bench

_FAULTS = {
    "nothing": "",
    "digest": "stored.Stored.told = lambda self: told(self) | {'sha256': '0' * 64}",
    "one-digest": "stored.Stored.told = lambda self: told(self) | ({'sha256': '0' * 64} if last() else {})",
    "bytes": "stored.Stored.write = lambda self, block: write(self, block[:-1] + b'?')",
    "store": (
        "stored.Stored.__exit__ = lambda self, *error: (leave(self), "
        "(stored.STORE / self._name).write_bytes(b'?' * self._size))[0]"
    ),
}
_SCRIPT = """
import itertools, sys
sys.path.insert(0, {peers!r})
import stored
told, write, leave = stored.Stored.told, stored.Stored.write, stored.Stored.__exit__
numbers = itertools.count(1)
last = lambda: next(numbers) == 5
{fault}
import flask_app
if {fields!r}:
    app = flask_app.app
    upload = app.view_functions["upload"]
    app.view_functions["upload"] = lambda: upload() | {{"form": {{}}, "json": {{}}}}
flask_app.app.run(port=int(sys.argv[1]), threaded=False)
"""


def server_with(fault: str, folder: Path, name: str = "liar") -> Server:
    script = folder / f"{fault}.py"
    text = _SCRIPT.format(peers=str(PEERS), fault=_FAULTS.get(fault, ""), fields=fault == "fields")
    script.write_text(text, "utf-8")
    return Server(name, "A liar", command=(sys.executable, str(script), "{port}"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    for name in ("stores", "contents"):
        (tmp_path / name).mkdir()
    return Bench(Place(tmp_path / "stores", tmp_path / "contents"), 1 << 16, 0.05)


@pytest.fixture
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with serving(server_with(request.param, tmp_path), tmp_path / "run", Environments(tmp_path)) as one:
        yield one


@pytest.mark.parametrize("running", ["nothing"], indirect=True)
def test_a_right_server_is_measured(running: Running, bench: Bench) -> None:
    for workload in workloads_named(["w1-random", "w2", "w3", "w7-range", "w8"]):
        workload.prepare(bench)
        sample = workload.measure(bench, running)
        assert sample.work > 0, workload.name
        assert sample.errors == 0, workload.name
        assert sample.rate > 0, workload.name
        assert len(sample.latencies) >= 1, workload.name
        workload.finish()


@pytest.mark.parametrize("running", ["digest", "bytes", "store"], indirect=True)
def test_a_wrong_file_is_found_in_large_and_in_small_uploads(running: Running, bench: Bench) -> None:
    for workload in workloads_named(["w1-random", "w2"]):
        workload.prepare(bench)
        with pytest.raises(WrongAnswerError):
            workload.measure(bench, running)
        workload.finish()


@pytest.mark.parametrize("running", ["one-digest"], indirect=True)
def test_one_wrong_answer_among_many_is_found(running: Running, bench: Bench) -> None:
    (workload,) = workloads_named(["w2"])
    bench.seconds = 1.0
    with pytest.raises(WrongAnswerError, match="files: "):
        workload.measure(bench, running)


@pytest.mark.parametrize("running", ["fields"], indirect=True)
def test_wrong_values_of_fields_are_found(running: Running, bench: Bench) -> None:
    for workload in workloads_named(["w2", "w3"]):
        with pytest.raises(WrongAnswerError, match=r"^(form|json): "):
            workload.measure(bench, running)


@pytest.mark.timeout(120)
def test_the_command_shows_no_figure_of_a_void_run_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers: Mapping[str, Server] = {
        "liar": server_with("digest", tmp_path),
        REFERENCE: server_with("nothing", tmp_path, REFERENCE),
    }
    monkeypatch.setattr(command, "load_servers", lambda: servers)
    monkeypatch.setattr(command, "raise_descriptor_limit", lambda: None)
    flags = ["--rounds", "1", "--seconds", "0.05", "--size", "64k", "--store", str(tmp_path)]
    report = tmp_path / "report.json"
    done = CliRunner().invoke(command.main, [*flags, "--workloads", "w2", "--json", str(report)])
    assert done.exit_code == 1, done.output
    document = json.loads(report.read_text("utf-8"))
    assert list(document["workloads"]["w2"]) == [REFERENCE]
    assert [(row["workload"], row["server"]) for row in document["void"]] == [("w2", "liar")]
    assert "Void: liar in w2: files: " in done.output
