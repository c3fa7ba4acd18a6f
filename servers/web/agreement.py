"""Whether two backends gave the same answer to the same request, and in which values they differ.

As in the contract (section 1), problems are compared without their `detail`. The value of Host is not
compared, because the two servers have different ports.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MOST = 50
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of an answer. `body` is None if it was not kept."""

    status: int | None
    content_type: str | None
    size: int | None
    body: bytes | None


def agree(one: Answer, other: Answer) -> bool:
    """Whether the two answers are the same."""
    if one.status != other.status or one.content_type != other.content_type:
        return False
    if one.body is None or other.body is None:
        return one.body is other.body and one.size == other.size
    return one.body == other.body or not any(True for _ in _differences(one, other))


def differences(one: Answer, other: Answer) -> list[tuple[str, Any, Any]]:
    """Each path at which the answers differ, with both values; None stands for a value that is not there."""
    found: list[tuple[str, Any, Any]] = []
    if one.status != other.status:
        found.append(("status", one.status, other.status))
    if one.content_type != other.content_type:
        found.append(("content-type", one.content_type, other.content_type))
    if one.body is not None and other.body is not None:
        for difference in _differences(one, other):
            found.append(difference)
            if len(found) == _MOST:
                break
    elif one.size != other.size:
        found.append(("size", one.size, other.size))
    return found


def _differences(one: Answer, other: Answer) -> Iterator[tuple[str, Any, Any]]:
    assert one.body is not None
    assert other.body is not None
    try:
        left, right = _compared(json.loads(one.body)), _compared(json.loads(other.body))
    except ValueError:
        if one.body != other.body:
            yield "answer", _text(one.body), _text(other.body)
        return
    yield from _below("", left, right)


def _text(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")


def _compared(value: Any) -> Any:
    """The members that must be equal."""
    if not isinstance(value, dict):
        return value
    value.pop("host", None)
    if isinstance(value.get("headers"), list):
        value["headers"] = [
            {**pair, "value": ""} if isinstance(pair, dict) and pair.get("name") == "host" else pair
            for pair in value["headers"]
        ]
    if {"type", "title", "status", "code", "detail"} <= value.keys():
        value.pop("detail")
        if isinstance(value.get("error"), dict):
            value["error"].pop("message", None)
    return value


def _below(path: str, left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _below(inner, left.get(name, _ABSENT), right.get(name, _ABSENT))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _below(f"{path}[{index}]", one, other)
    elif type(left) is not type(right) or left != right:
        yield path, None if left is _ABSENT else left, None if right is _ABSENT else right
