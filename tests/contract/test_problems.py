"""The table of problems agrees with the code, the recorded requests and the rules."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from servers.contract.problems import PROBLEMS, Problem

_PROJECT = Path(__file__).resolve().parent.parent.parent
_REQUESTS = _PROJECT / "sample_files" / "requests"

# The statuses of contract section 4, repeated here so that a mistake in the table is found.
_STATUSES = {
    401: ["token_required"],
    403: ["forbidden_origin", "forbidden_token"],
    404: ["not_found"],
    405: ["method_not_allowed"],
    408: ["request_timeout"],
    409: ["upload_offset", "upload_taken_over"],
    412: ["precondition_failed", "upload_version"],
    413: ["body_too_large", "field_too_large", "too_many_parts", "part_headers_too_large"],
    414: ["uri_too_long"],
    415: ["unsupported_content_encoding", "unsupported_media_type", "upload_media_type"],
    416: ["range_not_satisfiable"],
    417: ["expectation_failed"],
    421: ["misdirected_host"],
    429: ["too_many_requests"],
    431: ["headers_too_large"],
    460: ["upload_checksum"],
    500: ["internal"],
    501: ["method_not_implemented", "unsupported_transfer_coding"],
    503: ["overloaded", "shutting_down", "store_unavailable"],
    505: ["unsupported_version"],
    507: ["insufficient_storage"],
}
_REFERENCE = r"(RFC [0-9]{4}|WHATWG URL), (section )?[0-9]+(\.[0-9]+)*|RFC 8259|tus 1\.0, [A-Z][A-Za-z-]+"
_NOT_RECORDED = {
    "insufficient_storage": "a full store: tests/contract/test_exchange.py",
    "store_unavailable": "a broken store: tests/contract/test_exchange.py",
    "internal": "a bug in a handler: tests/socket_server/test_failures.py",
    "request_timeout": "a pause: tests/socket_server/test_timeouts.py",
    "token_required": "a server with a token: tests/contract/test_access.py",
    "forbidden_token": "a server with tokens: tests/access/test_matrix.py",
    "upload_completed": "an upload that is complete: tests/routes/test_resumable_draft.py",
    "upload_offset": "an upload that is there: tests/routes/test_tus.py",
    "upload_taken_over": "two requests at a time: tests/routes/test_tus.py",
    "overloaded": "many at once: tests/overload/test_quotas.py",
    "shutting_down": "a server that stops: tests/test_shutdown.py",
    "too_many_requests": "many at once: tests/overload/test_quotas.py",
}


@cache
def _codes_raised() -> frozenset[str]:
    """Every string literal in `servers/` that is a problem code, except in the table itself."""
    paths = (path for path in (_PROJECT / "servers").rglob("*.py") if path.name != "problems.py")
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return frozenset(
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in PROBLEMS
    )


@pytest.mark.parametrize("kind", [pytest.param(kind, id=code) for code, kind in PROBLEMS.items()])
def test_each_problem_has_a_title_a_status_and_a_reference(kind: Any) -> None:
    assert PROBLEMS[kind.code] is kind
    assert re.fullmatch(r"[a-z][a-z0-9_]{3,40}", kind.code)
    assert kind.status == 460 or HTTPStatus(kind.status) >= 400, "460 is of tus"
    assert re.fullmatch(r"[A-Z][^.\n]{10,70}", kind.title), "a title is a sentence without a full stop"
    assert re.fullmatch(_REFERENCE, kind.reference)


def test_titles_differ() -> None:
    assert len({kind.title for kind in PROBLEMS.values()}) == len(PROBLEMS)


def test_statuses_are_those_of_the_contract() -> None:
    listed = {code: status for status, codes in _STATUSES.items() for code in codes}
    assert {code: kind.status for code, kind in PROBLEMS.items()} == dict.fromkeys(PROBLEMS, 400) | listed


def test_each_rule_that_a_problem_names_exists() -> None:
    rules = tomllib.loads((_PROJECT / "sample_files" / "requests" / "rules.toml").read_text("utf-8"))
    assert [rule for kind in PROBLEMS.values() for rule in kind.rules if rule not in rules] == []


def test_each_problem_has_a_recorded_request_or_a_reason_why_not() -> None:
    recorded: set[str] = set()
    for path in _REQUESTS.glob("*/*.json"):
        expect = json.loads(path.read_text("utf-8"))["expect"]
        recorded |= {
            one["code"] for one in (expect if isinstance(expect, list) else [expect]) if "code" in one
        }
    assert sorted(PROBLEMS.keys() - recorded) == sorted(_NOT_RECORDED)


def test_each_problem_is_raised_somewhere() -> None:
    assert PROBLEMS.keys() - _codes_raised() == set()


def test_a_problem_has_its_kind_and_a_detail() -> None:
    problem = Problem("not_found", "no file", headers=(("A", "b"),))
    assert (problem.code, problem.status, problem.detail) == ("not_found", 404, "no file")
    assert str(problem) == "404 not_found: no file"
    assert problem.headers == (("A", "b"),)
    with pytest.raises(KeyError):
        Problem("no_such_code", "")


def test_a_problem_keeps_its_places_when_its_detail_or_its_beginning_changes() -> None:
    problem = Problem("json_invalid", "x", headers=(("A", "b"),), rule="J1", fault=range(3, 5), field="f")
    assert problem.offset == 3
    moved = problem.at("part 0").behind(10)
    assert (moved.detail, moved.headers, moved.rule, moved.field) == ("part 0: x", (("A", "b"),), "J1", "f")
    assert (moved.offset, moved.fault) == (13, range(13, 15))
    assert Problem("bad_host", "x", offset=7).behind(-2).offset == 5
    assert Problem("bad_host", "x").behind(10).offset is None


def _calls_of_problem() -> Iterator[tuple[str, ast.Call]]:
    """Every call that makes a Problem, with its place. Helpers named `_problem` take the rule along."""
    for path in sorted((_PROJECT / "servers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name_of(node.func) in ("Problem", "_problem"):
                yield f"{path.relative_to(_PROJECT)}:{node.lineno}", node


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def test_each_problem_of_a_kind_with_rules_is_given_its_rule() -> None:
    calls = list(_calls_of_problem())
    assert len(calls) > 150
    without = []
    for place, call in calls:
        code = call.args[0]
        kind = PROBLEMS.get(code.value) if isinstance(code, ast.Constant) else None  # type: ignore[arg-type]
        if (kind is None or kind.rules) and "rule" not in {keyword.arg for keyword in call.keywords}:
            without.append(place)
    assert without == []


def test_each_rule_that_a_problem_is_given_is_one_of_its_kind() -> None:
    wrong = [
        (place, keyword.value.value)
        for place, call in _calls_of_problem()
        for keyword in call.keywords
        if keyword.arg == "rule" and isinstance(keyword.value, ast.Constant) and keyword.value.value
        if isinstance(code := call.args[0], ast.Constant)
        if keyword.value.value not in PROBLEMS[str(code.value)].rules
    ]
    assert wrong == []
