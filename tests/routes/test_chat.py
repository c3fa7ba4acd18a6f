"""Completions depend on the request alone, not on time or chance (contract sections 1 and 6)."""

import itertools
import json
from typing import Any

import pytest

from servers.contract.exchange import Exchange
from servers.contract.responses import EventStream, Response
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code

_USER = {"role": "user", "content": "echo this"}
_REQUEST: dict[str, Any] = {"model": "echo", "messages": [_USER]}
# Each one differs from the first in one point.
_REQUESTS: dict[str, dict[str, Any]] = {
    "a request": _REQUEST,
    "another model": {**_REQUEST, "model": "echo-2"},
    "only a system message": {**_REQUEST, "messages": [{"role": "system", "content": "echo this"}]},
    "another prompt": {**_REQUEST, "messages": [{**_USER, "content": "echo that"}]},
    "another message before": {**_REQUEST, "messages": [{"role": "system", "content": ""}, _USER]},
    "a temperature": {**_REQUEST, "temperature": 0},
    "a stream": {**_REQUEST, "stream": True},
    "a stream with a delay": {**_REQUEST, "stream": True, "delay": 0.5},
    "a stream with its usage": {**_REQUEST, "stream": True, "stream_options": {"include_usage": True}},
}


def _respond(members: dict[str, Any]) -> Response:
    body = json.dumps(members).encode()
    fields = {"content-type": "application/json"}
    request_head = head("POST", "/v1/chat/completions", fields=fields, content_length=len(body))
    exchange = Exchange(request_head, TABLE, SansIoParsers(), Settings().context(MemoryStore()))
    exchange.feed(body)
    return exchange.finish()


def _completions(members: dict[str, Any]) -> list[dict[str, Any]]:
    """The completion, or all chunks of a streamed one."""
    response = _respond(members)
    if isinstance(response.body, bytes):
        return [json.loads(response.body)]
    assert isinstance(response.body, EventStream)
    data = [event.data.removeprefix(b"data: ") for event in response.body.events]
    assert data.pop() == b"[DONE]\n\n"
    return [json.loads(chunk) for chunk in data]


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(_REQUESTS, 2)))
def test_different_requests_get_different_ids(one: str, other: str) -> None:
    assert _completions(_REQUESTS[one])[0]["id"] != _completions(_REQUESTS[other])[0]["id"]


@pytest.mark.parametrize("name", _REQUESTS)
def test_the_same_request_gets_the_same_completion(name: str) -> None:
    """Its id and `created` too: identical means equal bytes."""
    assert _completions(_REQUESTS[name]) == _completions(_REQUESTS[name])


@pytest.mark.parametrize("name", _REQUESTS)
def test_all_chunks_have_the_same_id_and_an_integer_created(name: str) -> None:
    """OpenAI: `created` is Unix time in seconds. The types of their clients accept only an integer."""
    completions = _completions(_REQUESTS[name])
    assert {type(completion["created"]) for completion in completions} == {int}
    assert len({(completion["id"], completion["created"]) for completion in completions}) == 1
    assert completions[0]["id"].startswith("chatcmpl-")


def _pauses(members: dict[str, Any]) -> list[float]:
    response = _respond({**_REQUEST, "stream": True, **members})
    assert isinstance(response.body, EventStream)
    return [event.wait for event in response.body.events]


def test_a_delay_is_a_pause_after_each_event_but_the_last() -> None:
    """As in `/stream_echo`: role, three tokens, `stop` and `[DONE]`."""
    assert _pauses({}) == [0] * 6
    assert _pauses({"delay": 0}) == [0] * 6
    assert _pauses({"delay": 0.5}) == [0.5] * 5 + [0]
    assert _pauses({"delay": 10, "stream_options": {"include_usage": True}}) == [10] * 6 + [0]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("delay", [-0.1, 10.1, "1", True, None, [], {}])
def test_a_delay_is_a_number_from_0_to_10(delay: Any, stream: bool) -> None:
    assert refusal_code(_respond, {**_REQUEST, "stream": stream, "delay": delay}) == "bad_value"


@pytest.mark.parametrize(
    ("messages", "echoed"),
    [
        ([("user", "a"), ("user", "b")], "b"),
        ([("user", "a"), ("assistant", "b"), ("system", "c")], "a"),
        ([("system", "a")], "a"),
        ([("developer", "a"), ("system", "b")], "b"),
        ([("system", "a"), ("assistant", None)], ""),
        ([("no such role", "a")], "a"),
    ],
)
def test_the_last_user_message_is_echoed_and_else_the_last_message(
    messages: list[tuple[str, str | None]], echoed: str
) -> None:
    request = {**_REQUEST, "messages": [{"role": role, "content": content} for role, content in messages]}
    (completion,) = _completions(request)
    assert completion["choices"][0]["message"]["content"] == echoed


def test_a_chat_has_at_least_one_message() -> None:
    assert refusal_code(_respond, {**_REQUEST, "messages": []}) == "bad_value"
