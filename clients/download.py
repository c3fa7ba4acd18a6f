"""Downloads a file so that it goes on where it broke off: python clients/download.py URL [-o FILE]"""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.download").main()

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from .cli.command import ClientCommand, is_silent
from .cli.connection_options import CACERT, MAX_TIME, SHOW_ERROR, SHOW_WIRE, SILENT, VERBOSE
from .cli.output import colour, printable, refusal
from .cli.progress import Advance, progress_bar
from .cli.request_fields import (
    COOKIE,
    HEADER,
    TOKEN,
    USER,
    USER_AGENT,
    cookies_from,
    credentials_from,
    headers_from,
)
from .cli.upload_options import remote_name
from .cli.version_option import version_option
from .cli.watched_wire import prints_the_wire, watched_wire
from .http1.errors import UsageError
from .http1.upload_call import Call
from .resumable.kept_transfers import kept_transfer, remove_old
from .resumable.part_file import PartFile
from .resumable.ranged_download import RangedDownload
from .resumable.requester import Refused
from .resumable.retries import IDLE_SECONDS, Retries
from .sse.socket_stream import open_stream
from .sse.streaming_response import StreamingResponse

_REFUSED = 1
# The download sets them.
_TAKEN_FIELDS = frozenset({"range", "if-range", "accept-encoding"})
_EPILOG = """
Exit status: 0 the file is there and whole; 1 a refusal, bytes that do not have the SHA-256 that the server
tells, or a file that cannot be written; 2 wrong usage; 3 no response, or too many that broke off; 130 Ctrl-C.
"""


@click.command(
    "download", cls=ClientCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("url")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="The file to write; by default one in this folder, with the name that ends the path of the URL.",
)
@HEADER
@USER_AGENT
@COOKIE
@USER
@TOKEN
@SILENT
@SHOW_ERROR
@VERBOSE
@MAX_TIME
@click.option(
    "--retry",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    metavar="N",
    help="Go on after a lost connection, and after a status 408, 429, 500, 502, 503 or 504, until N tries in "
    "a row got no further.",
)
@CACERT
@SHOW_WIRE
@version_option("wireproof download")
def main(url: str, **given: Any) -> None:
    """Download the file at URL, and go on where an earlier try broke off.

    The bytes go to FILE.part, which becomes FILE when it is whole and has the SHA-256 that the server tells.
    """
    try:
        sys.exit(_run(url, given))
    except Refused as refused:
        if not is_silent(given):
            click.echo(refusal(refused.response), err=True, color=colour(sys.stderr))
        sys.exit(_REFUSED)


def _run(url: str, given: dict[str, Any]) -> int:
    fields = headers_from(given)
    for name in fields:
        if name.lower() in _TAKEN_FIELDS:
            raise UsageError(f"-H: the field {name} cannot be given, because the download sets it")
    if given["output"] == "-":
        raise UsageError(
            "-o - cannot go on where it broke off; `wireproof upload URL` writes to standard output"
        )
    target = Path(given["output"] or remote_name(url))
    call = Call("GET", url, headers=fields, cookies=cookies_from(given), auth=credentials_from(given))
    prints_the_wire(given)
    remove_old()
    retries = Retries(given["retry"], partial(_say, given))
    with kept_transfer("download", url, str(target.resolve())) as kept, PartFile(target) as part:
        download = RangedDownload(call, partial(_open, given), part, kept, retries, partial(_bar, given))
        done = download.run()
    facts = [f"{done.size} bytes"]
    if done.resumed_at:
        facts.append(f"went on at {done.resumed_at}")
    facts.append("SHA-256 verified" if done.verified else "the server tells no SHA-256")
    click.echo(printable(f"{target}: {', '.join(facts)}"))
    return 0


@contextmanager
def _open(given: dict[str, Any], call: Call) -> Iterator[StreamingResponse]:
    wire, _ = watched_wire(given, idle_time=None if given["max_time"] else IDLE_SECONDS)
    with open_stream(call, wire, cafile=given["cacert"]) as response:
        yield response


@contextmanager
def _bar(given: dict[str, Any], total: int | None) -> Iterator[Advance]:
    shown = not (given["silent"] or prints_the_wire(given))
    with progress_bar(total if shown else 0, "receiving", "bytes") as advance:
        yield advance


def _say(given: dict[str, Any], text: str) -> None:
    if not is_silent(given):
        click.echo(printable(text), err=True)


if __name__ == "__main__":
    main()
