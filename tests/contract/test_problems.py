"""The table of problems agrees with the code, the recorded requests and the rules."""

import ast
import json
import re
import tomllib
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
    403: ["forbidden_origin"],
    404: ["not_found"],
    405: ["method_not_allowed"],
    408: ["request_timeout"],
    412: ["precondition_failed"],
    413: ["body_too_large", "field_too_large", "too_many_parts", "part_headers_too_large"],
    414: ["uri_too_long"],
    415: ["unsupported_content_encoding", "unsupported_media_type"],
    416: ["range_not_satisfiable"],
    417: ["expectation_failed"],
    421: ["misdirected_host"],
    429: ["too_many_requests"],
    431: ["headers_too_large"],
    500: ["internal"],
    501: ["method_not_implemented", "unsupported_transfer_coding"],
    503: ["overloaded", "store_unavailable"],
    505: ["unsupported_version"],
    507: ["insufficient_storage"],
}
_NOT_RECORDED = {
    "insufficient_storage": "a full store: tests/contract/test_exchange.py",
    "store_unavailable": "a broken store: tests/contract/test_exchange.py",
    "internal": "a bug in a handler: tests/socket_server/test_failures.py",
    "request_timeout": "a pause: tests/socket_server/test_timeouts.py",
    "token_required": "a server with a token: tests/contract/test_access.py",
    "overloaded": "three sends at once: tests/web/sending/test_send.py",
    "too_many_requests": "for backends with a bound on the rate",
}
_NEVER_RAISED = {"too_many_requests"}


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
    assert HTTPStatus(kind.status) >= 400
    assert re.fullmatch(r"[A-Z][^.\n]{10,70}", kind.title), "a title is a sentence without a full stop"
    assert re.fullmatch(r"(RFC [0-9]{4}|WHATWG URL), (section )?[0-9]+(\.[0-9]+)*|RFC 8259", kind.reference)


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
    assert PROBLEMS.keys() - _codes_raised() == _NEVER_RAISED


def test_a_problem_has_its_kind_and_a_detail() -> None:
    problem = Problem("not_found", "no file", headers=(("A", "b"),))
    assert (problem.code, problem.status, problem.detail) == ("not_found", 404, "no file")
    assert str(problem) == "404 not_found: no file"
    assert problem.headers == (("A", "b"),)
    with pytest.raises(KeyError):
        Problem("no_such_code", "")
