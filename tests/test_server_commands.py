"""A setting that cannot be used ends the command of every server at once, with one sentence about it."""

import os
import subprocess
from pathlib import Path

import pytest

from clients.comparison.cases import PROJECT_ROOT
from clients.launch import BACKENDS, HOST, installed_backends


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MAX_BODY", "16G", "max_body is a whole number, not '16G'"),
        ("STORE", "{file}", "cannot be used: Not a directory"),
    ],
)
@pytest.mark.parametrize("name", installed_backends())
def test_a_bad_setting_is_one_sentence_and_no_traceback(
    name: str, variable: str, value: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = {"STORE": str(tmp_path / "store"), variable: value.format(file=tmp_path / "file")}
    command = BACKENDS[name].command_for(HOST, 0)
    env = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    env |= {f"WIREPROOF_{setting}": text for setting, text in settings.items()}
    ended = subprocess.run(command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
