"""The report of a fuzz run for people: figures, hits of each rule, refusals with two codes, a bottom line."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ..comparison.rendering import show_request
from .evaluation import Outcome
from .generator import INEXPRESSIBLE
from .report import WANTED_ACCEPTED, WANTED_MULTIPART, FuzzReport

_RULES_A_LINE = 8


def show_fuzz_report(console: Console, report: FuzzReport) -> None:
    """Print the report."""
    console.print()
    for outcome in Outcome:
        number = report.outcomes[outcome]
        console.print(Text(f"{number:>8} {outcome} ({report.share(number):.1%})"))
    console.print(Text(f"{report.multipart:>8} multipart ({report.share(report.multipart):.1%})"))
    console.print(Text(f"         sent to {', '.join(f'{name} {n}' for name, n in report.sent.items())}"))
    console.print(
        "\nHits of each rule (requests accepted with it, or refused only because of it):", style="bold"
    )
    hits = [f"{rule} {number}" for rule, number in report.histogram().items()]
    for start in range(0, len(hits), _RULES_A_LINE):
        console.print(Text(" ".join(f"{hit:<9}" for hit in hits[start : start + _RULES_A_LINE])))
    for rule, reason in INEXPRESSIBLE.items():
        console.print(Text(f"{rule} not generated: {reason}", "dim"), soft_wrap=True)
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
