"""Sends the cases that fit an endpoint, and collects what is wrong with its answers."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..comparison.cases import Case
from ..http1.exchange import Exchange, exchange, random_pieces, request_methods, split_at, whole
from ..http1.sent_request import is_whole
from ..launch import RunningBackend
from .endpoint import IN_FLIGHT, Endpoint
from .findings import Finding, Sent, finding_of
from .fitting import FittedCase, fitted_cases
from .groups import Kind
from .probing import Level, Probe
from .told import Told, answer_of

_WITHOUT_ANSWER = (Kind.CLOSED, Kind.HANG)
_BELIEVED_AFTER = 3
# So that a server reads the pieces one by one.
_SPLIT_SECONDS = 0.05

OnCase = Callable[[Case], object]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one case: its finding, or None when the answer is right.

    `exchange` is what came back when the `request` was sent whole, `seconds` the time of all its sendings.
    """

    case: Case
    finding: Finding | None
    exchange: Exchange
    seconds: float
    request: bytes = b""


def cases_for(cases: Sequence[Case], endpoint: Endpoint, probe: Probe) -> list[FittedCase]:
    """The cases that fit the endpoint and are of a kind that it reads.

    A request line and header fields are judged with every body that it accepts, read or not.
    """
    return [fitted for fitted in fitted_cases(cases, endpoint) if _is_taken(fitted, probe)]


def _is_taken(fitted: FittedCase, probe: Probe) -> bool:
    if fitted.request.startswith(b"GET ") and not 200 <= probe.answers["none"] < 300:
        return False
    return fitted.kind in probe.judged or (fitted.kind in probe.untold and fitted.case.rules[0][0] in "RH")


@dataclass(slots=True)
class Stop:
    """Why the rest of the cases was not sent, or empty. Threads share it."""

    why: str = ""


def assess(
    fitted: Sequence[FittedCase],
    endpoint: Endpoint,
    probe: Probe,
    reference: RunningBackend,
    *,
    seed: int = 0,
    on_case: OnCase = lambda case: None,
    stop: Stop | None = None,
) -> list[Judged]:
    """Send the cases and judge the answers, in order. `reference`, our own server, has the right readings.

    Ends soon after the endpoint can no longer be reached, or refuses further requests; `stop` says so. A case
    without an answer is sent once more, alone: a small server may have had too many connections.
    """
    stop = stop or Stop()

    def judge(one: FittedCase) -> Judged | None:
        if stop.why:
            return None
        started = time.monotonic()
        told = probe.told_by_kind.get(one.kind, Told()) if probe.level is Level.PARSED else None
        right = None
        if one.case.accepted:
            right = right_reading(one.case, reference) if told is not None else {}
        sendings = list(_sendings(one, endpoint, seed))
        stop.why = stop.why or _reason_to_stop(one, endpoint, sendings)
        finding = finding_of(one, sendings, right, told)
        return Judged(one.case, finding, sendings[0].exchange, time.monotonic() - started, one.shown)

    judged: list[Judged] = []
    with ThreadPoolExecutor(IN_FLIGHT, "case") as pool:
        for one, done in zip(fitted, pool.map(judge, fitted), strict=True):
            on_case(one.case)
            judged += [] if done is None else [done]
    return judged if stop.why else _confirmed(judged, {one.case.name: one for one in fitted}, judge)


def _confirmed(
    judged: Sequence[Judged], fitted: Mapping[str, FittedCase], judge: Callable[[FittedCase], Judged | None]
) -> list[Judged]:
    """The verdicts, after those without an answer were judged once more, one at a time.

    If the first ones have no answer again, the others are believed.
    """
    unanswered = [one for one in judged if one.finding is not None and one.finding.kind in _WITHOUT_ANSWER]
    again: dict[str, Judged] = {}
    for number, one in enumerate(unanswered):
        believed = all(each.finding and each.finding.kind in _WITHOUT_ANSWER for each in again.values())
        if number >= _BELIEVED_AFTER and believed:
            break
        again[one.case.name] = judge(fitted[one.case.name]) or one
    return [again.get(one.case.name, one) for one in judged]


def _reason_to_stop(one: FittedCase, endpoint: Endpoint, sendings: Sequence[Sent]) -> str:
    """Why no further case can be judged, or ""."""
    last = sendings[-1].exchange
    if last.no_connection and endpoint.send([one.request]).no_connection:
        return "the server can no longer be reached"
    if any(response.status == HTTPStatus.TOO_MANY_REQUESTS for response in last.responses):
        return f"the server limits the rate of requests ({HTTPStatus.TOO_MANY_REQUESTS.value})"
    return ""


def right_reading(case: Case, reference: RunningBackend) -> Mapping[str, Any]:
    """What our own server reads. Raises LookupError when it does not accept the case."""
    answer = answer_of(
        exchange(
            reference.host,
            reference.port,
            whole(case.request),
            methods=request_methods(case.request),
            is_whole=is_whole(case.request),
        )
    )
    if answer is None:
        raise LookupError(f"our own server did not accept {case.name}")
    return answer


def _sendings(fitted: FittedCase, endpoint: Endpoint, seed: int) -> Iterator[Sent]:
    """The request whole, in random pieces, and as recorded. The rest is not sent after a hang."""
    request = fitted.request
    ways = [("whole", whole(request), 0.0)]
    ways.append(("in pieces", random_pieces(request, random.Random(f"{seed} {fitted.case.name}")), 0.0))
    if fitted.splits:
        ways.append(("split as recorded", split_at(request, fitted.splits), _SPLIT_SECONDS))
    for split, pieces, pause in ways:
        received = endpoint.send(pieces, pause=pause)
        yield Sent(split, received)
        if received.no_response:
            break
