"""The command that both upload clients are: flags in, one exchange with its repetitions, an exit status out.

0 is a 2xx, 1 a refusal or an upload that failed, 2 wrong usage or a file that cannot be read, 3 no answer,
130 Ctrl-C.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import click

from ..http1.body import choose_body
from ..http1.digest import Block
from ..http1.errors import Unreachable
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .command import ClientCommand
from .output import byte_writer, printable, show_response, standard_output
from .progress import progress_bar
from .upload_options import Handling, call_from, handling_from, upload_options

# What passes by itself (curl's list); 507 does not.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_FORM_ORDER = "wireproof.form_order"
_FIRST_WAIT_SECONDS = 1.0
_MAX_WAIT_SECONDS = 60.0


class Send(Protocol):
    """Sends a call through a wire and returns the answer."""

    def __call__(
        self,
        call: Call,
        wire: Wire,
        *,
        cafile: str | None = None,
        on_block: Callable[[int], None] | None = None,
    ) -> Response: ...


DryRun = Callable[[Call, Callable[[Block], None]], None]


def upload_command(name: str, summary: str, send: Send, dry_run: DryRun) -> click.Command:
    """The click command `name` over one client's two functions."""

    @click.command(
        name,
        cls=_UploadCommand,
        help=summary,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @upload_options
    @click.pass_context
    def command(context: click.Context, /, **given: Any) -> None:
        sys.exit(_run(given | {"form_order": context.meta[_FORM_ORDER]}, send, dry_run))

    return command


class _UploadCommand(ClientCommand):
    """Also keeps in which order the kinds of form flags came, which click forgets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        order = self.make_parser(ctx).parse_args(list(args))[2]
        ctx.meta[_FORM_ORDER] = [option.name for option in order if option.name in ("form", "form_string")]
        return super().parse_args(ctx, args)


def _run(given: dict[str, Any], send: Send, dry_run: DryRun) -> int:
    call, handling = call_from(given), handling_from(given)
    if handling.dry_run:
        dry_run(call, byte_writer(standard_output()))
        return 0
    response = _send_with_retries(call, handling, send)
    show_response(response, output=handling.output, raw=handling.raw)
    return 0 if 200 <= response.status < 300 else 1


def _send_with_retries(call: Call, handling: Handling, send: Send) -> Response:
    """The first answer that is not transient, or the last one. Raises ClientError."""
    for attempt in range(handling.retry + 1):
        last = attempt == handling.retry
        try:
            response = _send_once(call, handling, send)
            if last or response.status not in TRANSIENT_STATUSES:
                return response
            why, wait = f"the answer was {response.status}", _retry_after(response)
        except Unreachable as error:
            if last:
                raise
            why, wait = str(error), None
        wait = min(_FIRST_WAIT_SECONDS * 2**attempt if wait is None else wait, _MAX_WAIT_SECONDS)
        click.echo(f"retry {attempt + 1} of {handling.retry} in {wait:g} s: {printable(why)}", err=True)
        time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _send_once(call: Call, handling: Handling, send: Send) -> Response:
    stderr = sys.stderr.buffer
    wire = Wire(handling.max_time)
    if handling.show_wire:
        # Sent and received bytes on one stream: a bar between them would be a lie.
        wire.on_sent, wire.on_received = byte_writer(stderr, "cyan"), byte_writer(stderr, "green")
        return send(call, wire, cafile=handling.cafile)
    body = choose_body(call.data, call.json, call.files, call.boundary)
    with progress_bar(body.length if body else 0) as on_block:
        return send(call, wire, cafile=handling.cafile, on_block=on_block)


def _retry_after(response: Response) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, section 10.2.3); a date is not understood."""
    value = response.header("retry-after") or ""
    return float(value) if value.isascii() and value.isdigit() else None
