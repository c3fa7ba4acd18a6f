"""The command of the upload clients: it turns flags into a request, sends it, and ends with an exit status.

The status is 0 for a 2xx, 1 for a refusal or an upload that failed, 2 for wrong usage or a file that cannot
be read, 3 without a response, 130 after Ctrl-C.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

from ..http1.body import choose_body
from ..http1.digest import Block
from ..http1.errors import Unreachable
from ..http1.request import OnBlock
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .command import ClientCommand
from .output import byte_writer, printable, show_response, standard_output
from .progress import progress_bar
from .upload_options import call_from, upload_options

# Statuses that may be over at the next try (curl's list). 507 is not among them.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_FORM_ORDER = "wireproof.form_order"
_FIRST_WAIT_SECONDS = 1.0
_MAX_WAIT_SECONDS = 60.0


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
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @upload_options
    @click.pass_context
    def command(context: click.Context, /, **given: Any) -> None:
        transport = transports[given.pop("client", next(iter(transports)))]
        sys.exit(_run(given | {"form_order": context.meta[_FORM_ORDER]}, transport))

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
    """Also keeps the order of the form flags, which click forgets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        order = self.make_parser(ctx).parse_args(list(args))[2]
        ctx.meta[_FORM_ORDER] = [option.name for option in order if option.name in ("form", "form_string")]
        return super().parse_args(ctx, args)


def _run(given: dict[str, Any], transport: Transport) -> int:
    call = call_from(given)
    if given["dry_run"]:
        transport.dry_run(call, byte_writer(standard_output()))
        return 0
    response = _send_with_retries(call, given, transport)
    show_response(response, output=Path(given["output"]) if given["output"] else None, raw=given["raw"])
    return 0 if 200 <= response.status < 300 else 1


def _send_with_retries(call: Call, given: dict[str, Any], transport: Transport) -> Response:
    """The first response that is not transient, or the last one. Raises ClientError."""
    retries: int = given["retry"]
    for attempt in range(retries + 1):
        last = attempt == retries
        try:
            response = _send_once(call, given, transport)
            if last or response.status not in TRANSIENT_STATUSES:
                return response
            why, wait = f"the response was {response.status}", _retry_after(response)
        except Unreachable as error:
            if last:
                raise
            why, wait = str(error), None
        wait = min(_FIRST_WAIT_SECONDS * 2**attempt if wait is None else wait, _MAX_WAIT_SECONDS)
        click.echo(f"retry {attempt + 1} of {retries} in {wait:g} s: {printable(why)}", err=True)
        time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _send_once(call: Call, given: dict[str, Any], transport: Transport) -> Response:
    stderr = sys.stderr.buffer
    wire = Wire(given["max_time"])
    if given["show_wire"]:
        # Sent and received bytes share one stream, which a bar would garble.
        wire.on_sent, wire.on_received = byte_writer(stderr, "cyan"), byte_writer(stderr, "green")
        return transport.send(call, wire, cafile=given["cacert"])
    body = choose_body(call.data, call.json, call.files, call.boundary)
    with progress_bar(body.length if body else 0, "sending", "bytes") as advance:
        return transport.send(call, wire, cafile=given["cacert"], on_block=advance)


def _retry_after(response: Response) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, section 10.2.3). A date is not supported."""
    value = response.header("retry-after") or ""
    return float(value) if value.isascii() and value.isdigit() else None
