"""What openai-python makes of a server: python openai_calls.py URL KEY prints it as JSON.

A program of its own and not a module of the tests, because it also runs in a virtual environment that has an
old openai-python and nothing of ours. `openai_calls.mjs` does the same in JavaScript.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import openai

MESSAGES: list[Any] = [
    {"role": "system", "content": "be an echo"},
    {"role": "user", "content": "echo this, word by word"},
]


def streamed(client: Any, **more: Any) -> dict[str, Any]:
    chunks = list(client.chat.completions.create(model="echo", messages=MESSAGES, stream=True, **more))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    return {
        "role": choices[0].delta.role,
        "contents": [choice.delta.content for choice in choices[1:-1]],
        "finish_reason": choices[-1].finish_reason,
        "ids": len({chunk.id for chunk in chunks}),
        "objects": sorted({chunk.object for chunk in chunks}),
        "usage": _usage(chunks[-1]),
    }


def paced(client: Any) -> list[Any]:
    """A stream whose chunks the server makes one by one, with the time of each word."""
    start = time.monotonic()
    chunks = client.chat.completions.create(
        model="echo", messages=MESSAGES, stream=True, extra_body={"delay": 0.05}
    )
    arrivals = [[time.monotonic() - start, chunk.choices[0].delta.content] for chunk in chunks]
    return [arrival for arrival in arrivals if arrival[1]]


def whole(client: Any, messages: list[Any]) -> dict[str, Any]:
    completion = client.chat.completions.create(model="echo", messages=messages)
    choice = completion.choices[0]
    return {
        "role": choice.message.role,
        "content": choice.message.content,
        "finish_reason": choice.finish_reason,
        "object": completion.object,
        "usage": _usage(completion),
    }


def stream_echo(client: Any, url: str) -> list[Any]:
    """An endpoint that OpenAI does not have, by the library's own way for those."""
    start = time.monotonic()
    events = client.post(
        url + "/stream_echo",
        body={"query": "echo this", "delay": 0.1},
        cast_to=object,
        stream=True,
        stream_cls=openai.Stream[object],
    )
    return [[time.monotonic() - start, event["chunk"]] for event in events]


def _usage(response: Any) -> list[int] | None:
    usage = getattr(response, "usage", None)  # the oldest does not know it in a chunk
    if usage is None:
        return None
    usage = usage if isinstance(usage, dict) else usage.model_dump()
    return [usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")]


def attempt(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What a call gives, or the exception that the library raises for it."""
    try:
        return call(*arguments, **more)
    except openai.APIStatusError as error:
        return {"raised": type(error).__name__, "status": error.status_code, "code": error.code}


def main(url: str, key: str) -> None:
    client = openai.OpenAI(api_key=key, base_url=url + "/v1", max_retries=0, timeout=30)
    completions = client.chat.completions
    report = {
        "stream_echo": attempt(stream_echo, client, url),
        "streamed": attempt(streamed, client),
        "streamed_with_usage": attempt(
            streamed, client, extra_body={"stream_options": {"include_usage": True}}
        ),
        "paced": attempt(paced, client),
        "whole": attempt(whole, client, MESSAGES),
        "only_a_system_message": attempt(whole, client, MESSAGES[:1]),
        "models": attempt(lambda: [model.id for model in client.models.list()]),
        "model": attempt(lambda: client.models.retrieve("echo").id),
        "no_such_model": attempt(client.models.retrieve, "no-such-model"),
        "refused_before_the_stream": attempt(completions.create, model="echo", messages=[], stream=True),
        "no_such_route": attempt(client.get, "/no-such-route", cast_to=object),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
