"""Starts a server in place of this process: python clients/serve.py [--backend NAME]

Clients import nothing of the servers: the server is a command of its own, run by `exec`, so that signals and
the exit status are its own. With `--both` there are two servers, and this process stays.
"""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.serve").main()

import click
from click.core import ParameterSource

from .both_servers import serve_both
from .cli.version_option import version_option
from .launch import BACKENDS, HOST, import_path

_EPILOG = """
Limits and time-outs are set by variables: WIREPROOF_MAX_BODY=1000000. Arguments behind -- go to the backend's
own command: wireproof serve --backend gunicorn -- --max-requests 10000
"""


@click.command("serve", epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--backend",
    type=click.Choice(tuple(BACKENDS)),
    default="socket",
    show_default=True,
    help="socket: raw sockets and parsers written by hand. flask: Flask's development server. gunicorn: the "
    "Flask application for production. fastapi: needs the extra of that name.",
)
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port.  [default: 8000]")
@click.option("--store", metavar="DIR", help="Where files go, or s3://BUCKET/PREFIX.  [default: store]")
@click.option("--existing-store", is_flag=True, help="Refuse a place that holds no store: for volumes.")
@click.option("--durability", metavar="safe|fast", help="fast drops the fsyncs.  [default: safe]")
@click.option("--min-free", metavar="N", help="Bytes that uploads leave free on the disk.  [default: 0]")
@click.option("--expire", metavar="DAYS", help="Remove files older than this; 0: never.  [default: 0]")
@click.option(
    "--shutdown-delay", metavar="S", help="After SIGTERM, /healthz is 503 for S seconds first.  [default: 0]"
)
@click.option("--grace-period", metavar="S", help="A stop waits S seconds for requests.  [default: 30]")
@click.option("--workers", metavar="N", help="Worker processes of socket and gunicorn.  [default: 2]")
@click.option("--token", metavar="TOKEN", help="Demand this Bearer token or Basic password.")
@click.option("--token-file", metavar="FILE", help="Named tokens, a line each: NAME full|upload|read TOKEN.")
@click.option("--hosts", metavar="NAMES", help="Further names that Host may have, comma-separated.")
@click.option(
    "--cors-origin",
    metavar="ORIGINS",
    help="Pages of these origins may upload and read files, comma-separated.",
)
@click.option("--insecure-public", is_flag=True, help="Allow other addresses without a token.")
@click.option("--peers", metavar="NAME=URL,...", help="Servers that the page may send requests to.")
@click.option("--quiet", is_flag=True, help="Log no line for each request.")
@click.option("--log-json", is_flag=True, help="Log one JSON object a line.")
@click.option("--history", metavar="N|off", help="Keep the last N requests for the page.  [default: 500]")
@click.option(
    "--metrics/--no-metrics", default=None, help="Show at /metrics what is counted.  [default: no-metrics]"
)
@click.option(
    "--wire",
    is_flag=True,
    help="Show each request as its bytes arrive, instead of the log (socket only, one worker).",
)
@click.option(
    "--both",
    is_flag=True,
    help="socket on the port and gunicorn on the next one, on one store, with the page.",
)
@click.option("--open", "open_page", is_flag=True, help="With --both: open the page in the browser.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@version_option("wireproof serve")
def main(
    *,
    backend: str,
    wire: bool,
    both: bool,
    open_page: bool,
    arguments: tuple[str, ...],
    **given: str | int | bool | None,
) -> None:
    """Start a server that takes uploads, on 127.0.0.1:8000 unless told otherwise."""
    kind = BACKENDS[backend]
    if not kind.installed:
        raise click.UsageError(f"backend {backend!r} needs an extra: pip install 'wireproof[{backend}]'")
    if wire and backend != "socket":
        raise click.UsageError("--wire is a view of the socket server: it has no effect on another backend")
    if open_page and not both:
        raise click.UsageError("--open shows the page of --both")
    if both:
        _check_both(wire=wire, arguments=arguments)
    if backend in ("flask", "fastapi"):
        _check_simple(backend, given)
    switches = {name: "1" for name, value in given.items() if value is True}
    if given["metrics"] is False:
        switches["metrics"] = "0"
    values = {name: str(value) for name, value in given.items() if not isinstance(value, bool | None)}
    settings = values | switches
    environment = os.environ | {f"WIREPROOF_{name.upper()}": value for name, value in settings.items()}
    environment["WIREPROOF_SERVE_FLAGS"] = ",".join(settings)  # messages of the server name these as flags
    if both:
        sys.exit(serve_both(environment, open_page=open_page))
    host = environment.get("WIREPROOF_HOST", HOST).strip("[]")
    command = kind.command_for(host, environment.get("WIREPROOF_PORT", "8000"))
    command += ["--wire"] * wire + list(arguments)
    os.execve(command[0], command, environment | import_path())


def _check_simple(backend: str, given: Mapping[str, object]) -> None:
    """Raise UsageError for what only the socket server and gunicorn do."""
    if given["workers"] is not None:
        raise click.UsageError(f"--workers has no effect on {backend}: it is one process")
    for name in ("shutdown_delay", "grace_period"):
        if given[name] is not None:
            flag = "--" + name.replace("_", "-")
            raise click.UsageError(f"{flag} has no effect on {backend}: it stops in its own way")


def _check_both(*, wire: bool, arguments: tuple[str, ...]) -> None:
    """Raise UsageError for what only one server takes."""
    chosen = click.get_current_context().get_parameter_source("backend")
    for given, what in (
        (chosen is ParameterSource.COMMANDLINE, "--backend"),
        (wire, "--wire"),
        (bool(arguments), f"{' '.join(arguments)!r}"),
    ):
        if given:
            raise click.UsageError(f"{what} is for one server: it has no effect with --both")


if __name__ == "__main__":
    main()
