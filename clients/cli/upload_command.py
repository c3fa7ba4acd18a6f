"""The command of the upload clients: it makes a request of the flags, sends it and shows the response."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

from ..http1.body import choose_body
from ..http1.digest import Block
from ..http1.errors import Unreachable, UsageError
from ..http1.request import OnBlock
from ..http1.response_parser import Response
from ..http1.retrying import TRANSIENT_STATUSES, seconds_before_retry
from ..http1.upload_call import Call
from ..http1.wire import Wire
from ..resumable.upload_command import resume_uploads
from .command import ClientCommand, is_silent
from .curl_flags import why_refused
from .output import byte_writer, printable, show_response, standard_output
from .progress import progress_bar
from .upload_options import call_from, remote_name, upload_options
from .watched_wire import prints_the_wire, watched_wire

_ORDER = "wireproof.order"
_EPILOG = """
Exit status: 0 a 2xx response, or --dry-run; 1 any other status, a response that does not match what was sent,
or output that cannot be written; 2 wrong usage, or a file that cannot be read; 3 no response, or none that is
complete; 130 Ctrl-C. With --resume the status is the largest one of all files.
"""


class Transport(Protocol):
    """A module of http1 that sends calls."""

    def send(
        self, call: Call, wire: Wire, *, cafile: str | None = None, on_block: OnBlock | None = None
    ) -> Response:
        """Send a call through a wire and return the response."""

    def dry_run(self, call: Call, write: Callable[[Block], None]) -> None:
        """Give the bytes of the request to `write`."""


def upload_command(name: str, summary: str, transports: Mapping[str, Transport]) -> click.Command:
    """The click command `name`. With several `transports` the option --client chooses one of them."""

    @click.command(
        name,
        cls=_UploadCommand,
        help=summary,
        epilog=_EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @upload_options
    @click.pass_context
    def command(context: click.Context, /, **given: Any) -> None:
        transport = transports[given.pop("client", next(iter(transports)))]
        sys.exit(_run(given | {"order": context.meta[_ORDER]}, transport))

    if len(transports) > 1:
        command.params.insert(1, _client_option(tuple(transports)))
    return command


def _client_option(names: Sequence[str]) -> click.Option:
    return click.Option(
        ["--client"],
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="What makes the bytes. socket makes all of them by hand. requests makes the head and simple "
        "bodies itself, decodes compressed responses, and does not wait for 100 Continue.",
    )


class _UploadCommand(ClientCommand):
    """Also keeps the order of all flags, which click forgets, and says why a flag of curl is not taken."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            order = self.make_parser(ctx).parse_args(list(args))[2]
        except click.NoSuchOption as error:
            if reason := why_refused(error.option_name):
                message = f"{error.option_name} of curl is not supported: {reason}."
                raise click.UsageError(message, ctx) from None
            raise
        ctx.meta[_ORDER] = [option.name for option in order]
        return super().parse_args(ctx, args)


def _run(given: dict[str, Any], transport: Transport) -> int:
    prints_the_wire(given)  # refuses -v with --show-wire
    if given["resume"]:
        return resume_uploads(given, transport.send)
    call = call_from(given)
    output = _output(given)
    if given["dry_run"]:
        transport.dry_run(call, byte_writer(standard_output()))
        return 0
    response, head = _send_with_retries(call, given, transport)
    show_response(
        response,
        output=output,
        raw=given["raw"],
        head=head if given["include"] else b"",
        without_body=given["fail"] and response.status >= 400,
        in_words=not is_silent(given),
    )
    return 0 if 200 <= response.status < 300 else 1


def _output(given: dict[str, Any]) -> Path | None:
    """The file to write, or None for standard output."""
    if given["remote_name"]:
        if given["output"]:
            raise UsageError("-o and -O do not go together")
        return Path(remote_name(given["url"]))
    return None if given["output"] in (None, "-") else Path(given["output"])


def _send_with_retries(call: Call, given: dict[str, Any], transport: Transport) -> tuple[Response, bytes]:
    """The first response that is not transient, or the last one. Raises ClientError."""
    retries: int = given["retry"] or 0
    for attempt in range(retries + 1):
        last = attempt == retries
        try:
            response, head = _send_once(call, given, transport)
            if last or response.status not in TRANSIENT_STATUSES:
                return response, head
            why, wait = f"the response was {response.status}", seconds_before_retry(attempt + 1, response)
        except Unreachable as error:
            if last:
                raise
            why, wait = str(error), seconds_before_retry(attempt + 1)
        if not is_silent(given):
            click.echo(f"retry {attempt + 1} of {retries} in {wait:g} s: {printable(why)}", err=True)
        time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _send_once(call: Call, given: dict[str, Any], transport: Transport) -> tuple[Response, bytes]:
    """The response, and its head with those of interim responses as they were received."""
    wire, head = watched_wire(given)
    if prints_the_wire(given) or given["silent"]:
        return transport.send(call, wire, cafile=given["cacert"]), bytes(head)
    body = choose_body(call.data, call.json, call.files, call.boundary)
    with progress_bar(body.length if body else 0, "sending", "bytes") as advance:
        return transport.send(call, wire, cafile=given["cacert"], on_block=advance), bytes(head)
