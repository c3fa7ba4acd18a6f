"""The report for people: a table with a row for each backend, the differences, and a bottom line.

It fits into 80 columns. rich honours NO_COLOR.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .rendering import one_line
from .verdicts import Result, Verdict

_SHOWN_DIFFERENCES = 10
_STYLES = {
    Verdict.EQUAL: "green",
    Verdict.KNOWN: "yellow",
    Verdict.DIFFERENT: "bold red",
    Verdict.BOTH_REFUSED: "green",
    Verdict.NO_RESPONSE: "bold magenta",
    Verdict.NOT_SENT: "dim",
}
Again = Callable[[str], str]
"""Makes of the name of a case the command line that repeats it."""


def counts(results: Sequence[Result]) -> dict[Verdict, int]:
    """How many results have each verdict. All six verdicts are present."""
    counted = Counter(result.verdict for result in results)
    return {verdict: counted[verdict] for verdict in Verdict}


def show_report(
    console: Console, results: Sequence[Result], *, cases: int, again: Again, every: bool = False
) -> None:
    """Print the table, the differences with their evidence, and the bottom line.

    Of many differences the first are shown with their evidence, and the others by name, unless `every` one
    is wanted. `again` makes the command line that repeats one case.
    """
    console.print(_table(results))
    for result in results:
        if result.client == "stream" and result.detail and not result.failed:  # the times of its events
            console.print(Text(f"{result.case} ({result.backend}): {result.detail}", "dim"), soft_wrap=True)
    failed = [result for result in results if result.failed]
    shown = len(failed) if every else _SHOWN_DIFFERENCES
    for result in failed[:shown]:
        show_difference(console, result)
    _show_names(console, failed[shown:])
    console.print()
    console.print(_bottom_line(results, cases))
    if failed:
        console.print(Text(f"Again: {again(failed[0].case)}", "dim"), soft_wrap=True)


def show_gone(console: Console, gone: Mapping[str, str]) -> None:
    """Say which backends could not be reached any more, so that the rest was not sent."""
    for backend, why in gone.items():
        text = f"Stopped: {backend} can no longer be reached ({one_line(why)}). The rest was not sent."
        console.print(Text(text, "bold red"), soft_wrap=True)


def _show_names(console: Console, results: Sequence[Result]) -> None:
    """Print the names of the cases that differ, and how to see more of them."""
    if not results:
        return
    console.print(f"\n{len(results)} more, by name (--all shows every difference):", style="bold")
    for backend in dict.fromkeys(result.backend for result in results):
        names = dict.fromkeys(result.case for result in results if result.backend == backend)
        console.print(Text(f"{backend}:"))
        # rich would break a long name at a hyphen; a name must stay whole to be copied.
        for line in wrap(
            " ".join(names), max(console.width - 2, 20), break_long_words=False, break_on_hyphens=False
        ):
            console.print(Text(f"  {line}"), soft_wrap=True)


def _table(results: Sequence[Result]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # rich must not shorten names: two servers on one host would look alike.
    widest = max((len(result.backend) for result in results), default=0)
    table.add_column("backend", style="bold", no_wrap=True, min_width=widest)
    columns = {"sent": None, **{verdict.value.replace("_", " "): verdict for verdict in Verdict}}
    for name in columns:
        table.add_column(name, justify="right")
    for backend in dict.fromkeys(result.backend for result in results):
        of_backend = counts([result for result in results if result.backend == backend])
        sent = sum(of_backend.values()) - of_backend[Verdict.NOT_SENT]
        styles = {verdict: _STYLES[verdict] if number else "dim" for verdict, number in of_backend.items()}
        cells = [Text(str(number), styles[verdict]) for verdict, number in of_backend.items()]
        table.add_row(Text(backend), str(sent), *cells)
    return table


def show_difference(console: Console, result: Result) -> None:
    """Print one difference with its evidence."""
    console.print()
    heading = f"{result.case} ({result.backend}, {result.client}): {result.verdict.replace('_', ' ')}"
    console.print(Text(heading, _STYLES[result.verdict]))
    # rich must not wrap lines: a value on two lines cannot be searched for or copied.
    console.print(Text(f"  {result.detail}"), soft_wrap=True)
    console.print(Text(result.evidence, "dim"), soft_wrap=True)


def _bottom_line(results: Sequence[Result], cases: int) -> Text:
    number = counts(results)
    backends = list(dict.fromkeys(result.backend for result in results))
    of_cases = f"{cases} case" if cases == 1 else f"{cases} cases"
    who = " and ".join(filter(None, (", ".join(backends[:-1]), "".join(backends[-1:]))))
    known = f", {number[Verdict.KNOWN]} known" if number[Verdict.KNOWN] else ""
    if number[Verdict.DIFFERENT] or number[Verdict.NO_RESPONSE]:
        missing = f", {number[Verdict.NO_RESPONSE]} without a response" if number[Verdict.NO_RESPONSE] else ""
        return Text(f"{of_cases}: {number[Verdict.DIFFERENT]} different{missing}{known}.", "bold red")
    verb = "agree" if len(backends) > 1 else "is as expected"
    return Text(f"{of_cases}: {who} {verb}{known}.", "bold green")
