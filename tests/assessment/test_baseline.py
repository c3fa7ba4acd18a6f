"""The baseline: what is known has a reason and a date, and what no longer holds is reported."""

from datetime import date
from pathlib import Path

import pytest

from clients.assessment.baseline import BaselineError, Entry, divide, load_baseline, write_baseline
from clients.assessment.findings import Finding
from clients.assessment.groups import Group, Kind
from clients.http1.exchange import Exchange

TODAY = date(2026, 12, 1)


def finding(case: str, kind: str = Kind.EMPTY_FORM, group: Group = Group.SILENT_LOSS) -> Finding:
    return Finding(case, "M38", group, kind, "detail", "", "whole", b"", Exchange())


def entry(*cases: str, expires: date = TODAY) -> Entry:
    return Entry("silent loss", str(Kind.EMPTY_FORM), "we know", expires, frozenset(cases))


def test_a_written_baseline_has_to_be_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    write_baseline(path, [finding("b"), finding("a"), finding("c", Kind.SERVER_ERROR, Group.CRASH)])
    with pytest.raises(BaselineError, match=r"entry 1 .*: fill in the reason"):
        load_baseline(path)
    text = path.read_text("utf-8").replace('reason = ""', 'reason = "we know"')
    path.write_text(text, "utf-8")
    with pytest.raises(BaselineError, match="fill in the date on which it expires"):
        load_baseline(path)
    path.write_text(
        text.replace('expires = ""', "expires = 2026-12-01", 1).replace('""', '"2027-01-31"'), "utf-8"
    )
    first, second = load_baseline(path)
    assert first == entry("a", "b")
    assert (second.group, second.kind, second.expires) == ("crash", str(Kind.SERVER_ERROR), date(2027, 1, 31))


def test_known_findings_are_left_out_and_new_ones_stay() -> None:
    new, known, complaints = divide([finding("a"), finding("b")], ["a", "b"], [entry("a")], TODAY)
    assert [each.case for each in new] == ["b"]
    assert [each.case for each in known] == ["a"]
    assert complaints == []


def test_another_kind_of_a_known_case_is_new() -> None:
    new, _, _ = divide([finding("a", Kind.FILE_MISSING)], [], [entry("a")], TODAY)
    assert [each.case for each in new] == ["a"]


def test_an_entry_that_no_longer_holds_is_reported_if_its_case_was_sent() -> None:
    assert divide([], ["a", "b"], [entry("a", "b")], TODAY)[2] == [
        "remove a and 1 more from silent loss: The whole form is empty. That is no longer so."
    ]
    assert divide([], [], [entry("a")], TODAY)[2] == []


def test_an_expired_entry_is_reported_and_hides_nothing() -> None:
    new, known, complaints = divide([finding("a")], ["a"], [entry("a", expires=date(2026, 11, 30))], TODAY)
    assert (len(new), len(known)) == (1, 0)
    assert complaints == ["expired on 2026-11-30: silent loss: The whole form is empty. (we know)"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "known.toml"),
        ("other = 1", "only [[known]] entries are allowed"),
        ("known = 1", "only [[known]] entries are allowed"),
        ("[[known]]\ngroup = 'crash'", "the keys must be"),
        (
            "[[known]]\ngroup='a'\nkind='b'\nreason='c'\nexpires='2027-13-01'\ncases=[]",
            "fill in the date on which it expires",
        ),
        ("[[known]]\ngroup='a'\nkind='b'\nreason='c'\nexpires=2027-01-01\ncases=[1]", "a list of names"),
    ],
)
def test_a_malformed_baseline_is_refused(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BaselineError) as raised:
        load_baseline(path)
    assert why in str(raised.value)
    with pytest.raises(BaselineError):
        load_baseline(tmp_path / "absent.toml")
