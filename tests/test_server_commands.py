"""What cannot be used ends the command of every server at once, with one sentence and an exit status.

The status is 2 for a value that no machine could use. It is another one for a store or a port that this
machine does not give.
"""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from clients.comparison.cases import PROJECT_ROOT
from clients.launch import BACKENDS, HOST, start
from tests.conftest import SOCKET_BY_DEFAULT


@pytest.mark.parametrize(
    ("variable", "value", "says", "status"),
    [
        ("MAX_BODY", "16G", "WIREPROOF_MAX_BODY is a whole number, not '16G'", 2),
        ("STORE", "{file}", "cannot be used: Not a directory", 1),
    ],
)
@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_bad_setting_is_one_sentence_and_no_traceback(
    name: str, variable: str, value: str, says: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = {"STORE": str(tmp_path / "store"), variable: value.format(file=tmp_path / "file")}
    ended = _run(name, 0, settings)
    assert (ended.returncode, ended.stderr.count(says)) == (status, 1), ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_port_in_use_is_no_wrong_usage(name: str, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        ended = _run(name, taken.getsockname()[1], {"STORE": str(tmp_path / "store")})
    assert ended.returncode not in (0, 2)
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("name", SOCKET_BY_DEFAULT)
def test_a_warning_about_variables_comes_once(name: str, tmp_path: Path) -> None:
    """gunicorn reads the settings in its master and in each worker."""
    misspelt = "WIREPROOF_" + "TOKNE"
    env = {misspelt: "secret", "WIREPROOF_WORKERS": "2", "WIREPROOF_STORE": "memory:"}
    with start(name, env=env) as backend:
        pass
    log = backend.log()
    assert log.count(f"'{misspelt}' has no effect") == 1
    assert log.count("did you mean WIREPROOF_TOKEN?") == 1
    assert log.count("WIREPROOF_WORKERS has no effect: a store in memory belongs to one process") == 1
    assert "secret" not in log


def _run(name: str, port: int, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    env |= {f"WIREPROOF_{setting}": text for setting, text in settings.items()}
    command = BACKENDS[name].command_for(HOST, port)
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
