"""KnownDifferences differences are data that must be exact, needed and reasoned."""

import hashlib
from pathlib import Path

import pytest

from clients.comparison.cases import Case
from clients.comparison.expectation import Expectation
from clients.comparison.known_differences import (
    KNOWN_DIFFERENCES,
    KnownDifference,
    KnownDifferencesError,
    load_known_differences,
)
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

CASES = [
    Case(name, "title", ("R1",), tier, b"", Expectation.parse({"status": 200}))
    for name, tier in (("one", 1), ("two", 2))
]
ENTRY = '[[difference]]\ncase = "one"\nbackend = "flask"\nrule = "R38"\nreason = "upper-cased"\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "known.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_entry_is_found_by_case_and_backend(tmp_path: Path) -> None:
    known = load_known_differences(
        write(tmp_path, ENTRY + 'status = 200\nbody = { method = "GET" }\n'), CASES
    )
    assert list(known) == [("one", "flask")]
    assert known["one", "flask"].body == {"method": "GET"}


def test_the_projects_own_file_is_well_formed() -> None:
    from clients.comparison.runner import load_all_cases

    load_known_differences(KNOWN_DIFFERENCES, load_all_cases())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "Expected|after a key"),
        ('[[diference]]\ncase = "one"\n', r"only \[\[difference\]\]"),
        (ENTRY, "either status or closed"),
        (ENTRY + "status = 200\nclosed = true\n", "either status or closed"),
        (ENTRY + 'status = "200"\n', "status cannot be '200'"),
        (ENTRY + "status = 200\nmore = 1\n", "may have"),
        (ENTRY.replace("upper-cased", "") + "status = 200\n", "reason cannot be ''"),
        (ENTRY.replace('"one"', '"none"') + "status = 200\n", "there is no case 'none'"),
        (ENTRY.replace('"one"', '"two"') + "status = 200\n", "flask does not get the case two"),
        (ENTRY.replace("R38", "R999") + "status = 200\n", "R999"),
        ((ENTRY + "status = 200\n") * 2, "there is another entry"),
    ],
)
def test_an_entry_that_cannot_hold_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(KnownDifferencesError, match=why):
        load_known_differences(write(tmp_path, text), CASES)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnownDifferencesError, match=r"none\.toml"):
        load_known_differences(tmp_path / "none.toml", CASES)


BODY = b'{"code":"bad_host","n":1}\n'
GIVEN = Exchange((Response(400, (), BODY),))


@pytest.mark.parametrize(
    ("claims", "holds"),
    [
        ({"status": 400}, True),
        ({"status": 400, "code": "bad_host"}, True),
        ({"status": 400, "body": {"n": 1}}, True),
        ({"status": 400, "sha256": hashlib.sha256(BODY).hexdigest()}, True),
        ({"status": 401}, False),
        ({"status": 400, "code": "bad_header"}, False),
        ({"status": 400, "body": {"n": 2}}, False),
        ({"status": 400, "sha256": "0" * 64}, False),
        ({"closed": True}, False),
    ],
)
def test_an_entry_says_what_the_backend_gives(claims: dict[str, object], holds: bool) -> None:
    entry = KnownDifference("one", "flask", "R38", "reason", **claims)  # type: ignore[arg-type]
    assert (entry.fault(GIVEN) is None) is holds


def test_a_close_is_known_only_as_closed() -> None:
    closed = KnownDifference("one", "flask", "R38", "reason", closed=True)
    assert closed.fault(Exchange(closed=True)) is None
    assert closed.fault(Exchange(no_response="no response came in time"))
    assert KnownDifference("one", "flask", "R38", "reason", status=200).fault(Exchange(closed=True))


def test_a_code_is_not_found_in_a_body_that_is_not_json() -> None:
    entry = KnownDifference("one", "flask", "R38", "reason", status=400, code="bad_host")
    assert entry.fault(Exchange((Response(400, (), b"<html>"),)))
