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
from ..comparison.report_files import add_to_step_summary
from ..html_pages.views import views_of
from ..launch import LaunchError, RunningBackend, start
from .assess import Judged, Stop, assess, cases_for
from .baseline import BaselineError, Entry, divide, load_baseline, write_baseline
from .endpoint import Endpoint
from .files import github_annotations, json_report, summary, write_junit
from .html_report import html_report, shown_requests
from .options import server_behind
from .probing import Level, Probe, plain_request, probe
from .report import Report
from .terminal import LEAST_LINES, LINES, show_report


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
        show_report(console, report, max(LINES // len(reports), LEAST_LINES))
    _write(options, reports, entries)
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
    behind = _probed_behind(options, found)
    endpoint = endpoint.patient(found.slowest)
    fitted = cases_for(cases, endpoint, found)
    if not fitted:
        raise click.UsageError(f"no case fits {endpoint.name}, of those that were chosen")
    stop = Stop()
    with progress_bar((1 if behind is None else 2) * len(fitted), endpoint.name, "cases") as advance:

        def send_all(to: Endpoint) -> list[Judged]:
            return assess(
                cases_for(cases, to, found),
                to,
                found,
                reference,
                seed=seed,
                on_case=lambda case: advance(1, case.name),
                stop=stop,
            )

        judged = send_all(endpoint)
        at_the_server = None if behind is None else send_all(behind)
    findings = [one.finding for one in judged if one.finding is not None]
    new, known, complaints = divide(findings, [one.case.name for one in judged], entries, date.today())
    keys = None
    if at_the_server is not None and not stop.why:
        keys = frozenset(one.finding.key for one in at_the_server if one.finding is not None)
    hidden = 0 if keys is None else len(keys - {finding.key for finding in findings})
    stopped = stop.why or _refuses_by_now(endpoint, found)
    unsent = len(fitted) - len(judged)
    seconds = time.monotonic() - started
    return Report(endpoint, found, judged, new, seconds, known, complaints, keys, hidden, stopped, unsent)


def _probed_behind(options: Mapping[str, Any], front: Probe) -> Endpoint | None:
    """The server behind the proxy. Raises NotComparable when it takes no uploads."""
    behind = server_behind(options)
    if behind is None:
        return None
    found = probe(behind, front.level)
    if found.trouble:
        raise NotComparable(f"{behind.name}: {found.trouble}")
    return behind.patient(found.slowest)


def _refuses_by_now(endpoint: Endpoint, found: Probe) -> str:
    """Why the findings may not be trusted: the endpoint no longer accepts what it accepted first."""
    kind = next(kind for kind in found.judged if kind != "none")
    responses = endpoint.send([plain_request(kind, endpoint)]).responses
    status = responses[0].status if responses else 0
    if status == found.answers[kind]:
        return ""
    return f"the server answered plain uploads with {found.answers[kind]}, and now with {status or 'nothing'}"


def _baseline(path: Path) -> list[Entry]:
    if path == KNOWN_DIFFERENCES:  # the default, which is about our own backends
        return []
    try:
        return load_baseline(path)
    except BaselineError as error:
        raise click.UsageError(str(error)) from None


def _write(options: Mapping[str, Any], reports: Sequence[Report], entries: Sequence[Entry]) -> None:
    """Write the reports that were asked for. Ends the program when a file cannot be written."""
    text = json_report(reports)
    try:
        if options["json_path"] == "-":
            click.echo(text, nl=False)
        elif options["json_path"]:
            _write_text(Path(options["json_path"]), text)
        if options["html_path"]:
            every = options["every"]
            page = html_report(reports, views_of(shown_requests(reports, every=every)), every=every)
            _write_text(options["html_path"], page)
        if options["junit_path"]:
            write_junit(options["junit_path"], reports)
        if options["write_known"] and not any(report.incomplete for report in reports):
            findings = [finding for report in reports for finding in (*report.findings, *report.known)]
            write_baseline(options["write_known"], findings, entries)
        add_to_step_summary(summary(reports))
    except OSError as error:
        not_written("report", error)
    if options["github"]:
        for line in github_annotations(reports):
            click.echo(line, err=options["json_path"] == "-")


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
