"""Whether servers gave the same response to the same bytes, and where they differ (contract section 1)."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ..contract.responses import PROBLEM_JSON
from .outcome import Outcome

MAX_DIFFERENCES = 20
_MAX_SHOWN = 200
_ABSENT = object()

Agreement = Literal["equal", "different"]
Difference = tuple[str, Any, Any]


def agreement(outcomes: Sequence[Outcome]) -> Agreement | None:
    """Whether all are the same; None for one server alone, and if one gave no whole response."""
    if len(outcomes) < 2 or any(one.error is not None and not one.closed for one in outcomes):
        return None
    first = _compared(outcomes[0])
    return "equal" if all(_compared(other) == first for other in outcomes[1:]) else "different"


def differences(outcomes: Sequence[Outcome]) -> list[Difference]:
    """Where the first and the next that is not the same differ: the path in the JSON, and both values."""
    for other in outcomes[1:]:
        if _compared(other) != _compared(outcomes[0]):
            return _differences(outcomes[0], other)
    return []


def _compared(one: Outcome) -> tuple[Any, ...]:
    """What has to be equal: of a problem everything but its detail, which each server words itself."""
    body: Any = one.sha256
    value = one.json()
    if _is_problem(one) and isinstance(value, dict):
        body = {name: member for name, member in value.items() if name != "detail"}
    return one.status, one.content_type, body, one.more


def _is_problem(one: Outcome) -> bool:
    return (one.content_type or "").startswith(PROBLEM_JSON)


def _differences(one: Outcome, other: Outcome) -> list[Difference]:
    found: list[Difference] = []
    for name in ("status", "content_type"):
        a, b = getattr(one, name), getattr(other, name)
        if a != b:
            found.append((name, a, b))
    if one.more != other.more:
        found.append(("further responses", list(one.more), list(other.more)))
    a, b = one.json(), other.json()
    if a is not None and b is not None:
        skipped = "detail" if _is_problem(one) and _is_problem(other) else None
        found += [each for each in _walk("", a, b) if each[0] != skipped]
    if not found:
        found.append(("answer", _shown(one), _shown(other)))
    return found[:MAX_DIFFERENCES]


def _walk(path: str, a: Any, b: Any) -> Iterator[Difference]:
    if isinstance(a, dict) and isinstance(b, dict):
        for name in sorted(a.keys() | b.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _walk(inner, a.get(name, _ABSENT), b.get(name, _ABSENT))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (left, right) in enumerate(zip(a, b, strict=True)):
            yield from _walk(f"{path}[{index}]", left, right)
    elif type(a) is not type(b) or a != b:
        yield path, _plain(a), _plain(b)


def _plain(value: Any) -> Any:
    return None if value is _ABSENT else value


def _shown(one: Outcome) -> str:
    return one.answer[:_MAX_SHOWN].decode("utf-8", "backslashreplace")
