"""python -m clients.real_clients [URL]: shows what clients of other projects put on the wire."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..http1.request_url import server_address
from ..launch import running
from .matrix import wire_facts
from .session import Session, session
from .table import Client, load_clients
from .workshop import AbsentError, Workshop

_HEADINGS = (
    "client",
    "version",
    "upload",
    "requests",
    "framing",
    "Expect",
    "Content-Type",
    "fields",
    "odd name",
    "status",
)


def _server(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    try:
        return server_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _chosen(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> list[Client]:
    """The clients of these names, or all."""
    clients = load_clients()
    unknown = [name for name in names if name not in clients]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)} is not among {', '.join(clients)}")
    return [clients[name] for name in names] or list(clients.values())


@click.command()
@click.argument("url", required=False, callback=_server)
@click.option(
    "--client",
    "chosen",
    multiple=True,
    metavar="NAME",
    callback=_chosen,
    help="Only this client. Repeatable.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/.cache/wireproof/real_clients"),
    show_default=True,
    help="Where packages of clients are installed.",
)
@click.option("--markdown", is_flag=True, help="Print a Markdown table.")
def main(url: tuple[str, int] | None, chosen: list[Client], folder: Path, markdown: bool) -> None:
    """Let each client upload a field and two files to URL, and show what was on the wire.

    Without URL the socket backend is started. Packages of clients are installed from PyPI and npm; programs
    must be installed already. The exit status is 1 when an upload was refused or a client failed.
    """
    rows = []
    failed = False
    workshop = Workshop(folder.expanduser().resolve())
    with TemporaryDirectory() as files, _target(url) as server, session(workshop, Path(files)) as clients:
        for client in chosen:
            for row, good in _rows(clients, client, server):
                rows.append(row)
                failed = failed or not good
    _print(rows, markdown)
    sys.exit(1 if failed else 0)


@contextmanager
def _target(url: tuple[str, int] | None) -> Iterator[tuple[str, int]]:
    if url is not None:
        yield url
        return
    with running(["socket"]) as (backend,):
        yield backend.host, backend.port


def _rows(
    clients: Session, client: Client, server: tuple[str, int]
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The rows of one client, each with whether all went well. Failures are printed on stderr."""
    try:
        clients.workshop.prepare(client)
    except AbsentError as error:
        click.echo(f"{client.name} is absent: {error}", err=True)
        return
    version = clients.workshop.version(client)
    for kind in client.kinds:
        upload = clients.upload(client, kind, server)
        if upload.failure:
            click.echo(upload.failure, err=True)
        if not upload.exchanges:
            yield (client.name, version, kind, "nothing was sent", *[""] * 6), False
            continue
        facts = wire_facts(upload.exchanges)
        yield (client.name, version, kind, *astuple(facts)), not upload.failure and facts.statuses == "200"


def _print(rows: Sequence[tuple[str, ...]], markdown: bool) -> None:
    if markdown:
        for cells in (_HEADINGS, ("---",) * len(_HEADINGS), *rows):
            click.echo("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return
    table = Table(*_HEADINGS)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=None if sys.stdout.isatty() else 300).print(table)


if __name__ == "__main__":
    main()
