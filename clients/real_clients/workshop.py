"""Installs and runs the clients. Packages are installed once, into a folder that is kept."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..packages import InstallError, environment_of_tools, install_from_npm, install_from_pypi
from .table import SCRIPTS, Client
from .uploads import Files

# The start of Chromium and the first build of Go's standard library are slow.
_RUN_SECONDS = 240.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class AbsentError(Exception):
    """A client cannot run here; the message says what is missing and how to install it."""


class UploadFailedError(Exception):
    """A client failed; the message has its name and what it printed."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Each client has a folder of its own in `folder`."""

    folder: Path

    def prepare(self, client: Client) -> None:
        """Install what the client needs, if it is missing. Raises AbsentError when that is not possible."""
        _ask_for(client)
        place = self._place(client)
        try:
            if client.pip:
                install_from_pypi(place, client.pip)
            if client.npm:
                install_from_npm(place, client.npm)
        except InstallError as error:
            raise AbsentError(str(error)) from None
        if client.npm:
            # Node.js looks for packages beside the script.
            shutil.copytree(SCRIPTS, place / "scripts", dirs_exist_ok=True)
        if (asked := self._call(client, client.version, {})).returncode != 0:
            # A program may be there without the extension or the library that the client is.
            first_line = (asked.stderr.strip() or asked.stdout.strip()).partition("\n")[0]
            raise AbsentError(f"{_needed(client)}: {' '.join(client.version)} says {first_line!r}")

    def version(self, client: Client) -> str:
        """The version that the client prints, or `?`."""
        printed = self._call(client, client.version, {}).stdout
        found = _VERSION.search(printed)
        return found[0] if found else "?"

    def upload(self, client: Client, url: str, kind: str, files: Files) -> None:
        """Let it upload to `url`. Raises UploadFailedError when its script fails."""
        done = self._call(client, (*client.command, url, kind, *client.arguments), files.environment())
        if done.returncode != 0:
            printed = f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
            raise UploadFailedError(f"{client.name} {kind} ended with {done.returncode}:\n{printed}")

    def _call(
        self, client: Client, command: Sequence[str], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        place = self._place(client)
        own = place / "bin"
        words = {
            "scripts": str(place / "scripts" if client.npm else SCRIPTS),
            "python": str(own / "python") if client.pip else sys.executable,
            "bin": str(own),
            "npm": str(place / "node_modules" / ".bin"),
        }
        place.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [_filled(word, words) for word in command],
            cwd=place,
            env=_environment(place) | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )

    def _place(self, client: Client) -> Path:
        return self.folder / re.sub(r"[^a-z0-9.]+", "-", client.name.lower())


def _ask_for(client: Client) -> None:
    programs = [program for program in client.programs if shutil.which(program) is None]
    if programs:
        raise AbsentError(f"{', '.join(programs)} not found; {_needed(client)}")
    modules = [module for module in client.modules if find_spec(module) is None]
    if modules:
        raise AbsentError(f"{', '.join(modules)} not installed: pip install 'wireproof[test]'")


def _needed(client: Client) -> str:
    """Where what the client needs comes from."""
    return f"Debian has {' '.join(client.apt)}" if client.apt else "it needs its packages"


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


def _environment(place: Path) -> dict[str, str]:
    """The environment of all tools, with caches in the folder of the client."""
    return environment_of_tools() | {
        "GOCACHE": str(place / "cache"),
        "GOPATH": str(place / "path"),
        "DENO_DIR": str(place / "cache"),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
    }
