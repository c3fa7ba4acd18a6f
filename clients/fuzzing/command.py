"""compare --fuzz: a run, its report on the terminal and for machines, and the minimal requests in files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..comparison.known_differences import Known
from ..comparison.projection import View
from ..comparison.rendering import show_request
from ..comparison.report_table import show_difference
from ..comparison.runner import WHOLE_VIEW, Backend
from ..comparison.verdicts import Result, Verdict
from .generator import INEXPRESSIBLE
from .judgement import Outcome
from .report import WANTED_ACCEPTED, WANTED_MULTIPART, Example, FuzzReport
from .run import MOST_SHRUNK, fuzz, result_of, save, shrunk

DEFAULT_BACKENDS = ("socket", "gunicorn")
"""Fuzzed when nothing is said: they get all of T1 and T2."""

ENVIRONMENT = {"WIREPROOF_DURABILITY": "fast"}
"""Of the backends that are started: an fsync a stored file would be most of the time."""

SCHEMA = 1
_PROGRESS_EVERY = 100
_RULES_A_LINE = 8


@dataclass(frozen=True, slots=True)
class FuzzOptions:
    """How long, how much, what is looked at, and where to: `save` is the folder for minimal requests."""

    seconds: float
    count: int | None
    seed: int
    save: Path
    view: View = WHOLE_VIEW


def run_fuzz(
    console: Console, backends: Sequence[Backend], known: Known, options: FuzzOptions
) -> tuple[FuzzReport, list[Result]]:
    """Fuzz, shrink and save; the report, and one result for each kind of difference.

    Raises NotStored, and OSError when a minimal request cannot be saved.
    """
    with _progress(Console(stderr=True), options) as on_request:
        report = fuzz(
            backends,
            seed=options.seed,
            known=known,
            view=options.view,
            seconds=options.seconds,
            count=options.count,
            on_request=on_request,
        )
    results = []
    for number, (kind, example) in enumerate(sorted(report.different.items(), key=_index)):
        console.print(Text(f"Shrinking: {kind}", "dim"), soft_wrap=True)
        small = shrunk(example, backends, options.view) if number < MOST_SHRUNK else example
        path = save(options.save, small, example, options.seed)
        result = result_of(small, options.seed)
        show_difference(console, result)
        times, was = report.kinds[kind], len(example.request.data)
        console.print(Text(f"  {times} times; saved as {path} (it was {was} bytes)", "dim"), soft_wrap=True)
        results.append(result)
    show_fuzz_report(console, report)
    return report, results


def fuzz_json(report: FuzzReport, results: Sequence[Result]) -> str:
    """The report as JSON. The numbers beside `fuzz` are of requests. Ends with LF."""
    document = {
        "schema": SCHEMA,
        "backends": list(report.backends),
        "clients": ["raw"],
        "cases": report.requests,
        Verdict.EQUAL.value: report.outcomes[Outcome.ACCEPTED] + report.outcomes[Outcome.REFUSED],
        Verdict.KNOWN.value: 0,
        Verdict.DIFFERENT.value: report.outcomes[Outcome.DIFFERENT],
        Verdict.BOTH_REFUSED.value: report.outcomes[Outcome.REFUSED_DIFFERENTLY],
        Verdict.NO_ANSWER.value: report.unanswered.total(),
        Verdict.NOT_SENT.value: report.requests * len(report.backends) - report.sent.total(),
        "results": [
            {
                "case": result.case,
                "backend": result.backend,
                "client": result.client,
                "verdict": result.verdict.value,
                "status": result.status,
                "detail": result.detail,
            }
            for result in results
        ],
        "fuzz": report.as_json(),
    }
    return json.dumps(document, indent=1) + "\n"


def show_fuzz_report(console: Console, report: FuzzReport) -> None:
    """Print the figures, the histogram of rules, what was refused with two codes, and the bottom line."""
    console.print()
    for outcome in Outcome:
        number = report.outcomes[outcome]
        console.print(Text(f"{number:>8} {outcome} ({report.share(number):.1%})"))
    console.print(Text(f"{report.multipart:>8} multipart ({report.share(report.multipart):.1%})"))
    console.print(Text(f"         sent to {', '.join(f'{name} {n}' for name, n in report.sent.items())}"))
    console.print("\nHits of each rule (accepted with it, or refused for it alone):", style="bold")
    hits = [f"{rule} {number}" for rule, number in report.histogram().items()]
    for start in range(0, len(hits), _RULES_A_LINE):
        console.print(Text(" ".join(f"{hit:<9}" for hit in hits[start : start + _RULES_A_LINE])))
    for rule, reason in INEXPRESSIBLE.items():
        console.print(Text(f"{rule} not expressed: {reason}", "dim"), soft_wrap=True)
    _show_shortfalls(console, report)
    _show_two_codes(console, report)
    _show_bottom_line(console, report)


def _show_shortfalls(console: Console, report: FuzzReport) -> None:
    shortfalls = [f"too few hits of {', '.join(report.missed_rules())}"] if report.missed_rules() else []
    if report.share(report.accepted) < WANTED_ACCEPTED:
        shortfalls.append(f"fewer than {WANTED_ACCEPTED:.0%} accepted")
    if report.share(report.multipart) < WANTED_MULTIPART:
        shortfalls.append(f"fewer than {WANTED_MULTIPART:.0%} multipart")
    shortfalls += [f"{what}: {number} requests of the grammar" for what, number in report.unexpected.items()]
    for shortfall in shortfalls:
        console.print(Text(f"Generator: {shortfall}", "yellow"), soft_wrap=True)


def _show_two_codes(console: Console, report: FuzzReport) -> None:
    if report.codes:
        console.print("\nRefused with two codes (two faults in one body have no order):", style="bold")
    for kind, number in report.codes.most_common():
        example = report.refused[kind][0]
        console.print(Text(f"{number:>8} {kind}, the first is request {example.request.index}"))
        console.print(Text(show_request(example.request.data), "dim"), soft_wrap=True)


def _show_bottom_line(console: Console, report: FuzzReport) -> None:
    different, kinds = report.outcomes[Outcome.DIFFERENT], len(report.different)
    rate = report.requests / report.seconds if report.seconds else 0
    done = f"{report.requests} requests in {report.seconds:.0f} s ({rate:.0f} a second), seed {report.seed}"
    console.print()
    if different:
        console.print(Text(f"{done}: {different} different, of {kinds} kinds.", "bold red"))
    else:
        console.print(Text(f"{done}: {', '.join(report.backends)} agree.", "bold green"))


def _index(entry: tuple[str, Example]) -> int:
    return entry[1].request.index


@contextmanager
def _progress(console: Console, options: FuzzOptions) -> Iterator[Callable[[FuzzReport], object]]:
    """A progress bar on a terminal, nothing elsewhere."""
    bar = Progress(
        TextColumn("{task.fields[requests]} requests, {task.fields[different]} different"),
        BarColumn(bar_width=16),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("fuzz", total=options.seconds, requests=0, different=0)

        def on_request(report: FuzzReport) -> None:
            if report.requests % _PROGRESS_EVERY == 0:
                done = options.seconds * report.requests / options.count if options.count else 0
                different = report.outcomes[Outcome.DIFFERENT]
                completed = max(report.seconds, done)
                bar.update(task, completed=completed, requests=report.requests, different=different)

        yield on_request
