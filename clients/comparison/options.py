"""What the commands compare and fuzz have in common: their backends, what is compared, and their reports."""

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from ..http1.request_url import server_address
from ..launch import BACKENDS, LaunchError, installed_backends, running
from .cases import Case
from .known_differences import (
    KNOWN_DIFFERENCES,
    KnownDifferences,
    KnownDifferencesError,
    load_known_differences,
)
from .reachability import why_unreachable
from .report_files import add_to_step_summary, github_annotations, summary, write_junit
from .runner import Backend
from .verdicts import Result

# 2, wrong usage, is click's own.
DIFFERENT, UNREACHABLE, INTERRUPTED = 1, 3, 130
NOT_WRITTEN = 1  # as in the other clients
# The options that decide what is sent to whom, and what of the responses is compared.
_REPEATED = ("backends", "clients", "only", "rules", "level", "ignored", "known_path")

Command = TypeVar("Command", bound=Callable[..., Any])


class NotComparable(Exception):
    """The backends cannot be compared; the message is a sentence for the user.

    `exit_status` is UNREACHABLE or DIFFERENT: a backend did not respond, or not as it must.
    """

    def __init__(self, message: str, exit_status: int = UNREACHABLE) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def names_among(choices: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A callback for a comma-separated list of names that are among `choices`; repetitions are dropped."""

    def names(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
        names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        unknown = [name for name in names if name not in choices]
        if unknown or not names:
            raise click.BadParameter(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(choices)}")
        return names

    return names


def backend_options(default: str | None = None, *, any_url: bool = False) -> Callable[[Command], Command]:
    """The argument `urls` and the option `backends`, which by default starts `default`, or all installed.

    With `any_url` the URLs are the words of the user, else they are backends.
    """
    backends = click.option(
        "--backends",
        metavar="NAMES",
        default=default or (lambda: ",".join(installed_backends())),
        show_default=default or "all that are installed: socket,flask,gunicorn,fastapi",
        callback=names_among(tuple(BACKENDS)),
        help="Backends to start when no URL is given.",
    )
    urls = click.argument("urls", metavar="[[NAME=]URL]...", nargs=-1, callback=None if any_url else _urls)
    return lambda command: urls(backends(command))


def comparison_options(command: Command) -> Command:
    """The options for what is compared and for reports; they are the `options` of the functions below."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def ignored_fields(options: Mapping[str, Any]) -> frozenset[str]:
    """The header fields that are not compared, in lower case."""
    return frozenset(name.lower() for name in options["ignored"])


def known_differences_in(path: Path, cases: Sequence[Case]) -> KnownDifferences:
    """The known differences; `cases` are all cases. Raises UsageError when the file cannot be used."""
    try:
        return load_known_differences(path, cases)
    except KnownDifferencesError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def reachable(
    urls: Sequence[Backend], names: Sequence[str], env: Mapping[str, str] | None = None
) -> Iterator[list[Backend]]:
    """The backends at the URLs, or else the named ones, which are started with `env` and stopped at the end.

    Ends the program with a message and an exit status when the backends cannot be compared.
    """
    try:
        if urls:
            for backend in urls:
                _probe(backend)
            yield list(urls)
        else:
            # Without a line for each request: there are thousands, and nobody reads them.
            with running(names, env={"WIREPROOF_QUIET": "1", **(env or {})}) as started:
                yield [Backend(backend.name, backend.host, backend.port) for backend in started]
    except (LaunchError, NotComparable) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status if isinstance(error, NotComparable) else UNREACHABLE)
    except KeyboardInterrupt:  # Ctrl-C: the backends have been stopped
        click.echo("Interrupted: nothing is compared.", err=True)
        sys.exit(INTERRUPTED)


def command_line(context: click.Context, seed: int, urls: Sequence[Backend], case: str) -> str:
    """The command line of a comparison like that of `context`, of one case, and without the reports."""
    program, given = context.command_path, context.params
    words = ["python", sys.argv[0]] if program.endswith(".py") else program.split()
    for parameter in context.command.params:
        name = parameter.name or ""
        from_user = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if from_user and name in _REPEATED:
            values = given[name] if isinstance(given[name], list | tuple) else [given[name]]
            if not parameter.multiple:
                values = [",".join(map(str, values))]
            words += [word for value in values for word in (parameter.opts[0], str(value))]
    words += ["--seed", str(seed), "--cases", case]
    for backend in urls:
        host = f"[{backend.host}]" if ":" in backend.host else backend.host
        url = f"http://{host}:{backend.port}"
        words.append(url if backend.name == f"{backend.host}:{backend.port}" else f"{backend.name}={url}")
    return shlex.join(words)


def write_reports(
    options: Mapping[str, Any], results: Sequence[Result], json_text: str, cases: Sequence[Case] = ()
) -> None:
    """Write the reports that were asked for. Ends the program when a file cannot be written."""
    try:
        if options["json_path"] == "-":
            click.echo(json_text, nl=False)
        elif options["json_path"]:
            Path(options["json_path"]).write_text(json_text, "utf-8")
        if options["junit_path"]:
            write_junit(options["junit_path"], results)
        add_to_step_summary(summary(results))
    except OSError as error:
        not_written("report", error)
    if options["github"]:
        for line in github_annotations(results, cases):
            click.echo(line, err=options["json_path"] == "-")


def not_written(what: str, error: OSError) -> NoReturn:
    """End the program, because a file cannot be written."""
    click.echo(f"Error: the {what} cannot be written: {error}", err=True)
    sys.exit(NOT_WRITTEN)


def exit_status(results: Sequence[Result], gone: Mapping[str, str]) -> int:
    """3 when a backend is `gone` (the comparison is not complete); else 1 for a difference; else 0.

    A response that is missing from a backend which can be reached is a difference.
    """
    if gone:
        return UNREACHABLE
    return DIFFERENT if any(result.failed for result in results) else 0


def name_and_url(value: str) -> tuple[str, str]:
    """The parts of `NAME=URL`, or "" and the URL."""
    name, given, url = value.partition("=")
    return (name, url) if given and "/" not in name else ("", value)


def unlike_names(names: Sequence[str]) -> None:
    """Raises BadParameter when two backends have one name."""
    if len(set(names)) < len(names):
        raise click.BadParameter(f"each backend needs a name of its own: {', '.join(names)}")


def backend_at(value: str) -> Backend:
    """The backend at `URL` or `NAME=URL`. Without a name it is called HOST:PORT. Raises BadParameter."""
    name, url = name_and_url(value)
    try:
        host, port = server_address(url)
    except ValueError as error:
        raise click.BadParameter(f"{error}, or NAME= before it") from None
    return Backend(name or f"{host}:{port}", host, port)


def _urls(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Backend]:
    backends = [backend_at(value) for value in values]
    unlike_names([backend.name for backend in backends])
    return backends


def _probe(backend: Backend) -> None:
    if why := why_unreachable(backend.host, backend.port):
        raise NotComparable(f"{backend.name} (http://{backend.host}:{backend.port}): {why}")


_OPTIONS = (
    click.option(
        "--header-ignore",
        "ignored",
        metavar="NAME",
        multiple=True,
        help="With --level bytes: do not compare this field, which a proxy may set. Repeatable.",
    ),
    click.option(
        "--known",
        "known_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        default=KNOWN_DIFFERENCES,
        help="The known differences; by default those of the project, and for other URLs none.",
    ),
    click.option("--json", "json_path", metavar="FILE", help="Write the results as JSON; - is stdout."),
    click.option(
        "--junit", "junit_path", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML."
    ),
    click.option("--github", is_flag=True, help="Also print differences as GitHub annotations."),
)
