"""`/problems/{code}` and `/healthz`."""

import json
from dataclasses import replace

import pytest

from servers.contract.problems import PROBLEMS, Problem
from servers.contract.request import ParsedBody, ParsedRequest
from servers.contract.responses import Response
from servers.routes.health import health
from servers.routes.problem_pages import explain
from servers.settings import Settings
from tests.contract.heads import head
from tests.refusals import refusal_code
from tests.routes.faulty_store import FaultyStore

_CONTEXT = Settings().context(FaultyStore())


def _explain(path: str, method: str = "GET") -> Response:
    return explain(ParsedRequest(head(method, path), ParsedBody()), _CONTEXT)


@pytest.mark.parametrize("code", PROBLEMS)
def test_each_problem_is_explained(code: str) -> None:
    response = _explain(f"/problems/{code}")
    assert isinstance(response.body, bytes)
    kind = PROBLEMS[code]
    assert json.loads(response.body) == {
        "code": code,
        "title": kind.title,
        "status": kind.status,
        "rules": list(kind.rules),
        "reference": kind.reference,
    }
    assert (response.status, response.head_only) == (200, False)


@pytest.mark.parametrize(
    "path", ["/problems/none", "/problems/Not_found", "/problems/not_found%2F", "/problems/\u00e9"]
)
def test_an_unknown_code_is_not_found(path: str) -> None:
    assert refusal_code(_explain, path) == "not_found"


def test_head_gets_no_body() -> None:
    assert _explain("/problems/internal", "HEAD").head_only


def test_health_depends_on_the_store() -> None:
    request = ParsedRequest(head("GET", "/healthz"), ParsedBody())
    assert health(request, _CONTEXT).status == 200
    with pytest.raises(Problem) as raised:
        health(request, replace(_CONTEXT, store=FaultyStore(0)))
    assert (raised.value.code, raised.value.status) == ("store_unavailable", 503)
