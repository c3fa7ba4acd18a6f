"""The wheel holds one package, `wireproof`, which works away from any checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parent.parent
_IN_THE_WHEEL = ("clients", "servers", "sample_files", "LICENSE", "README.md", "pyproject.toml")


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a command prints; nothing of this checkout or its environment is visible to it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment in which the wheel is installed, and nothing else yet."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installation")
    for name in _IN_THE_WHEEL:  # a copy: building writes beside its sources
        path = _PROJECT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    run([sys.executable, "-m", "venv", folder], folder)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--wheel-dir", source / "dist", source], folder)
    (wheel,) = (source / "dist").glob("wireproof-*.whl")
    before = _site_packages(folder)
    run([*pip, "install", "--no-deps", wheel], folder)
    added = {name.partition("-")[0] for name in _site_packages(folder) - before}
    assert added == {"wireproof"}
    run([*pip, "install", wheel], folder)
    return folder


def _site_packages(environment: Path) -> set[str]:
    (folder,) = environment.glob("lib/python*/site-packages")
    return {path.name for path in folder.iterdir()}


@pytest.mark.timeout(600)
def test_the_installed_command_compares_the_backends(installation: Path, tmp_path: Path) -> None:
    printed = run([installation / "bin" / "wireproof", "compare", "--cases", "*boundary*"], tmp_path)
    assert "socket, flask and gunicorn agree" in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_installed_command_compares_all_cases(installation: Path, tmp_path: Path) -> None:
    printed = run([installation / "bin" / "wireproof", "compare"], tmp_path)
    assert "socket, flask and gunicorn agree" in printed


@pytest.mark.timeout(600)
def test_every_sub_command_is_installed(installation: Path, tmp_path: Path) -> None:
    wireproof = installation / "bin" / "wireproof"
    listed = run([wireproof, "--help"], tmp_path).partition("Commands:")[2]
    names = [line.split()[0] for line in listed.splitlines() if line[:2] == "  " and line[2:3].strip()]
    assert names == ["serve", "upload", "stream", "compare", "fuzz", "cases"]
    for name in names:
        assert run([wireproof, name, "--help"], tmp_path).startswith(f"Usage: wireproof {name} ")


@pytest.mark.timeout(600)
def test_the_version_is_that_of_the_project(installation: Path, tmp_path: Path) -> None:
    printed = run([installation / "bin" / "wireproof", "--version"], tmp_path)
    assert f'version = "{printed.split()[-1]}"' in (_PROJECT / "pyproject.toml").read_text("utf-8")
