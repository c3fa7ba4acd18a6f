"""The units of systemd: they are well formed, allow what the servers do, and little else."""

import contextlib
import difflib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from clients.launch import HOST, PROJECT_ROOT, free_port, responds_to_healthz, start
from tests.patience import eventually, patient
from tests.socket_server.process_tree import children

_FOLDER = PROJECT_ROOT / "servers" / "deployment"
_UNITS = [_FOLDER / "wireproof-socket.service", _FOLDER / "wireproof-gunicorn.service"]
_ANALYZE = shutil.which("systemd-analyze")
_STRACE = shutil.which("strace")
_MOST_EXPOSED = 15  # in tenths of 10: systemd calls up to 2 "OK" and this server opens connections
# SQLite gives its files to the owner of the folder, if it runs as root. Here it does, in a unit it does not.
_AS_ROOT_ONLY = {"fchown"}

_needs_systemd = pytest.mark.skipif(
    _ANALYZE is None, reason="systemd-analyze is missing: units are NOT tested"
)
_each_unit = pytest.mark.parametrize("unit", _UNITS, ids=lambda unit: unit.stem)


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(_ANALYZE), *arguments], capture_output=True, text=True, check=False)


def _settings(unit: Path) -> dict[str, list[str]]:
    """The values of each name."""
    settings: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE):
        settings.setdefault(name, []).append(value)
    return settings


@_needs_systemd
@_each_unit
def test_a_unit_is_well_formed_and_exposes_little(unit: Path, tmp_path: Path) -> None:
    """Its program is not installed here, so another one takes its place."""
    copy = tmp_path / unit.name
    copy.write_text(
        re.sub(r"(?<=^ExecStart=)\S+", sys.executable, unit.read_text("utf-8"), flags=re.MULTILINE)
    )
    verified = _analyze("verify", "--man=no", str(copy))
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = _analyze("security", "--offline=yes", "--no-pager", f"--threshold={_MOST_EXPOSED}", str(copy))
    assert judged.returncode == 0, judged.stdout


def test_the_units_differ_in_what_they_start_only() -> None:
    one, other = (unit.read_text("utf-8").splitlines() for unit in _UNITS)
    changed = [line for line in difflib.ndiff(one, other) if line[0] in "+-"]
    assert {line[2:].partition("=")[0] for line in changed} == {"Description", "ExecStart"}


@_each_unit
def test_systemd_waits_for_longer_than_the_server(unit: Path) -> None:
    settings = _settings(unit)
    own = dict(pair.split("=") for line in settings["Environment"] for pair in line.split())
    stop = int(own["WIREPROOF_SHUTDOWN_DELAY"]) + int(own["WIREPROOF_GRACE_PERIOD"])
    assert stop + 5 <= int(settings["TimeoutStopSec"][0])
    assert settings["KillMode"] == ["mixed"]
    assert Path(own["WIREPROOF_STORE"]).parent == Path("/var/lib") / settings["StateDirectory"][0]


@pytest.mark.parametrize("name", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=3))])
def test_a_server_tells_systemd_when_it_is_ready(name: str, tmp_path: Path) -> None:
    """`Type=notify`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(patient(20))
        with start(name, env={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as backend:
            assert manager.recv(100).startswith(b"READY=1")
            backend.process.terminate()
            if name == "socket":  # gunicorn does not
                assert manager.recv(100) == b"STOPPING=1"
            assert backend.process.wait(patient(20)) == 0


def _expanded(group: str) -> set[str]:
    """The system calls of a group like @system-service."""
    calls: set[str] = set()
    for line in _analyze("syscall-filter", group).stdout.splitlines()[1:]:
        word = line.partition("#")[0].strip()
        if word:
            calls |= _expanded(word) if word.startswith("@") else {word}
    return calls


@_needs_systemd
@pytest.mark.skipif(_STRACE is None, reason="strace is missing: the filter of system calls is NOT tested")
@pytest.mark.soak(seconds=20)
@_each_unit
def test_the_server_makes_no_system_call_that_its_unit_forbids(unit: Path, tmp_path: Path) -> None:
    allowed: set[str] = set()
    for value in _settings(unit)["SystemCallFilter"]:
        calls = {call for group in value.removeprefix("~").split() for call in _expanded(group)}
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    assert "mount" not in allowed and "openat" in allowed
    backend = _settings(unit)["ExecStart"][0].rpartition(" ")[2]
    made = _calls_of(backend, tmp_path)
    assert {"accept4", "sendto", "fsync"} <= made
    assert made - allowed <= _AS_ROOT_ONLY


def _calls_of(backend: str, folder: Path) -> set[str]:
    """The system calls of a server that starts, takes uploads, sends a file, reloads and stops."""
    port = free_port()
    traced = [str(_STRACE), "-f", "-qq", "-o", str(folder / "calls")]
    command = [sys.executable, "-m", "clients", "serve", "--backend", backend, "--port", str(port)]
    env = {**os.environ, "WIREPROOF_STORE": str(folder / "store"), "WIREPROOF_SHUTDOWN_DELAY": "1"}
    url = f"http://{HOST}:{port}"
    strace = subprocess.Popen(
        [*traced, *command], cwd=PROJECT_ROOT, env=env, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        assert eventually(lambda: responds_to_healthz(HOST, port), 60)
        content = os.urandom(1 << 20)
        said = requests.post(f"{url}/upload/", files={"f": ("a", content)}, timeout=patient(30))
        assert requests.get(url + said.json()["files"][0]["href"], timeout=patient(30)).content == content
        (server,) = children(strace.pid)
        os.kill(server, signal.SIGHUP)
        assert eventually(lambda: responds_to_healthz(HOST, port), 30)
        os.kill(server, signal.SIGTERM)
        assert strace.wait(patient(60)) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(strace.pid, signal.SIGKILL)
        strace.wait()
    return set(re.findall(r"^\d+ +(\w+)\(", (folder / "calls").read_text("utf-8", "replace"), re.MULTILINE))
