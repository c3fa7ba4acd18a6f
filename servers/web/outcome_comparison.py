"""Whether servers gave the same response to the same bytes, and where they differ (contract section 1)."""

from collections.abc import Sequence
from typing import Any, Literal

from . import agreement as answers
from .outcome import MAX_ANSWER, Outcome

MAX_DIFFERENCES = 20


def agreement(outcomes: Sequence[Outcome]) -> Literal["equal", "different"] | None:
    """Whether all are the same; None for one server alone, and if one gave no whole response."""
    if len(outcomes) < 2 or any(one.error is not None and not one.closed for one in outcomes):
        return None
    return "equal" if all(_same(outcomes[0], other) for other in outcomes[1:]) else "different"


def differences(outcomes: Sequence[Outcome]) -> list[tuple[str, Any, Any]]:
    """Where the first and the next that is not the same differ: the path in the JSON, and both values."""
    other = next((other for other in outcomes[1:] if not _same(outcomes[0], other)), None)
    return [] if other is None else _differences(outcomes[0], other)[:MAX_DIFFERENCES]


def _same(one: Outcome, other: Outcome) -> bool:
    if one.more != other.more or not answers.agree(_answer(one), _answer(other)):
        return False
    return one.size <= MAX_ANSWER or one.sha256 == other.sha256


def _differences(one: Outcome, other: Outcome) -> list[tuple[str, Any, Any]]:
    found = answers.differences(_answer(one), _answer(other))
    if one.more != other.more:
        found.append(("further responses", list(one.more), list(other.more)))
    return found or [("sha256", one.sha256, other.sha256)]


def _answer(outcome: Outcome) -> answers.Answer:
    """The response as the history compares it. Of a long body the hash is compared."""
    body = outcome.answer if outcome.size <= MAX_ANSWER else None
    return answers.Answer(outcome.status, outcome.content_type, outcome.size, body)
