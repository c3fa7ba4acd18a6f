"""A comparison byte by byte as one HTML page: the differences of each backend, with their bytes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from ..comparison.cases import Case
from ..comparison.verdicts import Result, Verdict
from .page import details, element, html_page, pre, request_of
from .views import ReportViews

_GROUPS = {Verdict.DIFFERENT: "g2", Verdict.NO_RESPONSE: "g0"}


def shown_requests(
    results: Sequence[Result], cases: Mapping[tuple[str, str], Case], *, every: bool = False
) -> list[bytes]:
    """The requests in the page; with `every` those without a difference behind the others."""
    failed = [result for result in results if result.failed]
    shown = [*failed, *(result for result in results if every and not result.failed)]
    requests = (cases[result.client, result.case].request for result in shown)
    return [request for request in requests if request]


def comparison_page(
    results: Sequence[Result],
    cases: Mapping[tuple[str, str], Case],
    views: ReportViews | None,
    *,
    gone: Mapping[str, str],
    every: bool = False,
) -> str:
    """The page. `cases` are those of the results, by client and name; `gone` says why a backend is gone.

    With `every` it has the cases without a difference, too.
    """
    backends = list(dict.fromkeys(result.backend for result in results))
    body = "".join(
        (
            *_head(results, backends, gone),
            *(part for backend in backends for part in _of_backend(backend, results, cases, views)),
            *(_without_difference(results, cases, views) if every else ()),
        )
    )
    return html_page(f"wireproof: {', '.join(backends)}", f"<section>\n{body}</section>\n", views)


def _head(results: Sequence[Result], backends: Sequence[str], gone: Mapping[str, str]) -> Iterator[str]:
    failed = sum(result.failed for result in results)
    sent = sum(result.verdict is not Verdict.NOT_SENT for result in results)
    yield element("h1", ", ".join(backends))
    differ = f"{sent - failed} of {sent} responses are as they must be, <em>{failed} are not</em>."
    yield f'<p class="lede">{differ if failed else "No difference."}</p>\n'
    yield element("p", f"{len({(each.client, each.case) for each in results})} cases, level bytes", "sub")
    yield from (element("p", f"Not complete: {name}: {why}", "complaint") for name, why in gone.items())
    yield '<div class="scroll" tabindex="0"><table>\n<caption>Responses by their verdict</caption>\n'
    yield '<thead><tr><th scope="col">backend</th>'
    yield from (f'<th scope="col">{escape(verdict.replace("_", " "))}</th>' for verdict in Verdict)
    yield "</tr></thead>\n<tbody>\n"
    for backend in backends:
        numbers = Counter(result.verdict for result in results if result.backend == backend)
        yield f'<tr><th scope="row">{escape(backend)}</th>'
        yield from (_cell(numbers[verdict], verdict) for verdict in Verdict)
        yield "</tr>\n"
    yield "</tbody></table></div>\n"


def _cell(number: int, verdict: Verdict) -> str:
    return f'<td class="{_GROUPS.get(verdict, "") if number else "none"}">{number}</td>'


def _of_backend(
    backend: str,
    results: Sequence[Result],
    cases: Mapping[tuple[str, str], Case],
    views: ReportViews | None,
) -> Iterator[str]:
    failed = [result for result in results if result.backend == backend and result.failed]
    for verdict, css_class in _GROUPS.items():
        found = [result for result in failed if result.verdict is verdict]
        if found:
            title = f"{backend}: {verdict.replace('_', ' ')}"
            yield f'<h2 class="{css_class}">{escape(title)} <span>{len(found)}</span></h2>\n<ul>\n'
            yield from (_case(result, cases[result.client, result.case], views) for result in found)
            yield "</ul>\n"


def _without_difference(
    results: Sequence[Result], cases: Mapping[tuple[str, str], Case], views: ReportViews | None
) -> Iterator[str]:
    """The cases that went to a backend and differ on none, each once."""
    failed = {(result.client, result.case) for result in results if result.failed}
    sent = {(each.client, each.case): each for each in results if each.verdict is not Verdict.NOT_SENT}
    right = [result for key, result in sent.items() if key not in failed]
    if right:
        yield f'<h2 class="g4">no difference <span>{len(right)}</span></h2>\n<ul>\n'
        yield from (_case(result, cases[result.client, result.case], views) for result in right)
        yield "</ul>\n"


def _case(result: Result, case: Case, views: ReportViews | None) -> str:
    detail = result.detail if result.failed else case.title
    parts = []
    if case.request:
        parts += [element("h3", "Request"), request_of(views, case.request)]
    if result.evidence:
        parts += [element("h3", "What came"), pre(result.evidence)]
    if case.path is not None:
        parts.append(f"<p><code>wireproof cases show {escape(result.case)}</code></p>\n")
    summary = f"<code>{escape(result.case)}</code> {escape(detail)}"
    return f"<li>{details(summary, ''.join(parts))}</li>\n"
