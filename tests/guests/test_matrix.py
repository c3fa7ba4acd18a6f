"""The matrix: which inputs there are, who reads them alike, and that no adapter is blamed on a parser."""

import io
import json
import re
import sys
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from clients import matrix as matrix_command
from clients.assessment.findings import MEASURED
from clients.assessment.groups import Group
from clients.comparison.cases import load_cases
from clients.guests import matrix as matrix_module
from clients.guests.evidence import measured_evidence
from clients.guests.files import matrix_json, matrix_markdown
from clients.guests.inputs import FAMILIES, MOST_BYTES, PLAIN, chosen_inputs, plain_inputs
from clients.guests.matrix import Column, Matrix, measure
from clients.guests.page import matrix_page
from clients.guests.readings import Outcome, Reading
from clients.guests.serving import serving
from clients.guests.table import SCRIPTS, Guest, load_guests
from clients.guests.terminal import show_input, show_matrix, show_pair
from clients.programs import AbsentError, prepare, version_of

_CASES = load_cases()
# Splits that were seen before.
_SEEN = {
    *("M7", "M13", "M17", "M19", "M24", "M29", "M48", "M62", "M66", "M68", "M74", "M77"),
}


def here(name: str, script: str, *more: str) -> Guest:
    """A guest in the environment of the tests."""
    command = (sys.executable, str(SCRIPTS / script), "{port}", *more)
    return Guest(name, name.title(), command, kinds=("multipart", "urlencoded", "json"))


def test_the_inputs_are_the_smallest_of_each_rule_about_bodies() -> None:
    inputs = chosen_inputs(_CASES)
    assert len(inputs) >= 60
    rules = {case.rules[0] for case in inputs}
    assert rules >= _SEEN
    assert {rule[0] for rule in rules} == set(FAMILIES)
    assert max(len(case.request) for case in inputs) <= MOST_BYTES
    assert len({case.name for case in inputs}) == len(inputs)
    assert "field-in-utf-7" in {case.name for case in inputs}


def test_what_a_guest_leaves_among_the_temporary_files_is_removed(tmp_path: Path) -> None:
    script = """import pathlib, sys, tempfile, http.server
pathlib.Path("where").write_text(tempfile.mkstemp()[1])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""
    guest = Guest("leaves", "Leaves", (sys.executable, "-c", script, "{port}"), ("multipart",))
    with serving(guest, tmp_path):
        left = Path((tmp_path / "where").read_text())
        assert left.exists()
    assert not left.exists()


def test_there_are_twelve_plain_uploads() -> None:
    names = {name for alternatives in PLAIN.values() for name in alternatives}
    assert {case.name for case in plain_inputs(_CASES)} == names
    assert len(PLAIN) == 12
    assert all(case.accepted for case in plain_inputs(_CASES))


def test_at_least_25_guests_have_a_script_of_at_most_40_lines() -> None:
    guests = load_guests()
    assert len(guests) >= 25
    scripts = [path for path in SCRIPTS.iterdir() if "_guest." in path.name]
    named = {word.rpartition("/")[2] for guest in guests.values() for word in (*guest.command, *guest.build)}
    assert {path.name for path in scripts} <= named
    for path in scripts:
        lines = path.read_text("utf-8").splitlines()
        assert 8 <= len(lines) <= 52, path.name
    assert all(guest.pip or guest.npm or (guest.version and guest.apt) for guest in guests.values())


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    guests = [here("flask", "flask_guest.py"), here("starlette", "starlette_guest.py")]
    return measure(guests, chosen_inputs(_CASES), plain_inputs(_CASES), tmp_path_factory.mktemp("guests"))


def test_guests_are_asked_and_grouped(measured: Matrix) -> None:
    assert measured.absent == {}
    assert [column.name for column in measured.columns] == ["socket", "gunicorn", "flask", "starlette"]
    ours, _, flask, starlette = measured.columns
    assert len(ours.readings) == len(measured.inputs)
    assert ours.cases_in(*Group) == []
    assert "multipart-ends-in-part-headers" not in flask.cases_in(Group.REFUSES_CLIENTS)
    assert len(flask.cases_in(Group.SILENT_LOSS)) > 10
    assert len(starlette.cases_in(Group.SILENT_LOSS)) > 5
    (twice,) = [case for case in measured.inputs if case.rules[0] == "M48" and not case.accepted]
    readings = [(reading.line, len(columns)) for reading, columns in measured.groups(twice.name)]
    assert readings[0] == ("refused", 2)
    assert len(readings) == 3
    assert twice.name in measured.read_otherwise(flask, starlette)
    assert twice.name not in measured.read_otherwise(ours, starlette)


def test_a_faulty_adapter_is_left_out_by_name(tmp_path: Path) -> None:
    script = tmp_path / "answer.py"
    text = (SCRIPTS / "answer.py").read_text("utf-8").replace('"size": len(data)', '"size": len(data) + 1')
    script.write_text(text, "utf-8")
    (tmp_path / "flask_guest.py").write_bytes((SCRIPTS / "flask_guest.py").read_bytes())
    command = (sys.executable, str(tmp_path / "flask_guest.py"), "{port}")
    guest = Guest("flask", "Flask", command, kinds=("multipart",))
    result = measure([guest], chosen_inputs(_CASES)[:2], plain_inputs(_CASES), tmp_path)
    assert (
        "its adapter misreads plain uploads: a field and a file: file 'f': size 1 sent, 2 read"
        in result.absent["Flask"]
    )
    assert [column.name for column in result.columns] == ["socket", "gunicorn"]


@pytest.mark.parametrize(
    ("guest", "why"),
    [
        (Guest("x", "X", ("nonesuch",), programs=("nonesuch",), apt=("no-such",)), "Debian has no-such"),
        (Guest("x", "X", ("true",), build=("false",)), "false failed"),
    ],
)
def test_what_is_missing_is_named(guest: Guest, why: str, tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match=why):
        prepare(guest, tmp_path, SCRIPTS)


def test_what_differs_by_design_is_among_the_plain_uploads() -> None:
    assert all(set(guest.by_design) <= PLAIN.keys() for guest in load_guests().values())


def test_a_guest_that_does_not_start_is_left_out_with_its_log(tmp_path: Path) -> None:
    guest = Guest("x", "X", (sys.executable, "-c", "raise SystemExit('no port')"), kinds=("multipart",))
    prepare(guest, tmp_path, SCRIPTS)
    result = measure([guest], chosen_inputs(_CASES)[:2], plain_inputs(_CASES), tmp_path)
    assert "did not start:\nno port" in result.absent["X"]


def test_versions_come_from_the_program(tmp_path: Path) -> None:
    assert version_of(Guest("x", "X", version=("echo", "tool 1.2.3-4")), tmp_path, SCRIPTS) == "1.2.3"
    assert version_of(Guest("x", "X", version=("false",)), tmp_path, SCRIPTS) == "?"


def test_the_reports_have_every_guest_and_input(measured: Matrix) -> None:
    document = json.loads(matrix_json(measured, date(2026, 12, 1)))
    assert [guest["name"] for guest in document["guests"]] == ["socket", "gunicorn", "flask", "starlette"]
    assert len(document["inputs"]) == len(measured.inputs)
    assert all(len(one["groups"]) >= 1 for one in document["inputs"])
    assert {"front": "flask", "behind": "starlette"} in [
        {key: pair[key] for key in ("front", "behind")} for pair in document["read_otherwise"]
    ]
    lines = matrix_markdown(measured, date(2026, 12, 1)).splitlines()
    assert lines[0] == f"Measured on 2026-12-01: 4 guests, {len(measured.inputs)} inputs."
    assert any(line.startswith("| M48 | ") for line in lines)
    assert len({line.count("|") - line.count("\\|") for line in lines if line.startswith("| M")}) == 1


def test_the_evidence_of_a_rule_is_how_others_read_its_most_disputed_input(measured: Matrix) -> None:
    lines = tomllib.loads(measured_evidence(measured, date(2026, 12, 1)))
    assert lines["M48"] == 'Flask reads "a" = "v"; Starlette reads "c" = "v"'
    assert lines["M13"] == "Starlette refuses it; Flask reads nothing"
    assert "M14" not in lines, "both read it alike"


def test_the_evidence_of_compare_is_about_the_inputs_of_today() -> None:
    """It was written by `wireproof matrix --evidence`; a rule without a line is read alike by all."""
    measured = tomllib.loads(MEASURED.read_text("utf-8"))
    rules = {case.rules[0] for case in chosen_inputs(_CASES)}
    assert measured.keys() <= rules
    assert len(measured) > 0.9 * len(rules)


def test_the_summary_fits_on_a_screen_and_one_input_shows_its_bytes(measured: Matrix) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    show_matrix(console, Matrix(measured.inputs, [*measured.columns] * 6, {"Gone": "no program"}))
    text = console.export_text()
    assert len(text.splitlines()) <= 60
    assert "Left out: Gone (no program)" in text
    case = next(case for case in measured.inputs if case.rules[0] == "M48")
    show_input(console, measured, case)
    text = console.export_text()
    assert "Content-Disposition: form-data" in text
    assert "wireproof socket, wireproof Flask" in text


def test_a_pair_shows_what_passes_one_guest_and_is_read_otherwise_behind_it(measured: Matrix) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    front, behind = measured.columns[2:]
    show_pair(console, measured, front, behind)
    text = console.export_text()
    passed = measured.read_otherwise(front, behind)
    assert (
        f"{len(passed)} of {len(measured.inputs)} inputs pass Flask and are read otherwise by Starlette."
        in text
    )
    assert '     Flask reads "a" = "v"\n     Starlette reads "c" = "v"\n' in text


def test_a_long_reading_is_one_short_line() -> None:
    reading = Reading(Outcome.READ, tuple(("n" * 100, str(number)) for number in range(1000)))
    assert len(reading.line) < 400
    assert reading.line.endswith("; 995 more")


def test_the_page_needs_nothing_else_and_escapes_what_guests_said(measured: Matrix) -> None:
    column = replace(measured.columns[2], title="<img>", version="<b>")
    text = matrix_page(replace(measured, columns=[*measured.columns[:2], column]), date(2026, 12, 1))
    assert "<img" not in text
    assert "<b>" not in text.replace("<summary><b>", "")
    assert not re.search(r"(src|href)=|url\(|@import", text)
    assert text.count("<details ") == len(measured.inputs)
    assert text.count("<script>") == 1
    assert "3 parsers read" in text


@pytest.mark.soak(seconds=15)
def test_the_command_writes_every_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = here("flask", "flask_guest.py")
    monkeypatch.setattr(matrix_command, "load_guests", lambda: {"flask": guest})
    paths = [tmp_path / name for name in ("m.json", "m.md", "m.html", "m.toml")]
    options = [
        word
        for name, path in zip(("json", "markdown", "html", "evidence"), paths, strict=True)
        for word in (f"--{name}", str(path))
    ]
    done = CliRunner().invoke(
        matrix_command.main, ["--folder", str(tmp_path), "--cases", "name-with*", *options]
    )
    assert done.exit_code == 0, done.output
    assert "3 guests and " in done.output
    assert all(path.stat().st_size > 100 for path in paths)
    shown = CliRunner().invoke(matrix_command.main, ["--folder", str(tmp_path), "--input", "name-with-nul"])
    assert "Content-Disposition: form-data" in shown.output
    pair = CliRunner().invoke(
        matrix_command.main,
        ["--folder", str(tmp_path), "--cases", "name-with-nul", "--pair", "socket", "flask"],
    )
    assert "0 of 1 inputs pass wireproof socket and are read otherwise by Flask." in pair.output
    for arguments, why in (
        (["--guest", "nonesuch"], "nonesuch is not among flask"),
        (["--pair", "socket", "nonesuch"], "nonesuch is not among flask"),
        (["--input", "nonesuch"], "no case matches 'nonesuch'"),
    ):
        wrong = CliRunner().invoke(matrix_command.main, arguments)
        assert wrong.exit_code == 2
        assert why in wrong.output


def test_a_guest_that_ends_is_started_again_for_the_rest(tmp_path: Path) -> None:
    """The script ends at each input with a NUL."""
    script = tmp_path / "flask_guest.py"
    text = (SCRIPTS / "flask_guest.py").read_text("utf-8")
    ending = "    if b'\\0' in request.get_data(): __import__('os')._exit(1)\n    files ="
    script.write_text(text.replace("    files =", ending, 1), "utf-8")
    (tmp_path / "answer.py").write_bytes((SCRIPTS / "answer.py").read_bytes())
    guest = Guest("flask", "Flask", (sys.executable, str(script), "{port}"), kinds=("multipart",))
    inputs = [case for case in _CASES if case.name.startswith("name-with")]
    result = measure([guest], inputs, [], tmp_path)
    assert len(result.columns[2].readings) == len(inputs)
    failed = [
        name for name, reading in result.columns[2].readings.items() if reading.outcome is Outcome.FAILED
    ]
    assert "name-with-nul" in failed


def test_columns_that_were_not_asked_are_not_compared() -> None:
    one = Column("a", "A", "1", {"x": Reading(Outcome.READ, (("n", "v"),))}, {})
    other = Column("b", "B", "1", {}, {})
    assert Matrix([], [one, other]).read_otherwise(one, other) == []
    assert len(Matrix([], [one, other]).groups("x")) == 1
    assert matrix_module.OURS.keys() == {"socket", "gunicorn"}
