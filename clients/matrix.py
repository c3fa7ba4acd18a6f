"""python clients/matrix.py: how the parsers of others read the same uploads."""

import sys
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.matrix").main()

import click
from rich.console import Console

from .cli.progress import progress_bar
from .cli.version_option import version_option
from .comparison.cases import Case, CaseError, load_cases
from .comparison.options import NOT_WRITTEN, UNREACHABLE
from .guests.evidence import measured_evidence
from .guests.files import matrix_json, matrix_markdown
from .guests.inputs import chosen_inputs, plain_inputs
from .guests.matrix import OURS, measure
from .guests.page import matrix_page
from .guests.table import Guest, load_guests
from .guests.terminal import show_input, show_matrix, show_pair
from .launch import LaunchError

_FOLDER = Path.home() / ".cache" / "wireproof" / "guests"
_EPILOG = """
Exit status: 0 the guests were asked; 1 a report cannot be written; 2 wrong usage; 3 our own servers did not
start. A guest that is absent is named and left out.
"""


def _chosen(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> list[Guest]:
    """The guests of these names, or all."""
    return _guests(names) or list(load_guests().values())


def _guests(names: Sequence[str]) -> list[Guest]:
    """The guests of these names. Raises BadParameter for another name."""
    guests = load_guests()
    unknown = [name for name in names if name not in guests]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)} is not among {', '.join(guests)}")
    return [guests[name] for name in names]


@click.command(epilog=_EPILOG)
@click.option(
    "--guest",
    "guests",
    metavar="NAME",
    multiple=True,
    callback=_chosen,
    help="Ask only this guest. Repeatable.",
)
@click.option(
    "--cases", "pattern", metavar="GLOB", help="Ask these cases instead of one or two for each rule."
)
@click.option("--input", "shown", metavar="NAME", help="Show one input: its bytes, and who reads it how.")
@click.option(
    "--pair",
    nargs=2,
    metavar="FRONT BEHIND",
    help="Show what passes one guest, such as a firewall, and is read otherwise by one behind it.",
)
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=_FOLDER,
    show_default="~/.cache/wireproof/guests",
    help="Where the guests are installed.",
)
@click.option(
    "--json", "json_path", metavar="FILE", type=click.Path(path_type=Path), help="Write everything as JSON."
)
@click.option(
    "--markdown",
    "markdown_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write tables in Markdown.",
)
@click.option(
    "--html", "html_path", metavar="FILE", type=click.Path(path_type=Path), help="Write one HTML page."
)
@click.option(
    "--evidence",
    "evidence_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write one line for each rule, which compare shows beside its findings.",
)
@version_option("wireproof matrix")
def main(
    guests: list[Guest],
    pattern: str | None,
    shown: str | None,
    pair: tuple[str, str] | None,
    folder: Path,
    json_path: Path | None,
    markdown_path: Path | None,
    html_path: Path | None,
    evidence_path: Path | None,
) -> None:
    """Ask frameworks and parsers of others, the guests, how they read odd uploads, and group them.

    Each guest has its defaults, in an environment of its own that is made once. The inputs are recorded
    requests, by default the smallest ones of each rule about multipart, urlencoded and JSON bodies.
    """
    if pair:
        guests = _guests([name for name in pair if name not in OURS])
    try:
        cases = load_cases()
        inputs = _inputs(cases, pattern, shown)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    try:
        with progress_bar(len(guests) + len(OURS), "starting", "guests") as advance:
            matrix = measure(
                guests, inputs, plain_inputs(cases), folder, on_guest=lambda title: advance(1, title)
            )
    except LaunchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREACHABLE)
    console = Console()
    columns = {column.name: column for column in matrix.columns}
    if shown:
        show_input(console, matrix, inputs[0])
    elif pair and columns.keys() >= set(pair):
        show_pair(console, matrix, *(columns[name] for name in pair))
    else:
        show_matrix(console, matrix)
    try:
        if json_path:
            json_path.write_text(matrix_json(matrix, date.today()), "utf-8")
        if html_path:
            html_path.write_text(matrix_page(matrix, date.today()), "utf-8")
        if markdown_path:
            markdown_path.write_text(matrix_markdown(matrix, date.today()), "utf-8")
        if evidence_path:
            evidence_path.write_text(measured_evidence(matrix, date.today()), "utf-8")
    except OSError as error:
        click.echo(f"Error: the report cannot be written: {error}", err=True)
        sys.exit(NOT_WRITTEN)


def _inputs(cases: list[Case], pattern: str | None, shown: str | None) -> list[Case]:
    """The cases to ask. Raises UsageError when there are none."""
    if pattern is None and shown is None:
        return chosen_inputs(cases)
    found = load_cases(pattern=shown or pattern or "*")
    if not found:
        raise click.UsageError(f"no case matches {(shown or pattern)!r}")
    return found


if __name__ == "__main__":
    main()
