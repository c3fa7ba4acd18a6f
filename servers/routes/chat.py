"""`/v1/chat/completions`: an echo with OpenAI's interface (contract section 6)."""

import hashlib
import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from ..contract.canonical import canonical_json
from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Event, Response, event_stream_response, json_response
from ..contract.route import Context, Route
from .json_values import checked, json_object, optional, required, seconds
from .models import CREATED

_TOKEN = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Completion:
    """An echo of one message: `tokens` are its words and the blanks between them."""

    id: str
    created: int
    model: str
    tokens: tuple[str, ...]
    prompt_tokens: int

    def usage(self) -> dict[str, int]:
        count = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": count,
            "total_tokens": self.prompt_tokens + count,
        }


def chat(request: ParsedRequest, _context: Context) -> Response:
    """A completion, streamed or whole. Raises Problem before a stream starts."""
    members = json_object(request.body)
    completion = _complete(members)
    stream = optional(members, "stream", bool, False)
    options = optional(members, "stream_options", dict, {})
    include_usage = optional(options, "include_usage", bool, False)
    delay = seconds(members, "delay", 0.0)
    if options and not stream:
        raise Problem("bad_value", "stream_options needs stream to be true")
    if optional(members, "n", int, 1) != 1:
        raise Problem("bad_value", "n must be 1: this model gives one choice")
    if stream:
        return event_stream_response(_chunks(completion, delay, include_usage=include_usage))
    return json_response(_whole(completion))


def _complete(members: dict[str, Any]) -> Completion:
    model = required(members, "model", str)
    messages = [_message(message) for message in required(members, "messages", list)]
    if not messages:
        raise Problem("bad_value", "messages is empty")
    of_user = [text for role, text in messages if role == "user"]
    echoed = of_user[-1] if of_user else messages[-1][1]
    digest = hashlib.sha256(canonical_json(members)).hexdigest()
    prompt_tokens = sum(len(_TOKEN.findall(text)) for _, text in messages)
    return Completion(
        f"chatcmpl-{digest[:29]}",
        # Responses hold no time of day: a fixed moment, and seconds derived from the request.
        CREATED + int(digest[-6:], 16),
        model,
        tuple(_TOKEN.findall(echoed)),
        prompt_tokens,
    )


def _message(message: Any) -> tuple[str, str]:
    members = checked(message, "a message", dict)
    return required(members, "role", str), _text(members.get("content"))


def _text(content: Any) -> str:
    """The text of a message content: a string, the text parts of a list, or nothing for null."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [checked(part, "a content part", dict) for part in checked(content, "content", list)]
    return "".join(required(part, "text", str) for part in parts if part.get("type") == "text")


def _whole(completion: Completion) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(completion.tokens), "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return {**_frame(completion, "chat.completion"), "choices": [choice], "usage": completion.usage()}


def _chunks(completion: Completion, delay: float, *, include_usage: bool) -> Generator[Event, None, None]:
    """The role, one delta per token, `stop`, the usage if the client wants it, and `[DONE]`."""
    usage = {"usage": None} if include_usage else {}
    frame = {**_frame(completion, "chat.completion.chunk"), **usage}
    yield _event({**frame, "choices": [_delta({"role": "assistant", "content": ""})]}, delay)
    for token in completion.tokens:
        yield _event({**frame, "choices": [_delta({"content": token})]}, delay)
    yield _event({**frame, "choices": [_delta({}, finish_reason="stop")]}, delay)
    if include_usage:
        yield _event({**frame, "choices": [], "usage": completion.usage()}, delay)
    yield Event(b"data: [DONE]\n\n")


def _frame(completion: Completion, kind: str) -> dict[str, Any]:
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
        "system_fingerprint": None,
    }


def _delta(delta: dict[str, Any], *, finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _event(chunk: dict[str, Any], delay: float) -> Event:
    return Event(b"data: %s\n\n" % json.dumps(chunk, separators=(",", ":")).encode("ascii"), delay)


CHAT = Route("chat", r"/v1/chat/completions", ("POST",), chat)
