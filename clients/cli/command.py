"""What all client commands share: how they end when they cannot go on, and --version.

A command that fails prints a sentence instead of a traceback, and its exit status says what failed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..http1.errors import ClientError
from ..http1.version import project_version
from .output import colour, printable

_Command = TypeVar("_Command", bound=Callable[..., Any])

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
            say_error(str(error))
            sys.exit(error.exit_status)
        except KeyboardInterrupt:
            _say("Interrupted.")
            sys.exit(INTERRUPTED)


def version_option(command: _Command) -> _Command:
    """Add --version. The version is looked up only when it is asked for."""

    def show(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            click.echo(f"{context.command_path} {project_version()}")
            context.exit()

    option = click.option(
        "--version", is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip
    return option(command)


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
