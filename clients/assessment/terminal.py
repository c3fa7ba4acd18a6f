"""The report on one screen: what was found out, then each group with its kinds and its smallest example."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ..comparison.rendering import one_line
from .groups import Group
from .probing import Level, Probe
from .report import KindOfFinding, Report, grouped

LINES = 60
"""The most lines of all reports of one run together, for up to 15 endpoints."""

LEAST_LINES = 4
"""The lines of one report of many."""

_COMPLAINTS = 3
_LINES_OF_A_GROUP = (
    7  # a blank one, its name, what it means, other kinds, its example, the evidence, the command
)
_STYLES = {
    Group.SILENT_LOSS: "bold red",
    Group.CRASH: "bold magenta",
    Group.READ_DIFFERENTLY: "bold yellow",
    Group.REFUSES_CLIENTS: "bold cyan",
    Group.OTHER: "bold",
}


def show_report(console: Console, report: Report, lines: int = LINES) -> None:
    """Print the report in at most so many lines."""
    for line in report_lines(report, lines):
        line.no_wrap, line.overflow = True, "ellipsis"
        console.print(line, soft_wrap=False, overflow="ellipsis", no_wrap=True)


def report_lines(report: Report, lines: int = LINES) -> list[Text]:
    """The lines of the report."""
    head = _head(report)
    groups = list(grouped(report.findings))
    room = lines - len(head) - len(groups) * _LINES_OF_A_GROUP - 1
    shown = list(head)
    for group, kinds in groups:
        share = min(len(kinds), max(room, 1))
        shown += _group(report, group, kinds, share)
        room -= share
    if not groups:
        return shown[:lines]
    shown = shown[: lines - 1]
    return [*shown, Text("All findings: --html FILE, --json FILE. A baseline: --write-known FILE.", "dim")]


def _head(report: Report) -> list[Text]:
    probe = report.probe
    shown = [Text.assemble((report.endpoint.name, "bold"), _who(probe))]
    if probe.trouble:
        return [*shown, Text(f"Not judged: {one_line(probe.trouble, 300)}.", "bold red")]
    shown += [Text(_found_out(probe)), *_left_out(probe), _bottom_line(report)]
    if report.stopped:
        unsent = f" {report.unsent} cases were not sent." if report.unsent else ""
        shown.append(Text(f"Not complete: {one_line(report.stopped, 200)}.{unsent}", "bold red"))
    if report.behind is not None:
        proxy = report.by_the_proxy(report.findings)
        whose = f"The proxy makes {proxy} of them, the server {len(report.findings) - proxy}."
        shown.append(Text(f"{whose} The proxy hides {report.hidden} others of the server."))
    complaints = [Text(f"Baseline: {one_line(text, 200)}", "bold red") for text in report.complaints]
    if len(complaints) > _COMPLAINTS:
        more = Text(f"Baseline: {len(complaints) - _COMPLAINTS} more.", "bold red")
        complaints = [*complaints[:_COMPLAINTS], more]
    return [*shown, *complaints]


def _who(probe: Probe) -> str:
    """What the server calls itself, and what stands in front of it."""
    server = f"  {one_line(probe.server, 60)}" if probe.server else ""
    if not probe.proxy:
        return server
    if probe.proxy == f"perhaps {probe.server}":
        return f"{server}, perhaps a proxy"
    return f"{server}  behind {one_line(probe.proxy, 60)}"


def _found_out(probe: Probe) -> str:
    takes = f"It takes {', '.join(map(_kind, probe.judged))}"
    if probe.level is not Level.PARSED:
        return f"{takes}; only the status is judged."
    of_a_file = ", ".join(sorted(probe.told.of_a_file))
    files = f"files ({of_a_file})" if of_a_file else "files"
    told = [files if name == "files" else name for name in sorted(probe.told.members)]
    return f"{takes}; its answers tell {', '.join(told)}."


def _bottom_line(report: Report) -> Text:
    cases = f"{len(report.judged)} cases in {report.seconds:.0f} s"
    known = f", {len(report.known)} known" if report.known else ""
    if not report.findings:
        right = "nothing new" if report.known else "all answers are right"
        return Text(f"{cases}: {right}{known}.", "bold green")
    return Text(f"{cases}: {report.right} answers are right, {len(report.findings)} are not{known}.", "bold")


def _left_out(probe: Probe) -> list[Text]:
    refused = [
        f"{_kind(kind)} ({status or 'no answer'})"
        for kind, status in probe.answers.items()
        if kind not in probe.judged and kind not in probe.untold
    ]
    untold = [_kind(kind) for kind in probe.untold]
    told = [f"{', '.join(untold)} (accepted, but the answer does not tell it)"] if untold else []
    left = ", ".join((*told, *refused))
    return [Text(f"Not judged: {left}.", "dim")] if left else []


def _kind(kind: str) -> str:
    return "GET" if kind == "none" else kind


def _group(report: Report, group: Group, kinds: Sequence[KindOfFinding], room: int) -> list[Text]:
    findings = [finding for one in kinds for finding in one.findings]
    style = _STYLES[group]
    shown = [Text(""), Text(f"{group.title.upper()}  {len(findings)}", style), Text(group.sentence, "dim")]
    shown += [_kind_line(report, one) for one in kinds[:room]]
    others = kinds[room:]
    if others:
        number = sum(len(one.findings) for one in others)
        shown.append(Text(f"  {number:>5}  of {len(others)} other kind{'s' if len(others) > 1 else ''}"))
    example = kinds[0].findings[0]
    detail = one_line(example.detail, 160)
    shown.append(Text(f"         {example.case}: {detail}", "dim"))
    if example.evidence:
        shown.append(Text(f"         {example.evidence}", "dim"))
    shown.append(Text(f"         wireproof cases show {example.case}", "dim"))
    return shown


def _kind_line(report: Report, one: KindOfFinding) -> Text:
    proxy = report.by_the_proxy(one.findings)
    by = f" ({proxy} by the proxy)" if proxy else ""
    return Text.assemble(f"  {len(one.findings):>5}  {one.kind}{by}  ", (one.findings[0].case, "dim"))
