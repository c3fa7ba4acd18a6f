"""The reports: at most 60 lines on the terminal, one self-contained page, and files for programs."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clients.assessment.assess import Judged
from clients.assessment.files import github_annotations, json_report, summary, write_junit
from clients.assessment.findings import Finding
from clients.assessment.groups import Group, Kind
from clients.assessment.html_report import html_report
from clients.assessment.probing import Level, Probe
from clients.assessment.report import Report
from clients.assessment.terminal import LINES, report_lines
from clients.assessment.told import Told
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response
from tests.assessment.serving import endpoint
from tests.recorded import recorded_cases

_CASES = recorded_cases()
_PROBE = Probe(
    Level.PARSED,
    {"multipart": 200, "json": 415, "none": 404},
    {"multipart": Told(frozenset({"form", "files"}), frozenset({"size"}))},
    ("multipart",),
    server="Evil/1.0 <b>",
)
_ANSWER = Exchange((Response(200, (("content-type", "text/html"),), b"<script>alert(1)</script>\x00"),))


def finding(number: int, group: Group, kind: str) -> Finding:
    return Finding(
        _CASES[number].name,
        "M38",
        group,
        kind,
        "<i>detail</i>",
        "M38: a & b",
        "whole",
        b"POST / <x>\r\n\r\n\x00" * (number + 1),
        _ANSWER,
        None if number % 2 else {"form": [{"name": "</pre>", "value": "v"}]},
    )


def many() -> list[Finding]:
    """Three findings of each of sixteen kinds in each group."""
    return [
        finding(number, group, f"Kind {kind} of {group.title}.")
        for group in Group
        for kind in range(16)
        for number in range(3)
    ]


def report(findings: list[Finding], **more: object) -> Report:
    judged = [Judged(case, None, Exchange(), 0.25) for case in _CASES[:40]]
    base = Report(endpoint("http://h/up"), _PROBE, judged, findings, 3.0)
    return replace(base, **more)  # type: ignore[arg-type]  # the types are those of Report


def text_of(one: Report, lines: int = LINES) -> list[str]:
    return [line.plain for line in report_lines(one, lines)]


@pytest.mark.soak(seconds=8)
def test_the_terminal_gets_60_lines_at_most_and_every_group() -> None:
    shown = text_of(report(many(), complaints=["one"] * 9, behind=frozenset()))
    assert len(shown) <= LINES
    for group in Group:
        assert f"{group.title.upper()}  48" in shown
    assert all(len(text_of(report(many()), lines)) <= lines for lines in range(4, 61))
    assert any(line.endswith(" other kinds") for line in shown)


def test_few_findings_are_all_shown_with_an_example_and_its_command() -> None:
    shown = text_of(report([finding(2, Group.CRASH, Kind.HANG), finding(1, Group.CRASH, Kind.HANG)]))
    name = _CASES[1].name
    assert shown[0] == "http://h/up  Evil/1.0 <b>"
    assert shown[1] == "It takes multipart; its answers tell files (size), form."
    assert shown[2] == "Not judged: json (415), GET (404)."
    assert shown[3] == "40 cases in 3 s: 38 answers are right, 2 are not."
    assert shown[5:7] == ["CRASH  2", Group.CRASH.sentence]
    assert shown[7] == f"      2  {Kind.HANG}  {name}"
    assert shown[8:11] == [
        f"         {name}: <i>detail</i>",
        "         M38: a & b",
        f"         wireproof cases show {name}",
    ]


def test_without_findings_there_is_one_sentence() -> None:
    assert text_of(report([]))[-1] == "40 cases in 3 s: all answers are right."
    known = report([], known=[finding(0, Group.OTHER, Kind.ORDER)])
    assert text_of(known)[-1] == "40 cases in 3 s: nothing new, 1 known."


def test_the_findings_of_a_proxy_are_counted() -> None:
    mine, other = finding(0, Group.CRASH, Kind.HANG), finding(1, Group.CRASH, Kind.HANG)
    shown = text_of(report([mine, other], behind=frozenset({mine.key}), hidden=4))
    assert shown[4] == "The proxy makes 1 of them, the server 1. The proxy hides 4 others of the server."
    assert f"{Kind.HANG} (1 by the proxy)" in shown[8]
    document = json.loads(json_report([report([mine, other], behind=frozenset({mine.key}))]))
    found = document["endpoints"][0]["groups"][0]["kinds"][0]["findings"]
    assert [each["by"] for each in found] == ["server", "proxy"]


class _Page(HTMLParser):
    """Collects the tags of a page, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_runs_nothing_of_the_server() -> None:
    text = html_report([report(many()), report([], probe=replace(_PROBE, trouble="no <answer>"))])
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert page.loaded == []
    assert not {"script", "b>", "i", "x", "img", "iframe"} & set(page.tags)
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x00" in text
    assert "&lt;/pre&gt;" in text
    assert page.tags.count("details") == 5 * 16 + 5 * 16 * 3
    assert "prefers-color-scheme: dark" in text


def test_the_matrix_of_the_page_counts_every_case_once() -> None:
    findings = [finding(number, Group.CRASH, Kind.HANG) for number in range(5)]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", html_report([report(findings)]))
    numbers = [list(map(int, re.findall(r"<td[^>]*>(\d+)</td>", row))) for row in rows]
    assert sum(row[0] for row in numbers) == 40
    assert all(row[0] == sum(row[1:]) for row in numbers)
    assert sum(row[3] for row in numbers) == 5


def test_junit_has_a_test_with_its_time_for_each_case(tmp_path: Path) -> None:
    path = tmp_path / "new" / "junit.xml"
    known = finding(1, Group.OTHER, Kind.ORDER)
    write_junit(path, [report([finding(0, Group.CRASH, Kind.HANG)], known=[known])])
    (suite,) = ElementTree.parse(path).getroot()
    assert suite.attrib == {
        "tests": "40",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "name": "http://h/up",
        "time": "3.000",
    }
    tests = {test.get("name"): test for test in suite}
    assert len(tests) == 40
    assert all(test.get("time") == "0.250" for test in suite)
    (failure,) = tests[_CASES[0].name]
    assert failure.get("message") == f"crash: {Kind.HANG} <i>detail</i>"
    assert "POST / <x>" in (failure.text or "")
    assert [child.tag for child in tests[_CASES[1].name]] == ["skipped"]


def test_junit_is_red_when_nothing_could_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    write_junit(path, [report([], stopped="it is gone", unsent=3, complaints=["remove a"])])
    (suite,) = ElementTree.parse(path).getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("42", "2")
    assert [error.get("message") for error in suite.iter("error")] == ["it is gone", "remove a"]


def test_github_gets_ten_annotations_and_the_number_of_the_others() -> None:
    lines = list(github_annotations([report(many())]))
    assert len(lines) == 11
    assert all(line.startswith("::error title=silent loss%3A ") for line in lines[:10])
    assert lines[10] == "70 more kinds of finding."
    assert list(github_annotations([report([])])) == []
    (trouble,) = github_annotations([report([], probe=replace(_PROBE, trouble="no answer"))])
    assert trouble == "::error title=http%3A//h/up could not be judged::no answer"


def test_the_summary_of_a_step_is_a_table() -> None:
    kind = "A | <b> ![x](y)."
    lines = summary([report([finding(0, Group.CRASH, kind)], complaints=["gone"])]).splitlines()
    assert f"| crash | 1 | A \\| &lt;b> \\!\\[x\\](y). | `{_CASES[0].name}` |" in lines
    assert "- Baseline: gone" in lines
    assert "Not judged: no answer." in summary([report([], probe=replace(_PROBE, trouble="no answer"))])


@pytest.mark.parametrize("count", [0, 2])
def test_json_has_the_whole_report(count: int) -> None:
    findings = [finding(number, Group.CRASH, Kind.HANG) for number in range(count)]
    (one,) = json.loads(json_report([report(findings)]))["endpoints"]
    assert (one["name"], one["level"], one["cases"], one["right"]) == (
        "http://h/up",
        "parsed",
        40,
        40 - count,
    )
    assert one["tells"] == {"members": ["files", "form"], "files": ["size"]}
    assert sum(len(kind["findings"]) for group in one["groups"] for kind in group["kinds"]) == count
