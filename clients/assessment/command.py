"""compare with URLs of others: probe, send what fits, judge, report."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..cli.progress import progress_bar
from ..comparison.cases import Case
from ..comparison.known_differences import KNOWN_DIFFERENCES
from ..comparison.options import DIFFERENT, UNREACHABLE, NotComparable, not_written
from ..comparison.report_files import step_summary
from ..launch import LaunchError, RunningBackend, start
from .assess import OnCase, assess, cases_for
from .baseline import BaselineError, Entry, divide, load_baseline, write_baseline
from .endpoint import Endpoint
from .files import github_annotations, json_report, summary, write_junit
from .html_report import html_report
from .options import server_behind
from .probing import Level, Probe, probe
from .report import Report
from .terminal import LINES, show_report

_LEAST_LINES = 12


def assess_endpoints(
    found: Sequence[Endpoint],
    cases: Sequence[Case],
    level: Level | None,
    seed: int,
    options: Mapping[str, Any],
) -> int:
    """Judge the endpoints and report. Returns the exit status. Raises UsageError of click."""
    entries = _baseline(options["known_path"])
    with _reference() as reference:
        reports = [_report(one, cases, level, seed, options, entries, reference) for one in found]
    console = Console(stderr=options["json_path"] == "-")
    for report in reports:
        show_report(console, report, max(LINES // len(reports), _LEAST_LINES))
    _write(options, reports)
    if any(report.incomplete for report in reports):
        return UNREACHABLE
    failed = any(report.failed for report in reports)
    return DIFFERENT if failed and not options["write_known"] else 0


@contextmanager
def _reference() -> Iterator[RunningBackend]:
    """Our own server, which has the right readings."""
    try:
        with start("socket", env={"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast"}) as backend:
            yield backend
    except LaunchError as error:
        raise NotComparable(str(error)) from None


def _report(
    endpoint: Endpoint,
    cases: Sequence[Case],
    level: Level | None,
    seed: int,
    options: Mapping[str, Any],
    entries: Sequence[Entry],
    reference: RunningBackend,
) -> Report:
    """Probe the endpoint, send the cases, and divide what was found."""
    started = time.monotonic()
    found = probe(endpoint, level)
    if found.trouble:
        return Report(endpoint, found, (), (), time.monotonic() - started)
    endpoint = endpoint.patient(found.slowest)
    fitted = cases_for(cases, endpoint, found)
    if not fitted:
        raise click.UsageError(f"no case fits {endpoint.name}, of those that were chosen")
    behind = server_behind(options)
    sent = (1 if behind is None else 2) * len(fitted)
    with progress_bar(sent, endpoint.name, "cases") as advance:

        def on_case(case: Case) -> None:
            advance(1, case.name)

        judged = list(assess(fitted, endpoint, found, reference, seed=seed, on_case=on_case))
        keys = None if behind is None else _keys_of(behind, found, cases, reference, seed, on_case)
    findings = [one.finding for one in judged if one.finding is not None]
    names = [one.case.name for one in judged]
    new, known, complaints = divide(findings, names, entries, date.today())
    hidden = 0 if keys is None else len(keys - {finding.key for finding in findings})
    seconds = time.monotonic() - started
    unsent = len(fitted) - len(judged)
    return Report(endpoint, found, judged, new, seconds, known, complaints, keys, hidden, unsent)


def _keys_of(
    behind: Endpoint,
    front: Probe,
    cases: Sequence[Case],
    reference: RunningBackend,
    seed: int,
    on_case: OnCase,
) -> frozenset[tuple[str, str, str]]:
    """The findings of the server behind the proxy, at the level of the proxy."""
    found = probe(behind, front.level)
    if found.trouble:
        raise NotComparable(f"{behind.name}: {found.trouble}")
    behind = behind.patient(found.slowest)
    fitted = cases_for(cases, behind, front)
    judged = assess(fitted, behind, front, reference, seed=seed, on_case=on_case)
    return frozenset(one.finding.key for one in judged if one.finding is not None)


def _baseline(path: Path) -> list[Entry]:
    if path == KNOWN_DIFFERENCES:  # the default, which is about our own backends
        return []
    try:
        return load_baseline(path)
    except BaselineError as error:
        raise click.UsageError(str(error)) from None


def _write(options: Mapping[str, Any], reports: Sequence[Report]) -> None:
    """Write the reports that were asked for. Ends the program when a file cannot be written."""
    text = json_report(reports)
    try:
        if options["json_path"] == "-":
            click.echo(text, nl=False)
        elif options["json_path"]:
            Path(options["json_path"]).write_text(text, "utf-8")
        if options["html_path"]:
            options["html_path"].write_text(html_report(reports), "utf-8")
        if options["junit_path"]:
            write_junit(options["junit_path"], reports)
        if options["write_known"]:
            findings = [finding for report in reports for finding in (*report.findings, *report.known)]
            write_baseline(options["write_known"], findings)
        if path := step_summary():
            with path.open("a", encoding="utf-8") as file:
                file.write(summary(reports))
    except OSError as error:
        not_written("report", error)
    if options["github"]:
        for line in github_annotations(reports):
            click.echo(line, err=options["json_path"] == "-")
