"""Whether servers gave the same response to the same bytes, and where they differ (contract section 1)."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ..contract.responses import PROBLEM_JSON
from .delivery import Run

MAX_DIFFERENCES = 20
_MAX_SHOWN = 200
_ABSENT = object()

Agreement = Literal["equal", "different"]
Difference = tuple[str, Any, Any]


def agreement(runs: Sequence[Run]) -> Agreement | None:
    """Whether all runs are the same; None for one server alone, and if one gave no whole response."""
    if len(runs) < 2 or any(run.error is not None and not run.closed for run in runs):
        return None
    first = _compared(runs[0])
    return "equal" if all(_compared(run) == first for run in runs[1:]) else "different"


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Where the first run and the first other one differ: the path in the JSON, and both values."""
    for run in runs[1:]:
        if _compared(run) != _compared(runs[0]):
            return _differences(runs[0], run)
    return []


def _compared(run: Run) -> tuple[Any, ...]:
    """What has to be equal: of a problem everything but its detail, which each server words itself."""
    body: Any = run.sha256
    value = run.json()
    if _is_problem(run) and isinstance(value, dict):
        body = {name: member for name, member in value.items() if name != "detail"}
    return run.status, run.content_type, body, run.more


def _is_problem(run: Run) -> bool:
    return (run.content_type or "").startswith(PROBLEM_JSON)


def _differences(one: Run, other: Run) -> list[Difference]:
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


def _shown(run: Run) -> str:
    return run.answer[:_MAX_SHOWN].decode("utf-8", "backslashreplace")
