"""Installs a guest, and serves it on a free port of 127.0.0.1 while it is asked."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..launch import HOST, free_port
from ..packages import (
    InstallError,
    environment_of_tools,
    install_from_npm,
    install_from_pypi,
    run_command,
)
from .table import SCRIPTS, Guest

_START_SECONDS = 30.0
_POLL_SECONDS = 0.02
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_PIP_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class AbsentError(Exception):
    """A guest cannot be served here; the message says what is missing."""


def prepare(guest: Guest, folder: Path) -> None:
    """Install what the guest needs into `folder`, if it is missing. Raises AbsentError."""
    missing = [program for program in guest.programs if shutil.which(program) is None]
    if guest.npm and shutil.which("npm") is None:
        missing.append("npm")
    if missing:
        raise AbsentError(f"{', '.join(missing)} not found; Debian has {' '.join(guest.apt) or 'npm'}")
    try:
        if guest.pip:
            install_from_pypi(folder, guest.pip)
        if guest.npm:
            install_from_npm(folder, guest.npm)
            for script in SCRIPTS.glob("*.?js"):  # Node.js looks for packages beside the script
                shutil.copy(script, folder)
        folder.mkdir(parents=True, exist_ok=True)
        if guest.build:
            run_command(_filled(guest.build, folder), environment=environment_of_tools())
    except (InstallError, subprocess.TimeoutExpired) as error:
        raise AbsentError(str(error)) from None


def version_of(guest: Guest, folder: Path) -> str:
    """The version of the parser, or `?`."""
    if guest.npm:
        package = folder / "node_modules" / guest.npm[0] / "package.json"
        return str(json.loads(package.read_text("utf-8"))["version"])
    command = _filled(guest.version, folder)
    if guest.pip:
        command = [str(folder / "bin" / "python"), "-c", _PIP_VERSION, guest.pip[0]]
    try:
        found = _VERSION.search(run_command(command)) if command else None
    except InstallError:
        return "?"
    return found[0] if found else "?"


@contextmanager
def serving(guest: Guest, folder: Path) -> Iterator[str]:
    """The URL of the guest. Raises AbsentError when it does not start."""
    port = free_port()
    command = [word.replace("{port}", str(port)) for word in _filled(guest.command, folder)]
    log = folder / "log"
    with (
        # Many parsers leave the files of an upload behind.
        TemporaryDirectory(prefix="wireproof-guest-", ignore_cleanup_errors=True) as temporaries,
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment_of_tools() | {"TMPDIR": temporaries},
        ) as process,
    ):
        try:
            _wait(process, port, guest, log)
            yield f"http://{HOST}:{port}/"
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, guest: Guest, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text("utf-8", "replace")[-2000:]
            raise AbsentError(f"{guest.name} did not start:\n{end}")
        time.sleep(_POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((HOST, port)) == 0


def _filled(command: Sequence[str], folder: Path) -> list[str]:
    words = {"python": str(folder / "bin" / "python"), "scripts": str(SCRIPTS), "folder": str(folder)}
    filled = list(command)
    for name, value in words.items():
        filled = [word.replace("{" + name + "}", value) for word in filled]
    return filled
