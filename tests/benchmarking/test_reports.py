"""The reports: JSON, the page and the terminal."""

import io
import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest
from rich.console import Console

from clients.benchmarking.catalog import WORKLOADS
from clients.benchmarking.json_report import report_json
from clients.benchmarking.measured_servers import REFERENCE
from clients.benchmarking.page import report_page
from clients.benchmarking.plots import Bar, Line, Quantiles, bar_chart, line_chart, range_chart
from clients.benchmarking.terminal import show_outcome
from tests.benchmarking.reports import MACHINE, SCHEMA, outcome_of

_RATES = {"socket": 30.0, REFERENCE: 10.0, "null": 900.0}


def test_the_json_has_its_schema_and_the_ratios() -> None:
    outcome = outcome_of(_RATES)
    outcome.void.append(("w2", "node", "files: [] instead of [...]"))
    outcome.left_out.append(("w5", "", "no room"))
    outcome.failures["w2", "socket"] = "status 503"
    document = json.loads(report_json(outcome, MACHINE))
    jsonschema.validate(document, SCHEMA)
    assert list(document["workloads"]) == [workload.name for workload in WORKLOADS]
    assert document["workloads"]["w1"]["socket"]["ratio"] == 3.0
    assert document["workloads"]["w1"][REFERENCE]["ratio"] == 1.0
    assert document["units"]["w1"] == {"rate": "MiB/s", "cpu": "s/GiB"}
    assert document["void"] == [{"workload": "w2", "server": "node", "why": "files: [] instead of [...]"}]


def test_a_figure_without_a_reference_has_no_ratio() -> None:
    document = json.loads(report_json(outcome_of({"socket": 30.0}), MACHINE))
    jsonschema.validate(document, SCHEMA)
    assert document["workloads"]["w2"]["socket"]["ratio"] is None


def svg_of(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_the_page_needs_nothing_else_and_has_its_plots() -> None:
    outcome = outcome_of(_RATES)
    outcome.void.append(("w2", "<node>", "wrong & bad"))
    page = report_page(outcome, MACHINE)
    assert re.findall(r"(?:src|href)=|@import|url\(|https?://", page) == []
    labels = [svg.get("aria-label") or "" for svg in svg_of(page)]
    assert sum(label.startswith("Throughput") for label in labels) == len(WORKLOADS)
    assert sum(label.startswith("Latency") for label in labels) == len(WORKLOADS)
    assert sum(label.startswith("Peak memory") for label in labels) == 1
    assert "&lt;node&gt; in w2: wrong &amp; bad" in page


def test_the_terminal_names_what_is_void_or_left_out_and_why() -> None:
    outcome = outcome_of(_RATES)
    outcome.void.append(("w2", "node", "another digest"))
    outcome.absent["go"] = "go not found; Debian has golang-go"
    printed = io.StringIO()
    show_outcome(Console(file=printed, width=140), outcome)
    assert "Void: node in w2: another digest" in printed.getvalue()
    assert "Left out: go: go not found; Debian has golang-go" in printed.getvalue()
    assert re.search(r"socket +3\.00 +3\.00 3\.00", printed.getvalue())


def test_bars_are_as_long_as_their_values() -> None:
    svg = ElementTree.fromstring(bar_chart([Bar("a", "other", 2.0), Bar("b", "ours", 4.0)], "bars"))
    widths = {bar.get("class"): float(bar.get("width") or 0) for bar in svg.iter("rect")}
    assert widths["ours"] == pytest.approx(2 * widths["other"], abs=0.2)


def test_a_distribution_is_drawn_on_a_logarithmic_axis() -> None:
    row = Quantiles("a", "ours", (1.0, 10.0, 100.0, 1000.0, 10000.0))
    svg = ElementTree.fromstring(range_chart([row], "latency", "ms"))
    (box,) = svg.iter("rect")
    (line,) = (line for line in svg.iter("line") if line.get("class") == "ours")
    whole = float(line.get("x2") or 0) - float(line.get("x1") or 0)
    assert float(box.get("width") or 0) == pytest.approx(whole / 2, abs=0.3)


def test_lines_begin_at_zero_and_their_labels_do_not_cover_each_other() -> None:
    lines = [Line(name, "other", ((1.0, 0.0), (4.0, 5.0))) for name in "abc"]
    svg = ElementTree.fromstring(line_chart(lines, "memory", "MiB", "MiB"))
    places = sorted(float(text.get("y") or 0) for text in svg.iter("text") if (text.text or "") in "abc")
    assert len(places) == 3
    assert all(after - before >= 12 for before, after in pairwise(places))
