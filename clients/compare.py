"""python clients/compare.py [URL ...]: sends recorded requests, and says who reads them in another way."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.compare").main()

import click
from rich.console import Console

from .assessment.command import assess_endpoints
from .assessment.endpoint import Endpoint
from .assessment.options import endpoint_options, endpoints, filtered, refuse_options_without_effect
from .assessment.probing import Level, follows_our_contract
from .cli.progress import progress_bar
from .cli.version_option import version_option
from .comparison.cases import Case, CaseError
from .comparison.options import (
    INTERRUPTED,
    NotComparable,
    backend_at,
    backend_options,
    command_line,
    comparison_options,
    exit_status,
    ignored_fields,
    known_differences_in,
    name_and_url,
    names_among,
    not_written,
    reachable,
    write_reports,
)
from .comparison.projection import Projection
from .comparison.reachability import Reachability
from .comparison.report_files import json_report
from .comparison.report_table import show_gone, show_report
from .comparison.runner import CLIENTS, Backend, load_all_cases, run_cases
from .comparison.verdicts import Result
from .html_pages.comparison import comparison_page, shown_requests
from .html_pages.views import views_of
from .http1.errors import UsageError
from .http1.request_url import server_address
from .launch import BACKENDS

_EPILOG = """
Exit status: 0 all responses are equal, or different as known; 1 a difference, which a missing response is
too, or a report that cannot be written; 2 wrong usage; 3 a server did not start, could not be reached, or
takes no case; 130 Ctrl-C.
"""


@click.command(epilog=_EPILOG)
@backend_options(any_url=True)
@endpoint_options
@click.option("--cases", "pattern", default="*", metavar="GLOB", help="Only cases with such a name.")
@click.option(
    "--clients",
    metavar="NAMES",
    default=",".join(CLIENTS),
    show_default=True,
    callback=names_among(CLIENTS),
    help="The clients that send the requests.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the random splits.")
@comparison_options
@click.option("--fail-fast", is_flag=True, help="Stop after the first case that fails.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Show every difference in full, not only the first ten; with --html, right answers too.",
)
@version_option("wireproof compare")
def main(urls: tuple[str, ...], level: str | None, **options: Any) -> None:
    """Send the recorded requests to servers, and say who reads them in another way.

    Without a URL our own backends are started and compared byte by byte. `socket` and `fastapi` get every
    case (T1 to T3), `gunicorn` T1 and T2, `flask` T1, each with the known differences of its name. Servers
    that run already are compared in the same way by these names (`gunicorn=http://127.0.0.1:8000`).

    The URL of any other upload endpoint (`https://host/upload`) is judged by what its answers tell: what is
    lost, what crashes, and what other parsers read differently.
    """
    found = endpoints(urls, options)
    chosen = Level(level) if level else _level_for(urls, found)
    refuse_options_without_effect(click.get_current_context(), chosen or Level.PARSED, len(urls))
    if chosen is Level.BYTES:
        _compare(urls, options)
        return
    try:
        cases = filtered(load_all_cases(["raw"], options["pattern"]), options)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    try:
        if found:
            sys.exit(assess_endpoints(found, cases, chosen, options["seed"], options))
        with reachable([], options["backends"]) as started:
            own = endpoints([f"{one.name}=http://{one.host}:{one.port}/upload/" for one in started], options)
            status = assess_endpoints(own, cases, chosen, options["seed"], options)
        sys.exit(status)
    except NotComparable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        click.echo("Interrupted: nothing is judged.", err=True)
        sys.exit(INTERRUPTED)


def _level_for(urls: Sequence[str], found: Sequence[Endpoint]) -> Level | None:
    """Every byte, when all servers are ours by name or by contract; None when their answers decide."""
    ours = all(_is_ours(word, endpoint) for word, endpoint in zip(urls, found, strict=True))
    return Level.BYTES if ours else None


def _is_ours(word: str, endpoint: Endpoint) -> bool:
    name, url = name_and_url(word)
    try:
        server_address(url)
    except UsageError:
        return False  # it has a path, or is https
    return name in BACKENDS or follows_our_contract(endpoint)


def _compare(urls: Sequence[str], options: Mapping[str, Any]) -> None:
    """Compare backends byte by byte, report, and end the program."""
    try:
        all_cases = load_all_cases()
        asked = filtered(load_all_cases(options["clients"], options["pattern"]), options)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    known_differences = known_differences_in(options["known_path"], all_cases)
    chosen = {(case.client, case.name) for case in asked}
    cases = [case for case in all_cases if (case.client, case.name) in chosen]
    if not cases:
        raise click.UsageError(f"no case matches {options['pattern']!r}, of these clients, kinds and rules")
    given = [backend_at(url) for url in urls]
    reachability = Reachability()
    with (
        reachable(given, options["backends"]) as compared,
        progress_bar(len(cases), "starting", "cases") as advance,
    ):
        results = run_cases(
            cases,
            compared,
            known_differences=known_differences,
            seed=options["seed"],
            projection=Projection(ignored=ignored_fields(options)),
            fail_fast=options["fail_fast"],
            on_case=lambda case: advance(1, case.name),
            reachability=reachability,
        )
    _show(results, compared, given, cases, reachability.gone, options)
    sys.exit(exit_status(results, reachability.gone))


def _show(
    results: Sequence[Result],
    compared: Sequence[Backend],
    given: Sequence[Backend],
    cases: Sequence[Case],
    gone: Mapping[str, str],
    options: Mapping[str, Any],
) -> None:
    """Print the results, and write the reports."""
    console = Console(stderr=options["json_path"] == "-")
    again = partial(command_line, click.get_current_context(), options["seed"], given)
    ran = len(results) // len(compared)  # not every case was sent if a backend is gone, or with --fail-fast
    show_report(console, results, cases=ran, again=again, every=options["every"])
    show_gone(console, gone)
    names = [backend.name for backend in compared]
    report = json_report(results, backends=names, clients=options["clients"], cases=ran, unreachable=gone)
    write_reports(options, results, report, cases)
    if options["html_path"]:
        _write_page(options, results, cases, gone)


def _write_page(
    options: Mapping[str, Any], results: Sequence[Result], cases: Sequence[Case], gone: Mapping[str, str]
) -> None:
    """Write the HTML page. Ends the program when it cannot be written."""
    every, by_name = options["every"], {(case.client, case.name): case for case in cases}
    views = views_of(shown_requests(results, by_name, every=every))
    page = comparison_page(results, by_name, views, gone=gone, every=every)
    try:
        options["html_path"].parent.mkdir(parents=True, exist_ok=True)
        options["html_path"].write_text(page, "utf-8")
    except OSError as error:
        not_written("report", error)


if __name__ == "__main__":
    main()
