"""Other clients of OpenAI's: the oldest openai-python 1.x that can still be used, and the npm package.

They are installed into a temporary folder, so this needs the package indexes, node and npm, and half a
minute. It is left out unless asked for:

    pytest -m clients_matrix

To install once and use the folder again, name it in the environment:

    WIREPROOF_CLIENTS_MATRIX=~/.cache/openai-clients pytest -m clients_matrix
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.streams.openai_report import assert_as_expected, report_of

pytestmark = [pytest.mark.clients_matrix, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
# 1.0.0 is the first of 1.x. It installs with the newest httpx and fails with it: httpx 0.28 took an argument
# out that openai before 1.55.3 passes.
OLDEST = ("openai==1.0.0", "httpx<0.28")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("WIREPROOF_CLIENTS_MATRIX")
    if not named:
        return tmp_path_factory.mktemp("matrix")
    path = Path(named).expanduser()
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="module")
def oldest(folder: Path) -> list[str | Path]:
    """The actor in a virtual environment of its own."""
    python = folder / "oldest" / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", folder / "oldest"])
        _run([python, "-m", "pip", "install", "--quiet", *OLDEST])
    return [python, "-W", "error", HERE / "openai_calls.py"]


@pytest.fixture(scope="module")
def npm(folder: Path) -> list[str | Path]:
    """The actor beside the installed package, where node looks for it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed: the npm package openai is NOT tested")
    place = folder / "npm"
    if not (place / "node_modules" / "openai").exists():
        place.mkdir(exist_ok=True)
        (place / "package.json").write_text('{"private": true}', "utf-8")
        _run([npm, "install", "--silent", "--no-fund", "--no-audit", "openai"], cwd=place)
    return [node, shutil.copy(HERE / "openai_calls.mjs", place)]


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_the_oldest_openai_python_reads_every_backend(
    backends: Mapping[str, RunningBackend], oldest: list[str | Path], backend: str
) -> None:
    assert_as_expected(report_of(oldest, backends[backend].url))


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_the_npm_package_reads_every_backend(
    backends: Mapping[str, RunningBackend], npm: list[str | Path], backend: str
) -> None:
    assert_as_expected(report_of(npm, backends[backend].url))


def _run(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
