"""Sends a small load with wrk or with our own sender, and checks every answer afterwards."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .answers import check_answer
from .forked import in_a_fork
from .samples import WrongAnswerError
from .small_load import SmallLoad, send_small, status_and_body
from .small_requests import DIGITS
from .workloads import Sender
from .wrk_load import send_with_wrk

_NUMBER = re.compile(rb'"number"\D*(\d{%d})' % DIGITS)
_SHOWN = 300


@dataclass(slots=True)
class Answered:
    """How many requests were answered rightly, in how many seconds, and the SHA-256 of their files.

    `latencies` are in seconds; their number may be another one, if the sender tells a distribution only.
    """

    seconds: float
    count: int = 0
    latencies: tuple[float, ...] = ()
    digests: set[str] = field(default_factory=set)
    errors: int = 0
    failure: str = ""


def sent_and_checked(load: SmallLoad, sender: Sender, folder: Path, checked: bool) -> Answered:
    """Send the load. Without `checked` only the statuses are looked at. Raises WrongAnswerError.

    `folder` takes the answers for a moment. wrk knows whole seconds only; shorter loads are sent by ours.
    """
    if sender == "wrk" and load.seconds >= 1:
        return _by_wrk(load, folder, checked)
    return in_a_fork(lambda: _by_us(load, checked))


def _by_us(load: SmallLoad, checked: bool) -> Answered:
    collected = send_small(load)
    answered = Answered(collected.seconds, errors=collected.errors)
    if collected.errors:
        answered.failure = "a connection ended without an answer"
    latencies = []
    for number, seconds, answer in collected.answers:
        status, body = status_and_body(answer)
        if _counts(load, answered, status, body, number if checked else None):
            latencies.append(seconds)
    answered.latencies = tuple(latencies)
    return answered


def _by_wrk(load: SmallLoad, folder: Path, checked: bool) -> Answered:
    told = send_with_wrk(load, folder)
    answered = Answered(told.seconds, latencies=told.latencies, errors=told.errors)
    if told.errors:
        answered.failure = "a connection ended without an answer"
    try:
        result = in_a_fork(lambda: _checked(load, answered, told.answers(), checked))
    finally:
        told.remove()
    if not result.count:
        result.latencies = ()  # wrk tells zeros
        if not result.errors:
            result.errors, result.failure = load.connections, "no answer came while the load lasted"
    return result


def _checked(
    load: SmallLoad, answered: Answered, answers: Iterable[tuple[int, bytes]], checked: bool
) -> Answered:
    seen: set[int] = set()
    for status, body in answers:
        number = _number_in(body, load, seen) if checked and 200 <= status < 300 else None
        _counts(load, answered, status, body, number)
    return answered


def _number_in(body: bytes, load: SmallLoad, seen: set[int]) -> int:
    """The number of the request that an answer tells: one that was sent, and that no other answer has."""
    found = _NUMBER.search(body)
    number = int(found[1]) if found else -1
    if not load.first <= number < load.first + load.most or number in seen:
        raise WrongAnswerError(f"the answer is to no request that was sent: {body[:_SHOWN]!r}")
    seen.add(number)
    return number


def _counts(load: SmallLoad, answered: Answered, status: int, body: bytes, number: int | None) -> bool:
    """Whether the answer is a right one. Without a `number` only its status is looked at."""
    if not 200 <= status < 300:
        answered.errors += 1
        answered.failure = f"status {status}: {body[:_SHOWN].decode('latin-1')}"
        return False
    answered.count += 1
    if number is not None:
        expected = load.requests.expected(number)
        check_answer(body, expected)
        answered.digests.update(digest for _, digest in expected.files)
    return True
