"""The reports for programs: JSON, JUnit XML, GitHub's annotations and its summary of a step."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..comparison.rendering import show_exchange, show_request
from ..comparison.report_files import ANNOTATIONS, annotation, xml_text
from .findings import Finding
from .report import Report, grouped

_MARKDOWN = re.compile(r"[\\`*_\[\]|!#~]")
SCHEMA = 1
"""The number of the JSON report's shape; it changes when a key is renamed or removed."""


def json_report(reports: Sequence[Report]) -> str:
    """The reports of all endpoints as JSON. Ends with LF."""
    document = {"schema": SCHEMA, "endpoints": [_endpoint(report) for report in reports]}
    return json.dumps(document, indent=1) + "\n"


def _endpoint(report: Report) -> dict[str, Any]:
    probe = report.probe
    return {
        "name": report.endpoint.name,
        "level": probe.level.value,
        "server": probe.server,
        "proxy": probe.proxy,
        "trouble": probe.trouble,
        "statuses": dict(probe.answers),
        "judged": list(probe.judged),
        "tells": {"members": sorted(probe.told.members), "files": sorted(probe.told.of_a_file)},
        "seconds": round(report.seconds, 3),
        "cases": len(report.judged),
        "right": report.right,
        "stopped": report.stopped,
        "not_sent": report.unsent,
        "groups": [
            {
                "group": group.title,
                "kinds": [
                    {"kind": one.kind, "findings": [_finding(report, found) for found in one.findings]}
                    for one in kinds
                ],
            }
            for group, kinds in grouped(report.findings)
        ],
        "known": [
            {"group": found.group.title, "kind": found.kind, **_finding(report, found)}
            for found in report.known
        ],
        "hidden_by_the_proxy": report.hidden,
        "baseline": list(report.complaints),
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    responses = finding.exchange.responses
    shown = {
        "case": finding.case,
        "rule": finding.rule,
        "detail": finding.detail,
        "evidence": finding.evidence,
        "sent": finding.split,
        "status": responses[0].status if responses else None,
    }
    if report.behind is not None:
        shown["by"] = "server" if finding.key in report.behind else "proxy"
    return shown


def write_junit(path: Path, reports: Sequence[Report]) -> None:
    """Write JUnit XML: a suite for each endpoint, a test with its time for each case. Raises OSError."""
    root = ElementTree.Element("testsuites", name="wireproof compare")
    for report in reports:
        failed = {finding.case: finding for finding in report.findings}
        known = {finding.case: finding for finding in report.known}
        errors = [*filter(None, (report.probe.trouble, report.stopped)), *report.complaints]
        numbers = {"tests": len(report.judged) + len(errors), "failures": len(failed)}
        numbers |= {"errors": len(errors), "skipped": len(known)}
        attributes = {name: str(number) for name, number in numbers.items()}
        suite = ElementTree.SubElement(
            root, "testsuite", attributes, name=report.endpoint.name, time=f"{report.seconds:.3f}"
        )
        for one in report.judged:
            test = ElementTree.SubElement(
                suite, "testcase", classname="compare", name=one.case.name, time=f"{one.seconds:.3f}"
            )
            if finding := failed.get(one.case.name):
                message = f"{finding.group.title}: {finding.kind} {finding.detail}"
                failure = ElementTree.SubElement(test, "failure", message=xml_text(message))
                failure.text = xml_text(_evidence(finding))
            elif finding := known.get(one.case.name):
                ElementTree.SubElement(test, "skipped", message=xml_text(f"known: {finding.detail}"))
        for number, why in enumerate(errors, 1):
            test = ElementTree.SubElement(
                suite, "testcase", classname="compare", name=f"the run, {number}", time="0"
            )
            ElementTree.SubElement(test, "error", message=xml_text(why))
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _evidence(finding: Finding) -> str:
    return "\n".join(
        (
            "request:",
            show_request(finding.request),
            "answer:",
            show_exchange(finding.exchange),
            finding.evidence,
        )
    )


def github_annotations(reports: Sequence[Report]) -> Iterator[str]:
    """One `::error` line for each kind of finding, the worst first, and at most ten of them."""
    lines = [line for report in reports for line in _annotations(report)]
    yield from lines[:ANNOTATIONS]
    if len(lines) > ANNOTATIONS:
        yield f"{len(lines) - ANNOTATIONS} more kinds of finding."


def _annotations(report: Report) -> Iterator[str]:
    name = report.endpoint.name
    if report.probe.trouble:
        yield annotation(f"{name} could not be judged", report.probe.trouble)
    if report.stopped:
        yield annotation(f"{name}: not complete", f"{report.stopped}; {report.unsent} cases were not sent")
    for complaint in report.complaints:
        yield annotation(f"{name}: the baseline", complaint)
    for group, kinds in grouped(report.findings):
        for one in kinds:
            example = one.findings[0]
            yield annotation(
                f"{group.title}: {one.kind} ({len(one.findings)})",
                f"{name}, {example.case}: {example.detail}",
            )


def summary(reports: Sequence[Report]) -> str:
    """The reports as Markdown, for `$GITHUB_STEP_SUMMARY`."""
    return "\n".join(line for report in reports for line in _summary(report)) + "\n"


def _summary(report: Report) -> Iterator[str]:
    yield f"### {_cell(report.endpoint.name)}"
    yield ""
    if report.probe.trouble:
        yield f"Not judged: {_cell(report.probe.trouble)}."
        yield ""
        return
    wrong, known = len(report.findings), len(report.known)
    yield f"{len(report.judged)} cases: {report.right} right, {wrong} not, {known} known."
    yield ""
    if report.stopped:
        yield f"Not complete: {_cell(report.stopped)}. {report.unsent} cases were not sent."
        yield ""
    if report.behind is not None:
        proxy = report.by_the_proxy(report.findings)
        yield f"The proxy makes {proxy} of them, and hides {report.hidden} others of the server."
        yield ""
    if report.findings:
        yield "| group | count | what | example |"
        yield "|---|---:|---|---|"
    for group, kinds in grouped(report.findings):
        for one in kinds:
            yield f"| {group.title} | {len(one.findings)} | {_cell(one.kind)} | `{one.findings[0].case}` |"
    for complaint in report.complaints:
        yield f"- Baseline: {_cell(complaint)}"
    yield ""


def _cell(text: str) -> str:
    """A text as plain Markdown, in one line: a server may have chosen it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return " ".join(_MARKDOWN.sub(r"\\\g<0>", escaped).split())
