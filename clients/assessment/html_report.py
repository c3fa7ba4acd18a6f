"""The whole report as one HTML file, which needs nothing else.

The bytes of a request are shown by the component of the page `/ui/`. Without its script they are text.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent

from ..comparison.rendering import show_exchange, show_request
from ..http1.exchange import Exchange
from .assess import Judged
from .findings import Finding, rule_says
from .groups import Group
from .report import KindOfFinding, Report, grouped
from .report_views import ReportViews, content_security_policy, look_at
from .told import MEMBERS

STYLE = Path(__file__).with_name("report.css")
_REQUEST_LINES = 40
_RIGHT_CHARACTERS = 2000
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<main>
{body}</main>
{script}</html>
"""


def html_report(reports: Sequence[Report], views: ReportViews | None = None, *, every: bool = False) -> str:
    """The page with the reports of all endpoints. Without `views` requests are shown as text.

    With `every` it has the cases with right answers, too.
    """
    title = "wireproof: " + ", ".join(report.endpoint.name for report in reports)
    sections = [
        "".join((*_report(report, views), *_right_answers(report, views, every))) for report in reports
    ]
    body = "".join(f"<section>\n{section}</section>\n" for section in sections)
    style, script, rules = STYLE.read_text("utf-8"), "", ""
    if views is not None:
        style, script, rules = f"{views.style}{style}", views.script, views.rules
    return _PAGE.format(
        policy=content_security_policy(script, style),
        title=escape(title),
        style=style,
        body=body,
        script=f'{rules}<script type="module">{script}</script>\n' if script else "",
    )


def _report(report: Report, views: ReportViews | None) -> Iterator[str]:
    yield _element("h1", report.endpoint.name)
    if report.probe.trouble:
        yield _element("p", f"Not judged: {report.probe.trouble}.", "lede")
        return
    wrong = len(report.findings)
    right = f"{report.right} of {len(report.judged)} answers are right, <em>{wrong} are not</em>."
    nothing = "Nothing new." if report.known else "All answers are right."
    yield f'<p class="lede">{right if wrong else nothing}</p>\n'
    yield _element("p", " · ".join(_facts(report)), "sub")
    if report.stopped:
        yield _element(
            "p", f"Not complete: {report.stopped}. {report.unsent} cases were not sent.", "complaint"
        )
    for complaint in report.complaints:
        yield _element("p", f"Baseline: {complaint}", "complaint")
    if wrong:
        yield from _matrix(report)
    for group, kinds in grouped(report.findings):
        yield from _group(report, group, kinds, views)


def _element(tag: str, text: str, css_class: str = "") -> str:
    attribute = f' class="{css_class}"' if css_class else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>\n"


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
    yield _element("p", group.sentence)
    for one in kinds:
        proxy = report.by_the_proxy(one.findings)
        by = f" ({proxy} by the proxy)" if proxy else ""
        summary = f"<b>{len(one.findings)}</b> {escape(one.kind)}{by}"
        found = "".join(_finding(report, finding, views) for finding in one.findings)
        yield _details(summary, f"<ul>\n{found}</ul>")


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>\n{content}</details>\n"


def _finding(report: Report, finding: Finding, views: ReportViews | None) -> str:
    says = rule_says(finding.rule)
    parts = [] if says in finding.detail else [_element("p", f"{finding.rule}: {says}.")]
    if finding.evidence:
        parts.append(_element("p", f"{finding.evidence}."))
    parts += [
        _element("h3", f"Request, sent {finding.split}"),
        _request(report, views, finding.request, finding.exchange, look_at(report, finding)),
    ]
    answers = (("Its answer", _pre(show_exchange(finding.exchange))), ("The right answer", _right(finding)))
    parts.append(f'<div class="pair">\n{_pair(answers)}</div>\n')
    parts.append(f"<p><code>wireproof cases show {escape(finding.case)}</code></p>\n")
    summary = f"<code>{escape(finding.case)}</code> {escape(finding.detail)}"
    return f"<li>{_details(summary, ''.join(parts))}</li>\n"


def _right_answers(report: Report, views: ReportViews | None, every: bool) -> Iterator[str]:
    """The cases with right answers, by what they are about."""
    right = [one for one in report.judged if one.finding is None] if every else []
    if right:
        yield f'<h2 class="g4">right answers <span>{len(right)}</span></h2>\n'
    for family in sorted({_family(one.case.path) for one in right}):
        of_family = [one for one in right if _family(one.case.path) == family]
        shown = "".join(_right_case(report, one, views) for one in of_family)
        yield _details(f"<b>{len(of_family)}</b> {escape(family)}", f"<ul>\n{shown}</ul>")


def _right_case(report: Report, one: Judged, views: ReportViews | None) -> str:
    summary = f"<code>{escape(one.case.name)}</code> {escape(one.case.title)}"
    request = _request(report, views, one.request, one.exchange)
    answer = f"{_element('h3', 'Its answer')}{_pre(show_exchange(one.exchange))}"
    return f"<li>{_details(summary, f'{request}{answer}')}</li>\n"


def _request(
    report: Report, views: ReportViews | None, request: bytes, exchange: Exchange, path: str = ""
) -> str:
    """The bytes of a request: explained, or as text."""
    text = _pre(show_request(request, _REQUEST_LINES))
    data = "" if views is None else views.data(report, request, exchange, path)
    return f'<div class="bytes-of">\n{text}{data}</div>\n' if data else text


def _pair(answers: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div>{_element('h3', title)}{content}</div>\n" for title, content in answers)


def _right(finding: Finding) -> str:
    if finding.right is None:
        return _element("p", "A refusal with a status of 4xx.")
    told = {name: value for name in MEMBERS if (value := finding.right.get(name))}
    if not told:
        return _element("p", "A status of 2xx.")
    return _pre(json.dumps(told, indent=1)[:_RIGHT_CHARACTERS])


def _pre(text: str) -> str:
    return _element("pre", dedent(text))
