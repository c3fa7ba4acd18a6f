"""Starts a server of the benchmark, waits until it listens, and stops all its processes.

A server is a session of processes, listens on a free port of 127.0.0.1, and has a folder of its own, in which
its store and its temporary files are.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..launch import HOST, LaunchError, dies_with_its_parent, free_port, start
from ..packages import environment_of_tools
from ..programs import AbsentError, filled, is_installed, prepare, version_of
from .measured_servers import PEERS, Server
from .processes import Session

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, with its `store` in its `folder`."""

    server: Server
    port: int
    folder: Path
    store: Path
    session: Session


@dataclass(frozen=True, slots=True)
class Environments:
    """The folder in which each peer has its packages. With `install` missing ones are fetched."""

    folder: Path
    install: bool = False

    def prepare(self, server: Server) -> str:
        """Its version, when it can be started. Raises AbsentError when it cannot."""
        if server.backend:
            return ""
        place = self.of(server)
        if not (self.install or is_installed(server, place)):
            raise AbsentError("not installed: --install installs it")
        prepare(server, place, PEERS)
        if server.here:
            return ", ".join(f"{name} {metadata.version(name)}" for name in server.here)
        return version_of(server, place, PEERS)

    def of(self, server: Server) -> Path:
        """The folder of its environment."""
        return self.folder / server.environment


@contextlib.contextmanager
def serving(server: Server, root: Path, environments: Environments) -> Iterator[Running]:
    """The server, ready, with the folder `root/NAME`. Raises AbsentError when it does not start."""
    folder = root / server.name
    store, temporary = folder / "store", folder / "tmp"
    store.mkdir(parents=True)
    temporary.mkdir()
    env = {**server.env, "TMPDIR": str(temporary)}
    if server.backend:
        with _ours(server, folder, store, env) as running:
            yield running
    else:
        with _peer(server, folder, store, env, environments.of(server)) as running:
            yield running


@contextlib.contextmanager
def _ours(server: Server, folder: Path, store: Path, env: Mapping[str, str]) -> Iterator[Running]:
    try:
        backend = start(server.backend, store=store, env=env)
    except LaunchError as error:
        raise AbsentError(str(error)) from None
    with backend:
        yield Running(server, backend.port, folder, store, Session(backend.pid))


@contextlib.contextmanager
def _peer(
    server: Server, folder: Path, store: Path, env: Mapping[str, str], environment: Path
) -> Iterator[Running]:
    port = free_port()
    words = {"port": str(port), "run": str(folder), "store": str(store), "user": getpass.getuser()}
    if not server.pip:
        words["python"] = sys.executable
    if server.template:
        text = (PEERS / server.template).read_text("utf-8")
        (folder / server.template).write_text(_worded(text, words), "utf-8")
    command = filled([_worded(word, words) for word in server.command], environment, PEERS)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            dies_with_its_parent(command),
            cwd=folder,
            env=_clean_environment() | dict(env) | {"PEER_STORE": str(store)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(server, process, port, log)
        yield Running(server, port, folder, store, Session(process.pid))
    finally:
        _stop(process)


def _worded(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def _clean_environment() -> dict[str, str]:
    """That of the tools, without what the user's shell sets for other servers."""
    taken = ("FLASK_", "GUNICORN_", "WIREPROOF_", "PYTHONPATH")
    return {name: value for name, value in environment_of_tools().items() if not name.startswith(taken)}


def _wait(server: Server, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text("utf-8", "replace")[-_LOG_TAIL:]
            raise AbsentError(f"{server.name} did not start:\n{end}")
        time.sleep(_POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((HOST, port)) == 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def remove_folder(running: Running) -> None:
    """Remove what a stopped server has left."""
    shutil.rmtree(running.folder, ignore_errors=True)
