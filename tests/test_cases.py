"""The recorded requests are well-formed, complete and in step with the rules and the problem codes.

These tests send nothing to a server and do not use the loader: they read the files themselves.
"""

import hashlib
import json
import tomllib
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from clients.comparison.recipe import make_request
from servers.contract.problems import PROBLEMS

_PROJECT = Path(__file__).resolve().parent.parent
_SAMPLES = _PROJECT / "sample_files"
_REQUESTS = _SAMPLES / "requests"
_RULES = _PROJECT / "sample_files" / "requests" / "rules.toml"
_HTTP = sorted(_REQUESTS.glob("*/*.http"))
_JSON = sorted(_REQUESTS.glob("*/*.json"))

# A case lies in the folder of its first rule: the last number of each range of rules, and its folder.
_FAMILIES = {
    "R": [(42, "request_line")],
    "H": [(36, "header_fields")],
    "B": [(45, "body_framing")],
    "C": [(12, "content_type")],
    "U": [(15, "urlencoded")],
    "J": [(17, "json")],
    "M": [
        (12, "multipart_boundary"),
        (36, "multipart_structure"),
        (49, "multipart_headers"),
        (65, "multipart_names"),
        (75, "multipart_headers"),
        (90, "multipart_values"),
    ],
    "K": [(15, "cookies")],
    "A": [(15, "access")],
    "D": [(8, "digests")],
    "S": [(11, "responses")],
    "W": [(8, "routes")],
    "P": [(16, "resumable")],
}

# Rows of the decision table, counted there; and those that no single recorded request can show.
_ROWS = {
    "R": 42,
    "H": 36,
    "B": 45,
    "C": 12,
    "U": 15,
    "J": 17,
    "M": 90,
    "K": 15,
    "A": 15,
    "D": 8,
    "S": 12,
    "W": 9,
    "P": 16,
}
_NOT_RECORDABLE = {
    "H36": "a head in slow pieces: what the pauses do",
    "B3": "a time-out",
    "S2": "left out of the comparison",
    "S8": "left out of the comparison",
    "P9": "two requests for an upload at a time: tests/routes/test_tus.py",
    "P15": "an upload that is complete: tests/routes/test_resumable_draft.py",
    "W6": "details are left out of the comparison",
}

_LF_ALONE = {"head-with-lf-line-ends-only"}

_STATUS = {"type": "integer", "minimum": 200, "maximum": 599}
_RESPONSE: dict[str, Any] = {
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
        "continues": {"type": "integer", "minimum": 0, "maximum": 2},
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
            "items": {"type": "string", "pattern": "^[RHBCDUJMKASWP][1-9][0-9]?$"},
            "minItems": 1,
            "uniqueItems": True,
        },
        "store": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "splits": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        "expect": {"anyOf": [_CLOSED, _RESPONSE, {"type": "array", "items": _RESPONSE, "minItems": 2}]},
        "request": {"type": "array", "minItems": 2},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    "required": ["title", "rules", "expect"],
    "dependentRequired": {"request": ["sha256"], "sha256": ["request"]},
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


@cache
def _request(path: Path) -> bytes:
    """The bytes of the request whose expectation is `path`."""
    recipe = _case(path).get("request")
    return path.with_suffix(".http").read_bytes() if recipe is None else make_request(recipe)


def _family(rule: str) -> str:
    return next(folder for last, folder in _FAMILIES[rule[0]] if int(rule[1:]) <= last)


def _accepted(path: Path) -> bool:
    return all(_is_success(response) for response in _responses(_case(path)))


def _responses(case: dict[str, Any]) -> list[dict[str, Any]]:
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


def test_every_case_has_one_request_and_every_request_a_case() -> None:
    """A request is recorded in `NAME.http` or made by the recipe in `NAME.json`, never both."""
    assert _HTTP
    recorded = [path for path in _JSON if "request" not in _case(path)]
    assert [_label(path) for path in _HTTP] == [_label(path) for path in recorded]


def test_a_large_request_is_made_by_a_recipe() -> None:
    assert [_label(path) for path in _HTTP if path.stat().st_size > 16_000] == []


def test_a_recipe_makes_the_bytes_that_were_recorded() -> None:
    made = {_label(path): _case(path)["sha256"] for path in _JSON if "request" in _case(path)}
    assert len(made) == 65
    digests = {_label(path): hashlib.sha256(_request(path)).hexdigest() for path in _JSON}
    assert made == {label: digests[label] for label in made}


def test_a_case_lies_in_the_folder_of_its_first_rule() -> None:
    folders = {_label(path): _family(_case(path)["rules"][0]) for path in _JSON}
    assert {label: folder for label, folder in folders.items() if not label.startswith(f"{folder}/")} == {}


def test_the_names_of_cases_are_unique_over_all_folders() -> None:
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


def test_the_responses_of_a_case_are_all_accepted_or_all_refused() -> None:
    """After accepted requests a last one may find that nothing was stored."""
    verdicts = {
        _label(path): {
            _is_success(response) or (at > 0 and response.get("code") == "not_found" and _accepts_first(path))
            for at, response in enumerate(_responses(_case(path)))
        }
        for path in _JSON
    }
    assert [label for label, verdict in verdicts.items() if len(verdict) != 1] == []


def _accepts_first(path: Path) -> bool:
    return _is_success(_responses(_case(path))[0])


def test_a_case_that_counts_interim_responses_is_of_tier_3() -> None:
    """Other backends may send more of them, or none (servers/contract/README.md, section 1)."""
    rules = _rules()
    counting = [path for path in _JSON if "continues" in _responses(_case(path))[0]]
    assert counting
    for path in counting:
        assert max(rules[rule]["tier"] for rule in _case(path)["rules"]) == 3, _label(path)
        assert b"\r\n\r\n" in _request(path), _label(path)


def test_a_refusal_has_a_code_and_the_status_of_its_code() -> None:
    for path in _JSON:
        for response in _responses(_case(path)):
            if "code" in response:
                assert response["status"] == PROBLEMS[response["code"]].status, _label(path)
            elif not (_is_success(response) or response.keys() & {"closed", "refused"}):
                # The response to HEAD has no body that could show a code.
                assert _request(path).startswith(b"HEAD "), _label(path)


def test_no_two_requests_are_equal() -> None:
    assert _twins({_label(path): _request(path) for path in _JSON}) == []


def test_no_two_cases_of_a_rule_have_the_same_title() -> None:
    cases = {_label(path): _case(path) for path in _JSON}
    assert _twins({label: (case["rules"], case["title"]) for label, case in cases.items()}) == []


def test_line_ends_are_those_that_were_recorded() -> None:
    """A checkout that changes line ends loses every CRLF, or gives every bare LF a CR."""
    with_bare_lf = 0
    for path in _JSON:
        request = _request(path)
        assert b"\r\n" in request or b"\n" not in request or path.stem in _LF_ALONE, _label(path)
        with_bare_lf += request.count(b"\n") > request.count(b"\r\n")
    assert with_bare_lf > 5
    assert b"\r\n" not in (_SAMPLES / "hello-world.txt").read_bytes()
    assert "sample_files/** -text" in (_PROJECT / ".gitattributes").read_text("utf-8").splitlines()


def test_accepted_requests_are_the_same_in_every_run() -> None:
    """The User-Agent is fixed, so that responses can be compared byte by byte."""
    accepted = [path for path in _JSON if _accepted(path)]
    agent = b"\r\nUser-Agent: wireproof\r\n"
    assert [_label(path) for path in accepted if agent not in _request(path)] == []


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
