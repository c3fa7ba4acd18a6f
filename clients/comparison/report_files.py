"""The reports for programs: JSON, JUnit XML and GitHub's workflow commands."""

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .cases import PROJECT_ROOT, Case
from .report_table import counts
from .verdicts import Result, Verdict

SCHEMA = 2
"""The number of the JSON report's shape; it changes when a key is renamed or removed."""
ANNOTATIONS = 10
"""GitHub shows no more annotations of one kind for a step."""
# Characters that XML 1.0 cannot hold, not even escaped (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_report(
    results: Sequence[Result],
    *,
    backends: Sequence[str],
    clients: Sequence[str],
    cases: int,
    unreachable: Mapping[str, str],
    numbers: Mapping[Verdict, int] | None = None,
    **more: Any,
) -> str:
    """The report as JSON, with `more` as further members. Ends with LF.

    `unreachable` says why the run was stopped, by the names of the backends that were gone. `numbers` are
    those of the verdicts; without it the results are counted.
    """
    shown = [dataclasses.asdict(result) for result in results]
    for each in shown:
        del each["evidence"]
        each["seconds"] = round(each["seconds"], 3)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "backends": list(backends),
        "clients": list(clients),
        "cases": cases,
        "unreachable": dict(unreachable),
        **{verdict.value: number for verdict, number in (numbers or counts(results)).items()},
        "results": shown,
        **more,
    }
    return json.dumps(document, indent=1) + "\n"


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write JUnit XML: one suite for each backend, one test for each case. Raises OSError."""
    root = ElementTree.Element("testsuites", name="wireproof compare")
    for backend in dict.fromkeys(result.backend for result in results):
        _add_suite(root, backend, [result for result in results if result.backend == backend])
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def github_annotations(results: Iterable[Result], cases: Iterable[Case]) -> Iterator[str]:
    """One `::error` line for each difference and missing response, at the case's expectation file.

    GitHub shows the first ten of a step: the others are a number.
    """
    paths = {case.name: case.path for case in cases}
    failed = [result for result in results if result.failed]
    for result in failed[:ANNOTATIONS]:
        title = f"{result.case} on {result.backend}: {result.verdict.replace('_', ' ')}"
        yield annotation(title, result.detail, paths.get(result.case))
    if len(failed) > ANNOTATIONS:
        yield f"{len(failed) - ANNOTATIONS} more differences."


def summary(results: Sequence[Result]) -> str:
    """The numbers of verdicts as a Markdown table, for the summary of a step in GitHub Actions."""
    names = [verdict.replace("_", " ") for verdict in Verdict]
    lines = [f"| backend | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for backend in dict.fromkeys(result.backend for result in results):
        numbers = counts([result for result in results if result.backend == backend])
        lines.append(f"| {backend} | {' | '.join(map(str, numbers.values()))} |")
    return "\n".join(lines) + "\n\n"


def add_to_step_summary(text: str) -> None:
    """Append Markdown to the summary of a step, in GitHub Actions. Raises OSError."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def annotation(title: str, message: str, path: Path | None = None) -> str:
    """One `::error` line."""
    where = f"file={_property(_relative(path))},line=1," if path else ""
    return f"::error {where}title={_property(title)}::{_message(message)}"


def _add_suite(root: ElementTree.Element, backend: str, results: Sequence[Result]) -> None:
    number = counts(results)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=backend,
        tests=str(len(results)),
        failures=str(number[Verdict.DIFFERENT]),
        errors=str(number[Verdict.NO_RESPONSE]),
        skipped=str(number[Verdict.NOT_SENT]),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        name = f"compare.{backend}.{result.client}"
        test = ElementTree.SubElement(
            suite, "testcase", classname=name, name=result.case, time=f"{result.seconds:.3f}"
        )
        tag = {Verdict.DIFFERENT: "failure", Verdict.NO_RESPONSE: "error", Verdict.NOT_SENT: "skipped"}.get(
            result.verdict
        )
        if tag is not None:
            ElementTree.SubElement(test, tag, message=xml_text(result.detail)).text = xml_text(
                result.evidence
            )


def xml_text(text: str) -> str:
    """The text with escapes for what XML cannot hold."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _relative(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)


def _message(text: str) -> str:
    """Escape as GitHub's toolkit does: a line end would end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
