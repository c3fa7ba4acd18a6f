"""`serve --both`: the socket server and gunicorn on one store, and the page that sends to both.

Ctrl-C stops them together, and when one of them ends the other is stopped.
"""

import contextlib
import os
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from .launch import BACKENDS, HOST, free_port, import_path, responds_to_healthz
from .side_by_side import Program, running, stopped_by_signals

NAMES = ("socket", "gunicorn")
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Server:
    """One of the two, with the address that clients use."""

    program: Program
    host: str
    port: int

    @property
    def name(self) -> str:
        """The backend."""
        return self.program.name

    @property
    def url(self) -> str:
        """Without a final slash."""
        return url_of(self.host, self.port)


def serve_both(environment: Mapping[str, str], *, open_page: bool) -> int:
    """Serve until Ctrl-C, SIGTERM, or the end of one server. Returns the exit status.

    `environment` has the settings for both. Raises ClickException if a server does not start.
    """
    host = environment.get("WIREPROOF_HOST", HOST).strip("[]")
    store = environment.get("WIREPROOF_STORE", "store")
    if store.lower() == "memory:":
        raise click.UsageError("--both needs a folder for the store: two servers cannot share one in memory")
    ports = _ports(environment.get("WIREPROOF_PORT", "8000"))
    reached = HOST if host in ("0.0.0.0", "::") else host
    peers = ",".join(f"{name}={url_of(reached, port)}" for name, port in zip(NAMES, ports, strict=True))
    shared = {"WIREPROOF_PEERS": peers, **environment, "PYTHONUNBUFFERED": "1"}
    stopped = stopped_by_signals()
    with contextlib.ExitStack() as stack:
        servers = []
        for name, port in zip(NAMES, ports, strict=True):
            servers.append(stack.enter_context(_running(name, host, reached, port, shared)))
        if not _all_ready(servers, stopped):
            return _status(servers, stopped)
        click.echo(_block(servers, store))
        if open_page and (
            sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            webbrowser.open(f"{servers[0].url}/ui/")
        while not stopped.wait(_POLL_SECONDS) and all(not server.program.ended for server in servers):
            pass
        status = _status(servers, stopped)
        for server in servers:
            server.program.ask_to_end()  # both at once; the end of the context waits for them
        return status


def url_of(host: str, port: int) -> str:
    """`http://HOST:PORT`; an IPv6 address gets its brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ports(first: str) -> tuple[int, int]:
    """The ports of the two servers: `first` and the next one, or two free ones for 0."""
    if not (first.isascii() and first.isdigit() and int(first) < 65535):
        raise click.UsageError(f"--both takes two ports, {first!r} and the next one: give 0 to 65534")
    if int(first):
        return int(first), int(first) + 1
    one = other = free_port()
    while other == one:
        other = free_port()
    return one, other


@contextlib.contextmanager
def _running(
    name: str, host: str, reached: str, port: int, environment: Mapping[str, str]
) -> Iterator[Server]:
    """A server, which is stopped at the end."""
    command = BACKENDS[name].command_for(host, port)
    settings = {**environment, **import_path(), "WIREPROOF_PORT": str(port)}
    with running(name, command, settings, column=max(map(len, NAMES))) as program:
        yield Server(program, reached, port)


def _all_ready(servers: list[Server], stopped: threading.Event) -> bool:
    """Wait until both respond; False when one has ended, or when this process is to stop."""
    deadline = time.monotonic() + _START_SECONDS
    waiting = list(servers)
    while waiting:
        if stopped.is_set() or any(server.program.ended for server in servers):
            return False
        if time.monotonic() > deadline:
            raise click.ClickException(f"{waiting[0].name} was not ready after {_START_SECONDS:g} s")
        waiting = [server for server in waiting if not responds_to_healthz(server.host, server.port)]
        time.sleep(_POLL_SECONDS)
    return True


def _status(servers: list[Server], stopped: threading.Event) -> int:
    """The exit status: 0 when both were asked to stop, else that of the server that ended."""
    ended = next((server for server in servers if server.program.ended), None)
    if stopped.is_set() or ended is None:
        return 0
    how = ended.program.end
    click.echo(f"Error: {ended.name} has ended ({how}), so the other server is stopped too", err=True)
    return max(ended.program.process.returncode, 0) or 1


def _block(servers: list[Server], store: str) -> str:
    """What a newcomer has to know, the page first."""
    lines = [("page", f"{servers[0].url}/ui/"), *((server.name, server.url) for server in servers)]
    column = max(len(name) for name, _ in lines)
    shown = "\n".join(f"  {name.ljust(column)}  {url}" for name, url in lines)
    return f"\nwireproof: two servers on one store ({store})\n\n{shown}\n\nCtrl-C stops both.\n"
