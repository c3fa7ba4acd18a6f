"""Backend 1: uploads on raw sockets. `python servers/socket_upload.py`"""

import contextlib
import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("servers.socket_upload").main()

import click

from .allocator import reuse_large_blocks
from .contract import error_log
from .contract.limits import Limits
from .contract.route import Context
from .contract.version import version
from .descriptors import connections_within
from .service_manager import tell
from .settings import LIMIT_NAMES, Settings, SettingsError, StartError, start_upkeep, sweep
from .socket_server.listening import listen, urls_of
from .socket_server.single_process import serve_here
from .socket_server.supervisor import Supervisor


class Refused(click.ClickException):
    """The settings cannot be used. The command line itself is well formed: no usage is shown."""

    exit_code = 2


def show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the name of the program and its version, and exit."""
    if wanted and not context.resilient_parsing:
        click.echo(f"{context.info_name} {version()}")
        context.exit()


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add a flag for each limit, with its default in the help text."""
    for name in reversed(LIMIT_NAMES):
        flag = "--" + name.replace("_", "-")
        default = getattr(Limits(), name)
        command = click.option(flag, type=int, metavar="N", help=f"[default: {default}]")(command)
    return command


@click.command(context_settings={"auto_envvar_prefix": None, "max_content_width": 100})
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, metavar="N", help="Port; 0 takes a free one.  [default: 8000]")
@click.option("--store", metavar="DIR", help="Where files go, or s3://BUCKET/PREFIX.  [default: store]")
@click.option(
    "--existing-store", is_flag=True, default=None, help="Refuse a place that holds no store: for volumes."
)
@click.option("--durability", metavar="safe|fast", help="fast skips the fsyncs.  [default: safe]")
@click.option("--min-free", metavar="N", help="Bytes that uploads leave free on the disk.  [default: 0]")
@click.option("--expire", metavar="DAYS", help="Remove files older than this; 0: never.  [default: 0]")
@click.option(
    "--shutdown-delay", metavar="S", help="After SIGTERM, /healthz is 503 for S s first.  [default: 0]"
)
@click.option("--grace-period", metavar="S", help="A stop waits S s for requests at most.  [default: 30]")
@click.option("--workers", type=int, metavar="N", help="Worker processes.  [default: 2]")
@click.option("--token", metavar="TOKEN", help="Require this Bearer token or Basic password.")
@click.option("--token-file", metavar="FILE", help="Named tokens, a line each: NAME full|upload|read TOKEN.")
@click.option("--hosts", metavar="NAMES", help="More names that Host may have, comma-separated.")
@click.option("--cors-origin", metavar="ORIGINS", help="Pages of these may upload and read, comma-separated.")
@click.option("--insecure-public", is_flag=True, default=None, help="Allow other addresses without a token.")
@click.option("--quiet", is_flag=True, default=None, help="Log no line for each request.")
@click.option("--log-json", is_flag=True, default=None, help="Log one JSON object a line.")
@click.option("--peers", metavar="NAME=URL,...", help="Servers that the page may send requests to.")
@click.option(
    "--history", metavar="N|off", help="Keep the last N requests for the page.  [default: 500 on loopback]"
)
@click.option(
    "--metrics/--no-metrics", default=None, help="Show at /metrics what is counted.  [default: no-metrics]"
)
@click.option("--wire", is_flag=True, help="Show requests as their bytes arrive, not the log (one worker).")
@limit_options
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit.",
)
def main(*, wire: bool, **given: Any) -> None:
    """Serve uploads on raw sockets. Each flag can also be set as WIREPROOF_NAME in the environment."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    reuse_large_blocks()
    if wire:  # it shows each request
        given["quiet"] = True
    try:
        settings = Settings.from_environment(wire=wire, **given)
        error_log.set_up("", as_json=settings.log_json)
        settings.check_bind()
        settings = within_descriptors(settings)
        settings.open_metrics(forks=True)
        context = settings.context(settings.open_store(), settings.open_history(), "socket")
        removed = sweep(context.store)
        sockets = listen(settings)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    except SettingsError as error:
        raise Refused(str(error)) from None
    if removed:
        logging.getLogger("wireproof.socket").info("Removed %d leftovers of interrupted uploads.", removed)

    urls = " and ".join(urls_of(sockets))

    def ready() -> None:
        with contextlib.suppress(OSError):  # standard output is closed or full: serve anyway
            print(f"wireproof socket server on {urls} (store: {settings.store})", flush=True)
        tell("READY=1")

    if wire or settings.processes == 1:
        start_upkeep(context.store, context.limits)
        if wire:
            _serve_and_show(sockets, context, ready)
        else:
            serve_here(sockets, context, ready)
        return
    sys.exit(Supervisor(sockets, context, settings.processes, settings.read_tokens_again).run(ready))


def within_descriptors(settings: Settings) -> Settings:
    """The same settings, with as many connections as the system allows descriptors for."""
    most = connections_within(settings.limits.max_connections, settings.limits.max_uploads)
    return replace(settings, limits=replace(settings.limits, max_connections=most))


def _serve_and_show(sockets: list[socket.socket], context: Context, ready: Callable[[], None]) -> None:
    """Serve, and print each request (`--wire`)."""
    from .socket_server.wire.background_screen import screen_on_standard_output  # loads rich

    screen = screen_on_standard_output()
    serve_here(sockets, context, ready, screen)
    if screen is not None:
        screen.close()


if __name__ == "__main__":
    main()
