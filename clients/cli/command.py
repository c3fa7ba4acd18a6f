"""How a command ends when it cannot go on: with a sentence instead of a traceback, and an exit status."""

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..http1.errors import ClientError, UsageError
from .output import colour, printable

INTERRUPTED = 130
_NOT_WRITTEN = 1


class ClientCommand(click.Command):
    """A click command whose callback may raise ClientError, KeyboardInterrupt, and OSError for its output."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command. Output that cannot be written is an error of its own."""
        if sys.stderr is None:  # 2>&-
            sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the exit
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # errors of connections and input files are ClientErrors
            say_error(f"cannot write the output: {error.strerror or error}")
            sys.exit(_NOT_WRITTEN)
        finally:
            _drop_unwritten_output()

    def invoke(self, ctx: click.Context) -> Any:
        """Call the callback. click would end with status 1 after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except ClientError as error:
            if isinstance(error, UsageError) or not is_silent(ctx.params):
                say_error(str(error))
            sys.exit(error.exit_status)
        except KeyboardInterrupt:
            _say("Interrupted.")
            sys.exit(INTERRUPTED)


def is_silent(given: Mapping[str, Any]) -> bool:
    """Whether the flags turn messages off, as curl's -s without -S does."""
    return bool(given.get("silent")) and not given.get("show_error")


def say_error(text: str) -> None:
    """Print on standard error what went wrong."""
    _say(click.style("error: ", fg="red") + printable(text))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # there is no other place to print it
        click.echo(text, err=True, color=colour(sys.stderr))


def _drop_unwritten_output() -> None:
    """Python would try to write it at its exit, and fail with a message and a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
