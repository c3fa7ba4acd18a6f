"""python clients/fuzz.py [URL ...]: sends generated requests to every backend, and compares the responses."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.fuzz").main()

import click
from rich.console import Console
from rich.text import Text

from .cli.progress import progress_bar
from .cli.time_limit import Seconds
from .cli.version_option import version_option
from .comparison.cases import CaseError
from .comparison.options import (
    DIFFERENT,
    UNREACHABLE,
    NotComparable,
    backend_options,
    comparison_options,
    exit_status,
    ignored_fields,
    known_differences_in,
    not_written,
    reachable,
    write_reports,
)
from .comparison.projection import Projection
from .comparison.report_table import show_difference, show_gone
from .comparison.runner import Backend, load_all_cases
from .comparison.verdicts import Result
from .fuzzing.evaluation import Outcome
from .fuzzing.report import FuzzReport
from .fuzzing.report_text import show_fuzz_report
from .fuzzing.run import NotStored, fuzz, result_of, save, shrunk

# These two get all requests of T1 and T2, which is what the generator makes.
_DEFAULT_BACKENDS = "socket,gunicorn"
# An fsync for each stored file would take most of the time.
_ENVIRONMENT = {"WIREPROOF_DURABILITY": "fast"}
# When there are more kinds of difference, the requests of the others are saved as they are.
_MOST_SHRUNK = 20
_PROGRESS_EVERY = 100
_EPILOG = """
Exit status: 0 all responses are equal; 1 a difference, which a missing response is too, or a file that cannot
be written; 2 wrong usage; 3 a backend did not start, or could not be reached; 130 Ctrl-C.
"""


@click.command(epilog=_EPILOG)
@backend_options(_DEFAULT_BACKENDS)
@click.option(
    "--seconds",
    metavar="SECONDS",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="Send requests for so long.",
)
@click.option(
    "--requests", "count", metavar="COUNT", type=click.IntRange(min=1), help="Send at most so many."
)
@click.option("--seed", default=0, show_default=True, help="The same seed sends the same requests.")
@click.option(
    "--save",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default="differences",
    show_default=True,
    help="Where minimal requests with different responses are saved.",
)
@click.option(
    "--compare",
    "what",
    type=click.Choice(["bytes", "parsed"]),
    default="bytes",
    show_default=True,
    help="Compare every byte; or only what the servers parsed, for other servers.",
)
@comparison_options
@click.option("--verbose", is_flag=True, help="Also print how many requests reached each rule.")
@version_option("wireproof fuzz")
def main(
    urls: list[Backend],
    backends: list[str],
    seconds: float,
    count: int | None,
    seed: int,
    folder: Path,
    what: str,
    verbose: bool,
    **options: Any,
) -> None:
    """Send generated requests to every backend, and compare the responses.

    The requests are generated from a grammar of the rules and from the recorded requests; some are mutated. A
    request with different responses is shrunk to a minimal one, saved and reported. A URL and its NAME mean
    the same as for compare.
    """
    try:
        known_differences = known_differences_in(options["known_path"], load_all_cases())
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    projection = Projection(what == "parsed", ignored_fields(options))
    console = Console(stderr=options["json_path"] == "-")
    with reachable(urls, backends, _ENVIRONMENT) as compared:
        try:
            with _progress(seconds, count) as on_request:
                report = fuzz(
                    compared,
                    seed=seed,
                    known_differences=known_differences,
                    projection=projection,
                    seconds=seconds,
                    count=count,
                    on_request=on_request,
                )
        except NotStored as error:
            raise NotComparable(str(error), DIFFERENT if error.responded else UNREACHABLE) from None
        results = _show_differences(console, report, compared, projection, folder)
    if results:
        console.print()
    show_fuzz_report(console, report, verbose=verbose)
    show_gone(console, report.gone)
    write_reports(options, results, report.as_json(results))
    sys.exit(exit_status(results, report.gone))


def _show_differences(
    console: Console, report: FuzzReport, backends: list[Backend], projection: Projection, folder: Path
) -> list[Result]:
    """Shrink, save and print one request of each kind. Ends the program when it cannot be saved."""
    results = []
    kinds = sorted(report.different.items(), key=lambda entry: entry[1].request.index)
    for number, (kind, example) in enumerate(kinds):
        small = example
        if number < _MOST_SHRUNK and not report.gone:
            console.print(Text(f"Shrinking: {kind}", "dim"), soft_wrap=True)
            small = shrunk(example, backends, projection)
        try:
            path = save(folder, small, example, report.seed)
        except OSError as error:
            not_written("minimal request", error)
        result = result_of(small, report.seed)
        show_difference(console, result)
        times, size = report.kinds[kind], len(example.request.data)
        console.print(Text(f"  {times} times; saved as {path} (it had {size} bytes)", "dim"), soft_wrap=True)
        results.append(result)
    return results


@contextmanager
def _progress(seconds: float, count: int | None) -> Iterator[Callable[[FuzzReport], object]]:
    """A progress bar; yields the function to call with the report after each request."""
    done = 0.0
    with progress_bar(seconds, "starting", "seconds") as advance:

        def on_request(report: FuzzReport) -> None:
            nonlocal done
            if report.requests % _PROGRESS_EVERY == 0:
                before, by_count = done, seconds * report.requests / count if count else 0
                done = max(report.seconds, by_count)
                different = report.outcomes[Outcome.DIFFERENT]
                advance(done - before, f"{report.requests} requests, {different} different")

        yield on_request


if __name__ == "__main__":
    main()
