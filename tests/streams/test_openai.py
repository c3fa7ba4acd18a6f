"""openai-python as installed takes every backend for OpenAI: streams, completions, its own exceptions."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.conftest import SOCKET_BY_DEFAULT
from tests.streams.openai_report import UNAUTHENTICATED, assert_as_expected, report_of

ACTOR: list[str | Path] = [sys.executable, "-W", "error", Path(__file__).with_name("openai_calls.py")]
TOKEN = "s3cret"


@pytest.mark.parametrize("backend", SOCKET_BY_DEFAULT)
def test_openai_python_reads_streams_completions_and_refusals(
    backends: Mapping[str, RunningBackend], backend: str
) -> None:
    assert_as_expected(report_of(ACTOR, backends[backend].url))


@pytest.mark.parametrize("backend", ["socket", pytest.param("gunicorn", marks=pytest.mark.soak(seconds=5))])
def test_the_api_key_is_the_token_and_a_wrong_one_an_authentication_error(backend: str) -> None:
    with start(backend, env={"WIREPROOF_TOKEN": TOKEN}) as server:
        assert_as_expected(report_of(ACTOR, server.url, TOKEN))
        refused = report_of(ACTOR, server.url, "wrong")
    # What is no route is said to everybody (step 6 of the order of judgement comes before step 7).
    assert refused.pop("no_such_route")["raised"] == "NotFoundError"
    assert len(refused) == 10
    assert {call: outcome for call, outcome in refused.items() if outcome != UNAUTHENTICATED} == {}
