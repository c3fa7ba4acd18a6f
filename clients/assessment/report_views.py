"""The wire views of the HTML report: data for the component that shows the bytes of a finding."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ..http1.exchange import Exchange
from .explained_requests import Explained, ExplainedRequest, explained
from .findings import Finding
from .first_look import first_look
from .fitting import kind_of
from .report import Report, grouped
from .told import Told, answer_of

MOST_BYTES = 8 * 1024 * 1024
"""The data of all views together. A finding that has no room shows its bytes as text."""

_SCRIPT = Path(__file__).with_name("report.js")
_ANSWER_CHARACTERS = 32 * 1024
_OF_THE_REQUEST = (
    *("method", "target", "kind", "size", "total", "head", "chunked", "redacted", "strip"),
    *("end", "stop", "bytes", "tail_bytes"),
)


class ReportViews:
    """Makes the data of one view after the other, while there is room."""

    def __init__(self, found: Explained, most_bytes: int = MOST_BYTES) -> None:
        self._found = found
        self._room = most_bytes

    def data(self, report: Report, request: bytes, exchange: Exchange, path: str = "") -> str:
        """An element with the data of the view, or "" if the request is not explained or there is no room.

        `exchange` has the answer of the endpoint, and `path` is the value that is chosen at first.
        """
        one = self._found.requests.get(request)
        if one is None:
            return ""
        element = _data_block(_view(one, _run_of_the_endpoint(report, exchange), path))
        if len(element) > self._room:
            return ""
        self._room -= len(element)
        return element

    @property
    def style(self) -> str:
        """The style sheet of the component. That of the report comes behind it."""
        return self._found.component.style

    @cached_property
    def script(self) -> str:
        """The script that draws the views."""
        return f"{self._found.component.script}{_SCRIPT.read_text('utf-8')}"

    @property
    def rules(self) -> str:
        """An element with the texts of the rules that the views name."""
        return _data_block(_rules_of(self._found), "rules")


def views_for(reports: Sequence[Report], *, every: bool = False) -> ReportViews | None:
    """The views of all findings and, with `every`, of the right answers behind them. None if there are none.

    Raises LaunchError, NotExplained and NotBundled.
    """
    requests = [
        finding.request
        for report in reports
        for _, kinds in grouped(report.findings)
        for one in kinds
        for finding in one.findings
    ]
    if every:
        requests += [one.request for report in reports for one in report.judged if one.finding is None]
    return ReportViews(explained(requests)) if requests else None


def content_security_policy(script: str, style: str) -> str:
    """The policy of the page: this script and this style sheet, and nothing else, run in it."""
    return (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _data_block(value: Any, name: str = "") -> str:
    """JSON in an element that runs nothing. No text in it can end the element."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    identifier = f' id="{name}"' if name else ""
    return f'<script type="application/json"{identifier}>{text}</script>\n'


def _view(one: ExplainedRequest, run: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    described = one.described
    ours = [{**run, "ms": None, "backend": "wireproof"} for run in described["runs"]]
    data = {name: described[name] for name in _OF_THE_REQUEST}
    # How the bytes were split was a matter of our own server; nothing arrives any more.
    data |= {"reads": [], "arriving": None, "agreement": None, "diffs": []}
    data["runs"] = [run, *ours]
    return {"data": data, "pages": one.pages, "path": path}


def _run_of_the_endpoint(report: Report, exchange: Exchange) -> Mapping[str, Any]:
    run = {"backend": _short_name(report), "wire": True, "ms": None, "code": None, "sha256": None}
    if not exchange.responses:
        why = exchange.failure or "The connection was closed without an answer."
        return {**run, "status": None, "error": why}
    response = exchange.responses[0]
    text = response.body.decode("utf-8", "replace")
    return {
        **run,
        "status": response.status,
        "content_type": response.header("content-type"),
        "answer": text[:_ANSWER_CHARACTERS],
        "answer_size": len(response.body),
    }


def _short_name(report: Report) -> str:
    """The name that the user has given, or the authority of the URL."""
    name = report.endpoint.name
    return report.endpoint.url.authority if "//" in name else name


def look_at(report: Report, finding: Finding) -> str:
    """The path of the value that a reader of the finding looks at first, or ""."""
    told: Told = report.probe.told_by_kind.get(kind_of(finding.request), Told())
    answer = answer_of(finding.exchange)
    return "" if finding.right is None or answer is None else first_look(finding.right, answer, told)


def _rules_of(found: Explained) -> Mapping[str, str]:
    named: set[str] = set()
    for one in found.requests.values():
        for page in one.pages:
            named.update(page["rules"])
        stop = one.described["stop"] or {}
        named.update([stop.get("rule") or "", *stop.get("rules", ())])
    return {rule: found.rules[rule] for rule in sorted(named) if rule in found.rules}
