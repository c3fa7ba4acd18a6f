"""The wire of a command: it prints what -v and --show-wire ask for."""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from ..http1.errors import UsageError
from ..http1.wire import Wire
from .heads import Heads
from .output import byte_writer, printable


def watched_wire(given: Mapping[str, Any], *, idle_time: float | None = None) -> tuple[Wire, bytearray]:
    """A wire that prints what the flags ask for, and the buffer that gets the heads of the responses.

    The time limit is `max_time`; `idle_time` is how long no byte may pass, in seconds.
    """
    wire, head = Wire(given["max_time"], idle_time=idle_time), bytearray()
    if given["show_wire"]:
        stderr = sys.stderr.buffer
        wire.on_sent, wire.on_received = byte_writer(stderr, "cyan"), byte_writer(stderr, "green")
    elif given["verbose"]:
        wire.on_sent = Heads(partial(_print_line, ">")).feed
        wire.on_received = Heads(partial(_print_line, "<")).feed
    wire.listen(Heads(lambda line: head.extend(line + b"\r\n")).feed)
    return wire, head


def prints_the_wire(given: Mapping[str, Any]) -> bool:
    """Whether the flags print what passes; a progress bar would garble it. Raises UsageError for both."""
    if given["verbose"] and given["show_wire"]:
        raise UsageError("--show-wire prints what -v prints and more: they do not go together")
    return bool(given["verbose"] or given["show_wire"])


def _print_line(mark: str, line: bytes) -> None:
    click.echo(f"{mark} {printable(line.decode('latin-1'))}", err=True)
