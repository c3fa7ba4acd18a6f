"""Installs packages from PyPI and npm into a folder that is kept, once."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_INSTALL_SECONDS = 300.0


class InstallError(Exception):
    """Packages could not be installed; the message has the command and what it printed."""


def install_from_pypi(place: Path, packages: Sequence[str]) -> None:
    """Make a virtual environment in `place` with the packages. Raises InstallError."""
    if (place / "done").exists():
        return
    run_command([sys.executable, "-m", "venv", str(place)])
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    run_command([str(place / "bin" / "python"), *install])
    (place / "done").touch()


def install_from_npm(place: Path, packages: Sequence[str]) -> None:
    """Put the packages into `place/node_modules`. Raises InstallError."""
    if (place / "done").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    (place / "package.json").write_text('{"private": true}', "utf-8")
    run_command(["npm", "install", "--silent", "--no-fund", "--no-audit", *packages], place)
    (place / "done").touch()


def environment_of_tools() -> dict[str, str]:
    """No proxy, a locale that can show every name, and Go without modules."""
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return env | {"LC_ALL": "C.UTF-8", "GOTOOLCHAIN": "local", "GO111MODULE": "off"}


def run_command(
    command: Sequence[str], where: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """What a command printed. Raises InstallError when it fails."""
    done = subprocess.run(
        command,
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
