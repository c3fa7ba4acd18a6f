"""The whole report on endpoints as one HTML page."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..comparison.rendering import show_exchange
from ..html_pages.page import details, element, html_page, pre, request_of
from ..html_pages.views import ReportViews, run_of
from ..http1.exchange import Exchange
from .assess import Judged
from .findings import Finding, rule_says
from .first_look import first_look
from .fitting import kind_of
from .groups import Group
from .report import KindOfFinding, Report, grouped
from .told import MEMBERS, Told, answer_of

_RIGHT_CHARACTERS = 2000
_NAME_CHARACTERS = 40


def html_report(reports: Sequence[Report], views: ReportViews | None = None, *, every: bool = False) -> str:
    """The page with the reports of all endpoints. Without `views` requests are shown as text.

    With `every` it has the cases with right answers, too.
    """
    title = "wireproof: " + ", ".join(report.endpoint.name for report in reports)
    sections = [
        "".join((*_report(report, views), *_right_answers(report, views, every))) for report in reports
    ]
    body = "".join(f"<section>\n{section}</section>\n" for section in sections)
    return html_page(title, body, views)


def shown_requests(reports: Sequence[Report], *, every: bool = False) -> list[bytes]:
    """The requests in the page, in its order; with `every` those with right answers behind the others."""
    found = [
        finding.request
        for report in reports
        for _, kinds in grouped(report.findings)
        for one in kinds
        for finding in one.findings
    ]
    if every:
        found += [one.request for report in reports for one in report.judged if one.finding is None]
    return found


def _report(report: Report, views: ReportViews | None) -> Iterator[str]:
    yield element("h1", report.endpoint.name)
    if report.probe.trouble:
        yield element("p", f"Not judged: {report.probe.trouble}.", "lede")
        return
    wrong = len(report.findings)
    right = f"{report.right} of {len(report.judged)} answers are right, <em>{wrong} are not</em>."
    nothing = "Nothing new." if report.known else "All answers are right."
    yield f'<p class="lede">{right if wrong else nothing}</p>\n'
    yield element("p", " · ".join(_facts(report)), "sub")
    if report.stopped:
        yield element(
            "p", f"Not complete: {report.stopped}. {report.unsent} cases were not sent.", "complaint"
        )
    for complaint in report.complaints:
        yield element("p", f"Baseline: {complaint}", "complaint")
    if wrong:
        yield from _matrix(report)
    for group, kinds in grouped(report.findings):
        yield from _group(report, group, kinds, views)


def _facts(report: Report) -> Iterator[str]:
    probe = report.probe
    if probe.server:
        yield probe.server
    yield f"level {probe.level.value}"
    yield f"judged: {', '.join('GET' if kind == 'none' else kind for kind in probe.judged)}"
    if probe.told.members:
        yield f"tells {', '.join(sorted(probe.told.members))}"
    if probe.proxy:
        yield f"proxy: {probe.proxy}"
    if report.behind is not None:
        yield f"{report.by_the_proxy(report.findings)} findings are the proxy's"
        yield f"{report.hidden} of the server are hidden by it"
    if report.known:
        yield f"{len(report.known)} known"
    yield f"{report.seconds:.0f} s"


def _matrix(report: Report) -> Iterator[str]:
    """How many cases of each family are right, and how many are in each group."""
    families = {one.case.name: _family(one.case.path) for one in report.judged}
    totals = Counter(families.values())
    known = Counter(families[finding.case] for finding in report.known)
    counted = Counter((families[finding.case], finding.group) for finding in report.findings)
    yield '<div class="scroll" tabindex="0"><table>\n<caption>Cases by what they are about</caption>\n'
    yield "<thead><tr>"
    yield from (f'<th scope="col">{escape(name)}</th>' for name in ("about", "cases", "right"))
    yield from (f'<th scope="col">{escape(group.title)}</th>' for group in Group)
    yield "</tr></thead>\n<tbody>\n"
    for family in sorted(totals):
        numbers = [counted[family, group] for group in Group]
        right = totals[family] - sum(numbers) - known[family]
        yield f'<tr><th scope="row">{escape(family)}</th><td>{totals[family]}</td><td>{right}</td>'
        yield from (_cell(number, group) for number, group in zip(numbers, Group, strict=True))
        yield "</tr>\n"
    yield "</tbody></table></div>\n"


def _cell(number: int, group: Group) -> str:
    return f'<td class="{f"g{group.rank}" if number else "none"}">{number}</td>'


def _family(path: Path | None) -> str:
    return path.parent.name.replace("_", " ") if path else ""


def _group(
    report: Report, group: Group, kinds: Sequence[KindOfFinding], views: ReportViews | None
) -> Iterator[str]:
    count = sum(len(one.findings) for one in kinds)
    yield f'<h2 class="g{group.rank}">{escape(group.title)} <span>{count}</span></h2>\n'
    yield element("p", group.sentence)
    for one in kinds:
        proxy = report.by_the_proxy(one.findings)
        by = f" ({proxy} by the proxy)" if proxy else ""
        summary = f"<b>{len(one.findings)}</b> {escape(one.kind)}{by}"
        found = "".join(_finding(report, finding, views) for finding in one.findings)
        yield details(summary, f"<ul>\n{found}</ul>")


def _finding(report: Report, finding: Finding, views: ReportViews | None) -> str:
    says = rule_says(finding.rule)
    parts = [] if says in finding.detail else [element("p", f"{finding.rule}: {says}.")]
    if finding.evidence:
        parts.append(element("p", f"{finding.evidence}."))
    parts += [
        element("h3", f"Request, sent {finding.split}"),
        request_of(views, finding.request, [_run(report, finding.exchange)], _look_at(report, finding)),
    ]
    answers = (("Its answer", pre(show_exchange(finding.exchange))), ("The right answer", _right(finding)))
    parts.append(f'<div class="pair">\n{_pair(answers)}</div>\n')
    parts.append(f"<p><code>wireproof cases show {escape(finding.case)}</code></p>\n")
    summary = f"<code>{escape(finding.case)}</code> {escape(finding.detail)}"
    return f"<li>{details(summary, ''.join(parts))}</li>\n"


def _right_answers(report: Report, views: ReportViews | None, every: bool) -> Iterator[str]:
    """The cases with right answers, by what they are about."""
    right = [one for one in report.judged if one.finding is None] if every else []
    if right:
        yield f'<h2 class="g4">right answers <span>{len(right)}</span></h2>\n'
    for family in sorted({_family(one.case.path) for one in right}):
        of_family = [one for one in right if _family(one.case.path) == family]
        shown = "".join(_right_case(report, one, views) for one in of_family)
        yield details(f"<b>{len(of_family)}</b> {escape(family)}", f"<ul>\n{shown}</ul>")


def _right_case(report: Report, one: Judged, views: ReportViews | None) -> str:
    summary = f"<code>{escape(one.case.name)}</code> {escape(one.case.title)}"
    request = request_of(views, one.request, [_run(report, one.exchange)])
    answer = f"{element('h3', 'Its answer')}{pre(show_exchange(one.exchange))}"
    return f"<li>{details(summary, f'{request}{answer}')}</li>\n"


def _run(report: Report, exchange: Exchange) -> Mapping[str, Any]:
    """The answer of the endpoint, under the name that the user has given or the authority of its URL."""
    name = report.endpoint.name
    return run_of(report.endpoint.url.authority if "//" in name else name[:_NAME_CHARACTERS], exchange)


def _look_at(report: Report, finding: Finding) -> str:
    """The path of the value that a reader looks at first, or ""."""
    told = report.probe.told_by_kind.get(kind_of(finding.request), Told())
    answer = answer_of(finding.exchange)
    return "" if finding.right is None or answer is None else first_look(finding.right, answer, told)


def _pair(answers: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div>{element('h3', title)}{content}</div>\n" for title, content in answers)


def _right(finding: Finding) -> str:
    if finding.right is None:
        return element("p", "A refusal with a status of 4xx.")
    told = {name: value for name in MEMBERS if (value := finding.right.get(name))}
    if not told:
        return element("p", "A status of 2xx.")
    return pre(json.dumps(told, indent=1)[:_RIGHT_CHARACTERS])
