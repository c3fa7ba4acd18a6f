"""Starts backends on free ports of 127.0.0.1, waits until they respond, and stops them.

compare, fuzz and the tests start all their servers here. Each backend is a process in a session of its own,
and writes its log to a temporary file. In a checkout it runs in the project's folder, which is on its import
path; in an installation it runs in a temporary folder. `stop` sends SIGTERM, and then SIGKILL to every
process of the session that is left. Linux and macOS.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
# "" in a checkout, where the servers are the package `servers`; "wireproof." in an installation.
_PREFIX = __name__.removesuffix("clients.launch")
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 20
# Another program may take a free port before the backend does.
_PORT_ATTEMPTS = 3
_PORT_TAKEN = re.compile(r"address already in use|in use by another program|Connection in use", re.IGNORECASE)
_PRINTED_URL = re.compile(r"http://[^\s/:]+:(\d+)")


@dataclass(frozen=True, slots=True)
class BackendKind:
    """How a backend is started. `command_for` fills in the parts `{host}`, `{port}` and `{address}`.

    With `prints_url` it accepts port 0, and prints its URL when it is ready. Any other backend is ready when
    it responds to /healthz. `needs` are the modules of the extra that has the name of the backend.
    """

    command: tuple[str, ...]
    prints_url: bool = False
    needs: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether all modules that it needs are installed."""
        return all(find_spec(module) is not None for module in self.needs)

    def command_for(self, host: str, port: int | str) -> list[str]:
        """The command that makes it listen on this address; `host` has no brackets."""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        values = {"{host}": host, "{port}": str(port), "{address}": address}
        return [values.get(part, part) for part in self.command]


BACKENDS: dict[str, BackendKind] = {
    "socket": BackendKind(
        (
            *(sys.executable, "-m", _PREFIX + "servers.socket_upload"),
            *("--host", "{host}", "--port", "{port}"),
        ),
        prints_url=True,
    ),
    "flask": BackendKind(
        (
            *(sys.executable, "-m", "flask", "--app", _PREFIX + "servers.flask_upload", "run"),
            *("--host", "{host}", "--port", "{port}"),
        )
    ),
    "gunicorn": BackendKind(
        (
            *(sys.executable, "-m", "gunicorn", "-c", f"python:{_PREFIX}servers.gunicorn_conf"),
            *("--bind", "{address}"),
        )
    ),
    # Fields of proxies are ignored (H32), and queries are not logged.
    "fastapi": BackendKind(
        (
            *(sys.executable, "-m", "uvicorn", _PREFIX + "servers.fastapi_upload:app"),
            *("--host", "{host}", "--port", "{port}"),
            *("--http", _PREFIX + "servers.fastapi_server.protocol:ContractProtocol", "--ws", "none"),
            *("--no-proxy-headers", "--no-access-log"),
        ),
        needs=("fastapi", "uvicorn"),
    ),
}


def installed_backends() -> tuple[str, ...]:
    """The names of the backends whose extra, if any, is installed."""
    return tuple(name for name, kind in BACKENDS.items() if kind.installed)


class LaunchError(Exception):
    """A backend did not start; the message has its name, the reason and the end of its log."""


@dataclass(slots=True)
class RunningBackend:
    """A backend that this process started. It is a context manager that stops the backend."""

    name: str
    port: int
    store: Path
    process: subprocess.Popen[bytes]
    _kind: BackendKind
    _folder: Path
    _last_log: str = ""

    @property
    def host(self) -> str:
        """The address it listens on."""
        return HOST

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a final slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the backend's leader (the master, under gunicorn)."""
        return self.process.pid

    def log(self) -> str:
        """All that the backend has written to stdout and stderr. It is kept after `stop`."""
        if not self._folder.exists():
            return self._last_log
        return (self._folder / "log").read_text("utf-8", "replace")

    def is_ready(self) -> bool:
        """Whether it is ready. Raises LaunchError when its process has ended."""
        if self.process.poll() is not None:
            raise LaunchError(self._why(f"ended with exit status {self.process.returncode}"))
        if self._kind.prints_url:
            printed = _PRINTED_URL.search(self.log())
            self.port = int(printed[1]) if printed else 0
            return self.port != 0
        return responds_to_healthz(HOST, self.port)

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when it is ready. Raises LaunchError when it ends, or is not ready within `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise LaunchError(self._why(f"was not ready after {seconds:g} s"))
            time.sleep(_POLL_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Stop all its processes. Returns the exit status of the first process; negative for a signal."""
        try:
            self._end_processes(seconds)
        finally:
            self._last_log = self.log()
            shutil.rmtree(self._folder, ignore_errors=True)
        return self.process.returncode

    def __enter__(self) -> RunningBackend:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _end_processes(self, seconds: float) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        # Workers may still hold the port after the first process has ended. `_run` made the group, so it has
        # no other processes.
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS forbids it if all have ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(seconds)

    def _why(self, what: str) -> str:
        tail = self.log().splitlines()[-_LOG_TAIL_LINES:]
        shown = "\n".join(f"    {line}" for line in tail) or "    (the log is empty)"
        return f"backend {self.name!r} {what}; its log ends with\n{shown}"


def start(
    name: str,
    *,
    store: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    seconds: float = START_SECONDS,
    port: int | None = None,
) -> RunningBackend:
    """Start one backend, and return it when it is ready.

    `store` is its folder for uploads; by default a temporary one, which `stop` removes. `env` is added to its
    environment, and `flags` to its command. Without `port` it takes a free one. Raises LaunchError when it is
    not ready within `seconds`.
    """
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        backend = spawn(name, store=store, env=env, flags=flags, port=port)
        try:
            backend.wait_until_ready(seconds)
        except LaunchError as error:
            backend.stop()
            if attempt == _PORT_ATTEMPTS or not _PORT_TAKEN.search(str(error)):
                raise
        except BaseException:
            backend.stop()
            raise
        else:
            return backend
    raise AssertionError("unreachable: the last attempt returns or raises")


def spawn(
    name: str,
    *,
    store: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    port: int | None = None,
) -> RunningBackend:
    """Start one backend without waiting for it. Raises LaunchError for an unknown name or a missing program.

    The kernel ends the backend when the calling thread ends.
    """
    kind = BACKENDS.get(name)
    if kind is None:
        raise LaunchError(f"there is no backend {name!r}; there are {', '.join(BACKENDS)}")
    if not kind.installed:
        raise LaunchError(f"backend {name!r} needs the extra {name!r}: pip install 'wireproof[{name}]'")
    folder = Path(tempfile.mkdtemp(prefix=f"wireproof-{name}-"))
    store = store or folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    if port is None:
        port = 0 if kind.prints_url else free_port()
    command = kind.command_for(HOST, port)
    try:
        process = _run([*command, *flags], _environment(store, env or {}), folder / "log")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise LaunchError(f"backend {name!r} cannot be started: {error}") from None
    return RunningBackend(name, port, store, process, kind, folder)


@contextlib.contextmanager
def running(
    names: Sequence[str], *, store: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[list[RunningBackend]]:
    """Start the named backends together, and stop them at the end.

    Each has its own folder in `store`, or a temporary folder. `env` is added to their environments. Raises
    LaunchError when one does not start.
    """
    stores = {name: None if store is None else store / name for name in names}
    with contextlib.ExitStack() as stack:
        backends = [stack.enter_context(spawn(name, store=stores[name], env=env)) for name in names]
        for position, backend in enumerate(backends):
            if not _became_ready(backend):
                backends[position] = stack.enter_context(start(backend.name, store=backend.store, env=env))
        yield backends


def _became_ready(backend: RunningBackend) -> bool:
    """Wait until it is ready; False when another program has taken its port. Raises LaunchError."""
    try:
        backend.wait_until_ready()
    except LaunchError as error:
        if _PORT_TAKEN.search(str(error)):
            return False
        raise
    return True


def _run(command: list[str], env: dict[str, str], log_path: Path) -> subprocess.Popen[bytes]:
    with log_path.open("wb") as log:
        return subprocess.Popen(
            dies_with_its_parent(command),
            cwd=log_path.parent if _PREFIX else PROJECT_ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def dies_with_its_parent(command: list[str]) -> list[str]:
    """The command so that it gets SIGTERM when the thread that starts it ends, be it killed. Linux only."""
    setpriv = shutil.which("setpriv")  # util-linux; without it the backends of a killed parent go on running
    return command if setpriv is None else [setpriv, "--pdeathsig", "TERM", *command]


def _environment(store: Path, extra: Mapping[str, str]) -> dict[str, str]:
    # Settings of the user's shell are removed: a backend is compared with its defaults.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK_", "WIREPROOF_"))}
    env |= import_path()
    env["PYTHONUNBUFFERED"] = "1"  # stdout is a file, in which the URL must appear at once
    env["WIREPROOF_STORE"] = str(store)
    env["WIREPROOF_HISTORY"] = "off"
    env.update(extra)
    return env


def import_path() -> dict[str, str]:
    """The variable that makes a new interpreter find the servers. An installation needs none."""
    if _PREFIX:
        return {}
    paths = filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH")))
    return {"PYTHONPATH": os.pathsep.join(paths)}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def responds_to_healthz(host: str, port: int) -> bool:
    """Whether the server responds to /healthz with 200. A failed connection means "not yet"."""
    try:
        with socket.create_connection((host, port), timeout=2.0) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status_line = connection.makefile("rb").readline(256)
    except OSError:
        return False
    return re.match(rb"HTTP/1\.\d 200 ", status_line) is not None
