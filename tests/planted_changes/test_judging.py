"""A planted change is what the server runs, and compare decides whether it is found."""

import pytest
from click.testing import CliRunner

from clients.comparison.known_differences import KNOWN_DIFFERENCES, load_known_differences
from clients.comparison.runner import load_all_cases
from tests.patience import eventually
from tests.planted_changes import __main__ as command
from tests.planted_changes import judging
from tests.planted_changes.alternatives import Kind
from tests.planted_changes.changes import Change, changes_in, unchanged
from tests.planted_changes.judging import BACKENDS, Verdict, changed_backend, judge

FILE = "servers/sansio/disposition.py"
FINDER = "disposition-percent-22-is-a-quote"


@pytest.fixture
def _few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    known = load_known_differences(KNOWN_DIFFERENCES, load_all_cases())
    few = load_all_cases(("raw",), "disposition-p*")
    assert FINDER in {case.name for case in few}
    monkeypatch.setattr(judging, "_cases", lambda: (few, known))


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize(("folder", "name"), [(f, name) for f, names in BACKENDS.items() for name in names])
def test_the_server_runs_the_changed_text(folder: str, name: str) -> None:
    file = {"contract": "servers/contract/form.py"}.get(folder, f"servers/{folder}/disposition.py")
    module, source = unchanged(file)
    with changed_backend(name, module, source + "\nprint('the changed text runs', flush=True)\n") as backend:
        assert eventually(lambda: "the changed text runs" in backend.log(), seconds=20)


@pytest.mark.usefixtures("_few_cases")
def test_a_change_that_a_case_shows_is_found() -> None:
    (change,) = (one for one in changes_in(FILE) if one.function == "_name" and ".replace('%32'" in one.after)
    verdict = judge(change.module, change.source(), ("socket",), [FINDER], 1)
    assert (verdict.found_by, verdict.case) == (f"{FINDER} on socket", FINDER)


@pytest.mark.soak(seconds=6)
@pytest.mark.usefixtures("_few_cases")
def test_the_unchanged_text_survives_on_every_backend_of_a_change() -> None:
    assert judge(*unchanged("servers/contract/form.py"), BACKENDS["contract"], (), 1).found_by == ""


def test_a_change_with_which_the_server_does_not_start_is_found() -> None:
    module, source = unchanged(FILE)
    verdict = judge(module, source + "\nraise RuntimeError\n", ("socket",), (), 1)
    assert "ended with exit status" in verdict.found_by


@pytest.mark.soak(seconds=6)
@pytest.mark.usefixtures("_few_cases")
def test_a_change_with_which_nothing_is_accepted_is_found() -> None:
    module, source = unchanged("servers/flask_reading/host.py")
    verdict = judge(module, source + "\nis_host = lambda value: False\n", ("gunicorn",), (), 1)
    assert verdict.case


@pytest.mark.usefixtures("_few_cases")
def test_a_comparison_without_end_is_ended_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_COMPARE_SECONDS", 0.0)
    assert judge(*unchanged(FILE), ("socket",), (), 1).case


def test_cases_that_found_a_change_are_sent_first() -> None:
    ordered = judging._ordered([FINDER], 1)
    assert ordered[0].name == FINDER
    assert sorted(case.name for case in ordered) == sorted(case.name for case in load_all_cases())


def test_the_list_of_changes_is_printed_without_a_run() -> None:
    result = CliRunner().invoke(command.main, ["--list", "--folder", "sansio", "--count", "3"])
    assert result.exit_code == 0
    assert result.output.count("\n -> ") == 3


@pytest.mark.parametrize(("at_least", "enough"), [(50.0, True), (51.0, False)])
def test_an_equivalent_change_does_not_count(
    at_least: float, enough: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found, survived, equivalent = (
        Change("servers/sansio/a.py", "", 1, Kind.CONSTANT, "1", "2", place, 0) for place in range(3)
    )
    verdicts = {found: Verdict("a case on socket", "a case", 1.0)}
    verdicts |= dict.fromkeys((survived, equivalent), Verdict("", "", 1.0))
    drawn = [found, survived, equivalent]
    assert command.show_shares(drawn, verdicts, [survived], at_least) is enough
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[:6] == ["sansio", "3", "1", "1", "1", "50.0"]
