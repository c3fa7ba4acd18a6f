"""The recorded requests are well-formed, complete and in step with the rules and the problem codes.

What the servers answer to them is not asked here, nor is the loader: the files are read as they lie.
"""

import json
import tomllib
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from servers.contract.problems import PROBLEMS

_PROJECT = Path(__file__).resolve().parent.parent
_SAMPLES = _PROJECT / "sample_files"
_REQUESTS = _SAMPLES / "requests"
_RULES = _PROJECT / "clients" / "rules.toml"
_HTTP = sorted(_REQUESTS.glob("*/*.http"))
_JSON = sorted(_REQUESTS.glob("*/*.json"))

# Rows of the decision table, counted there; and those that no single recorded request can show.
_ROWS = {"R": 42, "H": 36, "B": 45, "C": 12, "U": 15, "J": 17, "M": 90, "K": 15, "A": 15, "S": 11}
_NOT_RECORDABLE = {
    "H36": "a head in slow pieces: what the pauses do",
    "B3": "a time-out",
    "S2": "left out of the comparison",
    "S8": "left out of the comparison",
}

_LF_ALONE = {"head-with-lf-line-ends-only"}

_STATUS = {"type": "integer", "minimum": 200, "maximum": 599}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": _STATUS,
        "code": {"enum": sorted(PROBLEMS)},
        "body": {"type": "object", "minProperties": 1},
        "headers": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z-]+$"},
            "additionalProperties": {"type": ["string", "null"]},
        },
        "text": {"type": "string"},
        "events": {"type": "array"},
        "refused": {"const": True},
        "extra": {"const": True},
    },
    "anyOf": [{"required": ["status"]}, {"required": ["refused"]}],
    "additionalProperties": False,
}
_CLOSED = {
    "type": "object",
    "properties": {"closed": {"const": True}},
    "required": ["closed"],
    "additionalProperties": False,
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 10, "maxLength": 160, "pattern": "[.]$"},
        "rules": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[RHBCUJMKAS][1-9][0-9]?$"},
            "minItems": 1,
            "uniqueItems": True,
        },
        "store": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "expect": {"anyOf": [_CLOSED, _ANSWER, {"type": "array", "items": _ANSWER, "minItems": 2}]},
    },
    "required": ["title", "rules", "expect"],
    "additionalProperties": False,
}
_VALIDATOR = Draft202012Validator(_SCHEMA)


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@cache
def _case(path: Path) -> dict[str, Any]:
    case = json.loads(path.read_text("utf-8"))
    assert isinstance(case, dict), path
    return case


def _answers(case: dict[str, Any]) -> list[dict[str, Any]]:
    expect = case["expect"]
    return expect if isinstance(expect, list) else [expect]


def _is_success(response: dict[str, Any]) -> bool:
    """Whether a 2xx or 3xx is expected, and nothing that belongs to a refusal."""
    return 200 <= response.get("status", 0) < 400 and not response.keys() & {"code", "refused", "closed"}


def _twins(values: dict[str, Any]) -> list[list[str]]:
    """The labels that share a value."""
    ordered = sorted(values, key=lambda label: (values[label], label))
    groups = [list(group) for _, group in groupby(ordered, key=values.__getitem__)]
    return [group for group in groups if len(group) > 1]


def _rules() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_RULES.read_text("utf-8"))


def test_every_request_has_an_expectation_and_every_expectation_a_request() -> None:
    assert _HTTP
    assert [_label(path) for path in _HTTP] == [_label(path) for path in _JSON]


def test_no_name_stands_in_both_folders() -> None:
    names = [path.stem for path in _JSON]
    assert sorted(set(names)) == sorted(names)


def test_every_case_has_the_schema_of_cases() -> None:
    faults = {
        _label(path): [error.message for error in _VALIDATOR.iter_errors(_case(path))] for path in _JSON
    }
    assert {label: messages for label, messages in faults.items() if messages} == {}


def test_cases_name_known_rules_and_sample_files() -> None:
    rules = _rules()
    for path in _JSON:
        case = _case(path)
        assert [rule for rule in case["rules"] if rule not in rules] == [], _label(path)
        assert [name for name in case.get("store", []) if not (_SAMPLES / name).is_file()] == [], _label(path)


def test_valid_requests_are_answered_and_invalid_ones_refused() -> None:
    misplaced = [
        _label(path)
        for path in _JSON
        for response in _answers(_case(path))
        if (path.parent.name == "valid") != _is_success(response)
    ]
    assert misplaced == []


def test_a_refusal_has_a_code_and_the_status_of_its_code() -> None:
    for path in _JSON:
        for response in _answers(_case(path)):
            if "code" in response:
                assert response["status"] == PROBLEMS[response["code"]].status, _label(path)
            elif not (_is_success(response) or response.keys() & {"closed", "refused"}):
                # The answer to HEAD has no body that could show a code.
                assert path.with_suffix(".http").read_bytes().startswith(b"HEAD "), _label(path)


def test_no_two_requests_are_equal() -> None:
    assert _twins({_label(path): path.read_bytes() for path in _HTTP}) == []


def test_no_two_cases_of_a_rule_have_the_same_title() -> None:
    cases = {_label(path): _case(path) for path in _JSON}
    assert _twins({label: (case["rules"], case["title"]) for label, case in cases.items()}) == []


def test_line_ends_are_those_that_were_recorded() -> None:
    """A checkout that changes line ends loses every CRLF, or gives every bare LF a CR."""
    with_bare_lf = 0
    for path in _HTTP:
        request = path.read_bytes()
        assert b"\r\n" in request or b"\n" not in request or path.stem in _LF_ALONE, _label(path)
        with_bare_lf += request.count(b"\n") > request.count(b"\r\n")
    assert with_bare_lf > 5
    assert b"\r\n" not in (_SAMPLES / "hello-world.txt").read_bytes()
    assert "sample_files/** -text" in (_PROJECT / ".gitattributes").read_text("utf-8").splitlines()


def test_valid_requests_are_the_same_in_every_run() -> None:
    """The User-Agent is fixed, so that answers can be compared byte by byte."""
    valid = [path for path in _HTTP if path.parent.name == "valid"]
    assert [_label(path) for path in valid if b"\r\nUser-Agent: wireproof\r\n" not in path.read_bytes()] == []


def test_every_row_of_the_decision_table_is_a_rule() -> None:
    rules = _rules()
    rows = [f"{letter}{number}" for letter, count in _ROWS.items() for number in range(1, count + 1)]
    assert list(rules) == rows
    for rule in rules.values():
        assert rule.keys() == {"tier", "says"}
        assert rule["tier"] in (1, 2, 3)
        assert 10 <= len(rule["says"]) <= 160


def test_every_rule_has_a_case_or_a_reason_for_none() -> None:
    seen = {rule for path in _JSON for rule in _case(path)["rules"]}
    assert sorted(_rules().keys() - seen) == sorted(_NOT_RECORDABLE)
