"""The report of a fuzz run for people: figures, rules reached, refusals with two codes, a bottom line."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from ..comparison.rendering import show_request
from .evaluation import Outcome
from .generator import INEXPRESSIBLE
from .report import WANTED_ACCEPTED, WANTED_MULTIPART, FuzzReport

_RULES_A_LINE = 8


def show_fuzz_report(console: Console, report: FuzzReport, *, verbose: bool = False) -> None:
    """Print the report; with `verbose` also the hits of each rule, and what the generator made too rarely."""
    for outcome in Outcome:
        number = report.outcomes[outcome]
        console.print(Text(f"{number:>8} {outcome} ({report.share(number):.1%})"))
    share = f"{report.share(report.multipart):.1%}"
    console.print(Text(f"{report.multipart} of the requests ({share}) were multipart forms."), soft_wrap=True)
    sent = ", ".join(f"{number} to {name}" for name, number in report.sent.items())
    console.print(Text(f"Sent: {sent}."), soft_wrap=True)
    _show_reached(console, report)
    if verbose:
        _show_hits(console, report)
    for what, number in report.unexpected.items():
        console.print(Text(f"Generator: {what}: {number} requests of the grammar", "yellow"), soft_wrap=True)
    _show_two_codes(console, report)
    _show_bottom_line(console, report)


def _show_reached(console: Console, report: FuzzReport) -> None:
    hits = report.histogram()
    reached = sum(number > 0 for number in hits.values())
    more = "; a longer run reaches more" if reached < len(hits) else ""
    console.print(Text(f"{reached} of {len(hits)} rules were reached{more}."), soft_wrap=True)


def _show_hits(console: Console, report: FuzzReport) -> None:
    console.print(
        "\nHits of each rule (requests accepted with it, or refused only because of it):", style="bold"
    )
    hits = [f"{rule} {number}" for rule, number in report.histogram().items()]
    for start in range(0, len(hits), _RULES_A_LINE):
        line = " ".join(f"{hit:<9}" for hit in hits[start : start + _RULES_A_LINE])
        console.print(Text(line.rstrip()))
    for rule, reason in INEXPRESSIBLE.items():
        console.print(Text(f"{rule} not generated: {reason}", "dim"), soft_wrap=True)
    for shortfall in _shortfalls(report):
        console.print(Text(f"Generator: {shortfall}", "yellow"), soft_wrap=True)


def _shortfalls(report: FuzzReport) -> Iterator[str]:
    if report.missed_rules():
        yield f"too few hits of {', '.join(report.missed_rules())}"
    if report.share(report.accepted) < WANTED_ACCEPTED:
        yield f"fewer than {WANTED_ACCEPTED:.0%} accepted"
    if report.share(report.multipart) < WANTED_MULTIPART:
        yield f"fewer than {WANTED_MULTIPART:.0%} multipart"


def _show_two_codes(console: Console, report: FuzzReport) -> None:
    if report.codes:
        console.print("\nRefused with two codes (two faults in one body have no order):", style="bold")
    for kind, number in report.codes.most_common():
        example = report.refused[kind][0]
        console.print(Text(f"{number:>8} {kind}; the first is request {example.request.index}"))
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
