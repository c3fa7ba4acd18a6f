"""The servers of the benchmark: ours, applications of others in `clients/peers`, and one that does nothing.

Each runs as a session of processes, listens on a free port of 127.0.0.1, and has a folder of its own, in
which its store and its temporary files are.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..launch import HOST, LaunchError, dies_with_its_parent, free_port, start
from ..packages import environment_of_tools
from .large_load import Form
from .processes import Session

PEERS = Path(__file__).resolve().parent.parent / "peers"
REFERENCE = "flask-gthread"
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started, and what is sent to it.

    One of ours has the name of its `backend`, another one a `command`, in which `{port}`, `{python}` and
    `{folder}` (its own) are filled in. `path` takes uploads of the shape `form`. Without `answers` it says
    neither values nor SHA-256, and only the stored file is checked. One that is not `checked` stores nothing:
    it shows what the harness costs. `works` are the families of workloads
    that it can do.
    """

    name: str
    title: str
    backend: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    path: str = "/upload/"
    form: Form = "multipart"
    answers: bool = True
    checked: bool = True
    works: tuple[str, ...] = ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    server: Server
    port: int
    folder: Path
    store: Path
    session: Session


class AbsentServerError(Exception):
    """A server cannot run here; the message says what is missing."""


@contextlib.contextmanager
def serving(server: Server, root: Path) -> Iterator[Running]:
    """The server, ready, with the folder `root/NAME`. Raises AbsentServerError when it does not start."""
    folder = root / server.name
    store = folder / "store"
    store.mkdir(parents=True)
    temporary = folder / "tmp"
    temporary.mkdir()
    env = {**server.env, "TMPDIR": str(temporary)}
    with (_ours if server.backend else _other)(server, folder, store, env) as running:
        yield running


@contextlib.contextmanager
def _ours(server: Server, folder: Path, store: Path, env: Mapping[str, str]) -> Iterator[Running]:
    try:
        backend = start(server.backend, store=store, env=env)
    except LaunchError as error:
        raise AbsentServerError(str(error)) from None
    with backend:
        yield Running(server, backend.port, folder, store, Session(backend.pid))


@contextlib.contextmanager
def _other(server: Server, folder: Path, store: Path, env: Mapping[str, str]) -> Iterator[Running]:
    port = free_port()
    words = {"{port}": str(port), "{python}": sys.executable, "{folder}": str(folder), "{peers}": str(PEERS)}
    command = [_filled(word, words) for word in server.command]
    if shutil.which(command[0]) is None:
        raise AbsentServerError(f"{command[0]} not found")
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            dies_with_its_parent(command),
            cwd=folder,
            env={**environment_of_tools(), **env, "PEER_STORE": str(store)},
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


def _filled(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _wait(server: Server, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text("utf-8", "replace")[-_LOG_TAIL:]
            raise AbsentServerError(f"{server.name} did not start:\n{end}")
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


_OURS = {"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast"}
_SAFE = {**_OURS, "WIREPROOF_DURABILITY": "safe"}

SERVERS: Mapping[str, Server] = {
    server.name: server
    for server in (
        Server("socket", "wireproof, raw sockets", "socket", env=_OURS),
        Server("gunicorn", "wireproof, Flask under gunicorn", "gunicorn", env=_OURS),
        Server(
            REFERENCE,
            "Flask, gunicorn gthread 2 x 8",
            command=(
                *("{python}", "-m", "gunicorn", "--chdir", "{peers}", "--bind", "127.0.0.1:{port}"),
                *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "600"),
                "flask_app:app",
            ),
        ),
    )
}
