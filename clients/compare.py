"""python clients/compare.py [URL ...]: sends the same bytes to every backend, and compares the responses."""

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.compare").main()

import click
from rich.console import Console

from .cli.progress import progress_bar
from .cli.version_option import version_option
from .comparison.cases import CaseError
from .comparison.options import (
    backend_options,
    chosen_projection,
    command_line,
    comparison_options,
    exit_status,
    known_differences_in,
    names_among,
    reachable,
    write_reports,
)
from .comparison.reachability import Reachability
from .comparison.report_files import json_report
from .comparison.report_table import show_gone, show_report
from .comparison.runner import CLIENTS, Backend, load_all_cases, run_cases

_EPILOG = """
Exit status: 0 all responses are equal, or different as known; 1 a difference, which a missing response is
too, or a report that cannot be written; 2 wrong usage; 3 a backend did not start, or could not be reached;
130 Ctrl-C.
"""


@click.command(epilog=_EPILOG)
@backend_options()
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
@click.option("--all", "every", is_flag=True, help="Show every difference in full, not only the first ten.")
@version_option("wireproof compare")
def main(
    urls: list[Backend],
    backends: list[str],
    pattern: str,
    clients: list[str],
    seed: int,
    fail_fast: bool,
    **options: Any,
) -> None:
    """Send the recorded requests and the blog post's calls to every backend, and compare the responses.

    Without a URL the backends are started on free ports and stopped afterwards. The NAME of a URL decides
    what is sent: `socket` and `fastapi` get every case (T1 to T3), `gunicorn` T1 and T2, `flask` T1, each
    with the known differences of that name. A URL without a NAME gets T1 and T2, and has no known
    differences.
    """
    try:
        all_cases = load_all_cases()
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    known_differences = known_differences_in(options["known_path"], all_cases)
    projection = chosen_projection(options)
    chosen = {(case.client, case.name) for case in load_all_cases(clients, pattern)}
    cases = [case for case in all_cases if (case.client, case.name) in chosen and projection.includes(case)]
    if not cases:
        raise click.UsageError(f"no case matches {pattern!r}, of these clients and for this comparison")
    reachability = Reachability()
    with (
        reachable(urls, backends) as compared,
        progress_bar(len(cases), "starting", "cases") as advance,
    ):
        results = run_cases(
            cases,
            compared,
            known_differences=known_differences,
            seed=seed,
            projection=projection,
            fail_fast=fail_fast,
            on_case=lambda case: advance(1, case.name),
            reachability=reachability,
        )
    console = Console(stderr=options["json_path"] == "-")
    again = partial(command_line, click.get_current_context(), seed)
    ran = len(results) // len(compared)  # not every case was sent if a backend is gone, or with --fail-fast
    show_report(console, results, cases=ran, again=again, every=options["every"])
    show_gone(console, reachability.gone)
    names = [backend.name for backend in compared]
    gone = reachability.gone
    report = json_report(results, backends=names, clients=clients, cases=ran, unreachable=gone)
    write_reports(options, results, report, cases)
    sys.exit(exit_status(results, gone))


if __name__ == "__main__":
    main()
