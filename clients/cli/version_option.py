"""The option --version, which reads the version only when it is asked for."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..http1.version import project_version

_Command = TypeVar("_Command", bound=Callable[..., Any])


def version_option(program: str) -> Callable[[_Command], _Command]:
    """A decorator that adds --version to a click command; it prints `PROGRAM, version N`."""

    def show(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(f"{program}, version {project_version()}")
            context.exit()

    return click.option(
        "--version",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Show the version and exit.",
    )
