"""python clients/compare.py [URL ...]: every backend gets the same bytes, and must answer them alike."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.compare").main()

import click
from click.core import ParameterSource
from rich.console import Console

from .cli.server_url import server_address
from .comparison.cases import Case, CaseError
from .comparison.known_differences import KNOWN_DIFFERENCES, Known, KnownDifferencesError, load_known
from .comparison.projection import View
from .comparison.report_files import github_annotations, json_report, write_junit
from .comparison.report_table import progress, show_cases, show_report
from .comparison.runner import CLIENTS, Backend, load_all_cases, run_cases
from .comparison.verdicts import Result, Verdict
from .fuzzing.command import DEFAULT_BACKENDS, ENVIRONMENT, FuzzOptions, fuzz_json, run_fuzz
from .fuzzing.run import NotStored
from .http1.exchange import exchange
from .http1.version import project_version
from .launch import BACKENDS, LaunchError, installed_backends, running

# 2, wrong usage, is click's own.
DIFFERENT, NO_ANSWER, INTERRUPTED = 1, 3, 130
_PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
_PROBE_SECONDS = 5.0
_A_DAY = 24 * 3600.0
_EPILOG = """
Exit status: 0 all equal or known, 1 a difference, 2 wrong usage, 3 a backend did not start or did not answer.
"""


class Unreachable(Exception):
    """A backend given by its URL does not answer."""


def _names(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    """A comma-separated list without repetitions, of the names that the option knows."""
    names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    choices = CLIENTS if parameter.name == "clients" else tuple(BACKENDS)
    unknown = [name for name in names if name not in choices]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(choices)}")
    return names


def _urls(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Backend]:
    backends = [_backend(value) for value in values]
    names = [backend.name for backend in backends]
    if len(set(names)) < len(names):
        raise click.BadParameter(f"each backend needs a name of its own: {', '.join(names)}")
    return backends


def _backend(value: str) -> Backend:
    """`URL` or `NAME=URL`. Without a name it is called HOST:PORT."""
    name, given, url = value.partition("=")
    if not given or "/" in name:
        name, url = "", value
    try:
        host, port = server_address(url)
    except ValueError as error:
        raise click.BadParameter(f"{error}, or NAME= before it") from None
    return Backend(name or f"{host}:{port}", host, port)


def _seconds(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not value <= _A_DAY:  # of NaN, too
        raise click.BadParameter(f"{value} is not at most {_A_DAY:.0f}")
    return value


@click.command(epilog=_EPILOG)
@click.argument("urls", metavar="[[NAME=]URL]...", nargs=-1, callback=_urls)
@click.option(
    "--backends",
    default=lambda: ",".join(installed_backends()),
    show_default="socket,flask,gunicorn, and fastapi if its extra is installed",
    callback=_names,
    help="Backends to start when no URL is given.",
)
@click.option("--cases", "pattern", default="*", metavar="GLOB", help="Only the cases with such a name.")
@click.option(
    "--clients", default=",".join(CLIENTS), show_default=True, callback=_names, help="Who sends the requests."
)
@click.option(
    "--compare",
    "what",
    type=click.Choice(["bytes", "parsed"]),
    default="bytes",
    show_default=True,
    help="Every byte; or, with foreign servers, what they parsed.",
)
@click.option(
    "--header-ignore",
    "ignored",
    metavar="NAME",
    multiple=True,
    help="Leave this field out, as a proxy may set it. Repeatable.",
)
@click.option("--json", "json_path", metavar="FILE", help="Write the results as JSON; - is stdout.")
@click.option(
    "--junit", "junit_path", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML."
)
@click.option("--github", is_flag=True, help="Print differences as GitHub annotations too.")
@click.option(
    "--known",
    "known_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=KNOWN_DIFFERENCES,
    help="The known differences; by default those beside this program.",
)
@click.option("--list", "list_only", is_flag=True, help="List the cases and send nothing.")
@click.option("--seed", default=0, show_default=True, help="Of the random cuts, and of generated requests.")
@click.option(
    "--fuzz",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    callback=_seconds,
    help="Send generated requests for so long instead of the cases; by default to socket and gunicorn.",
)
@click.option(
    "--requests", "count", metavar="COUNT", type=click.IntRange(min=1), help="With --fuzz: at most so many."
)
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default="differences",
    show_default=True,
    help="With --fuzz: where minimal requests that are answered differently are saved.",
)
@click.version_option(project_version(), prog_name="wireproof compare")
def main(urls: list[Backend], pattern: str, clients: list[str], **options: Any) -> None:
    """Send the recorded requests and the blog post's calls to every backend, and compare the answers.

    Without a URL the backends are started on free ports and stopped afterwards. The NAME of a URL says what
    is to be expected of it: `socket` and `fastapi` get every case (T1 to T3), `gunicorn` T1 and T2,
    `flask` T1; the known differences of that name hold. A URL without a NAME gets T1 and T2, and no
    difference is excused.

    With --fuzz the requests are generated from a grammar of the rules and from the recorded ones, mutated or
    not. What is answered differently is shrunk to a minimal request, saved and reported.
    """
    try:
        cases = load_all_cases()
        known = load_known(options["known_path"], cases)
    except (CaseError, KnownDifferencesError) as error:
        raise click.UsageError(str(error)) from None
    chosen = {(case.client, case.name) for case in load_all_cases(clients, pattern)}
    view = View(options["what"] == "parsed", frozenset(name.lower() for name in options["ignored"]))
    cases = [case for case in cases if (case.client, case.name) in chosen and view.wants(case)]
    if not cases:
        raise click.UsageError(f"no case matches {pattern!r}, of these clients and for this comparison")
    _check_that_options_go_together(fuzzes=options["seconds"] is not None, lists=options["list_only"])
    if options["list_only"]:
        show_cases(Console(), cases)
        return
    console = Console(stderr=options["json_path"] == "-")
    if options["seconds"] is not None:
        sys.exit(_fuzz(console, urls, known, view, options))
    with _exits(), _reachable(urls, options["backends"]) as backends:
        results = _run(cases, backends, known, options["seed"], view)
    show_report(console, results, cases=len(cases), seed=options["seed"])
    names = [backend.name for backend in backends]
    _write(cases, results, json_report(results, backends=names, clients=clients, cases=len(cases)), options)
    sys.exit(exit_status(results))


def exit_status(results: Sequence[Result]) -> int:
    """3 when an answer is missing (the comparison is not complete), else 1 for a difference, else 0."""
    verdicts = {result.verdict for result in results}
    if Verdict.NO_ANSWER in verdicts:
        return NO_ANSWER
    return DIFFERENT if Verdict.DIFFERENT in verdicts else 0


@contextmanager
def _exits() -> Iterator[None]:
    """Ends the program with friendly words where no comparison is possible."""
    try:
        yield
    except (LaunchError, Unreachable, NotStored) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NO_ANSWER)
    except KeyboardInterrupt:  # Ctrl-C: the backends are stopped by now
        click.echo("Interrupted: nothing is compared.", err=True)
        sys.exit(INTERRUPTED)


def _fuzz(
    console: Console, urls: Sequence[Backend], known: Known, view: View, options: dict[str, Any]
) -> int:
    """A fuzz run and its reports; the exit status."""
    names = options["backends"] if _is_given("backends") else DEFAULT_BACKENDS
    asked = FuzzOptions(options["seconds"], options["count"], options["seed"], options["save"], view)
    with _exits(), _reachable(urls, names, ENVIRONMENT) as backends:
        try:
            report, results = run_fuzz(console, backends, known, asked)
        except OSError as error:
            raise click.UsageError(f"a minimal request cannot be saved: {error}") from None
    _write([], results, fuzz_json(report, results), options)
    return exit_status(results)


def _check_that_options_go_together(*, fuzzes: bool, lists: bool) -> None:
    """Raise UsageError for an option that would have no effect."""
    if fuzzes:
        why, others = "--fuzz makes requests of its own", {"pattern": "--cases", "clients": "--clients"}
    else:
        why, others = "only --fuzz makes requests", {"count": "--requests", "save": "--save"}
    if lists:
        why = "--list sends nothing"
        others = {"seconds": "--fuzz", "json_path": "--json", "junit_path": "--junit", "github": "--github"}
    for parameter, option in others.items():
        if _is_given(parameter):
            raise click.UsageError(
                f"{why}: it does not go with {option}" if fuzzes or lists else f"{option}: {why}"
            )


def _is_given(parameter: str) -> bool:
    return click.get_current_context().get_parameter_source(parameter) is not ParameterSource.DEFAULT


@contextmanager
def _reachable(
    urls: Sequence[Backend], names: Sequence[str], env: Mapping[str, str] | None = None
) -> Iterator[list[Backend]]:
    """The backends at the URLs, or else the named ones, started (with `env`) and stopped here."""
    if urls:
        for backend in urls:
            answered = exchange(backend.host, backend.port, [_PROBE], seconds=_PROBE_SECONDS)
            if not answered.responses:
                why = answered.no_response or "it closes without an answer"
                raise Unreachable(f"{backend.name} (http://{backend.host}:{backend.port}): {why}")
        yield list(urls)
    else:
        with running(names, env=env) as started:
            yield [Backend(backend.name, backend.host, backend.port) for backend in started]


def _run(
    cases: Sequence[Case], backends: Sequence[Backend], known: Known, seed: int, view: View
) -> list[Result]:
    with progress(Console(stderr=True), len(cases)) as on_case:
        return run_cases(cases, backends, known=known, seed=seed, view=view, on_case=on_case)


def _write(cases: Sequence[Case], results: Sequence[Result], report: str, options: dict[str, Any]) -> None:
    """Write the reports that were asked for; a file that cannot be written is wrong usage."""
    try:
        if options["json_path"] == "-":
            click.echo(report, nl=False)
        elif options["json_path"]:
            Path(options["json_path"]).write_text(report, "utf-8")
        if options["junit_path"]:
            write_junit(options["junit_path"], results)
    except OSError as error:
        raise click.UsageError(f"the report cannot be written: {error}") from None
    if options["github"]:
        for line in github_annotations(results, cases):
            click.echo(line, err=options["json_path"] == "-")


if __name__ == "__main__":
    main()
