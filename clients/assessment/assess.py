"""Sends the cases that fit an endpoint, and collects what is wrong with its answers."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..comparison.cases import Case
from ..http1.exchange import Exchange, exchange, random_pieces, request_methods, split_at, whole
from ..http1.sent_request import is_whole
from ..launch import RunningBackend
from .endpoint import Endpoint
from .findings import Finding, Sent, finding_of
from .fitting import FittedCase, fitted_cases
from .probing import Level, Probe
from .told import answer_of

IN_FLIGHT = 16
# So that a server reads the pieces one by one.
_SPLIT_SECONDS = 0.05

OnCase = Callable[[Case], object]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one case: its finding, or None when the answer is right.

    `exchange` is what came back when the request was sent whole, `seconds` the time of all its sendings.
    """

    case: Case
    finding: Finding | None
    exchange: Exchange
    seconds: float


def cases_for(cases: Sequence[Case], endpoint: Endpoint, probe: Probe) -> list[FittedCase]:
    """The cases that fit the endpoint and are of a kind that it reads.

    A request line and header fields are judged with every body that it accepts, read or not.
    """
    return [fitted for fitted in fitted_cases(cases, endpoint) if _is_taken(fitted, probe)]


def _is_taken(fitted: FittedCase, probe: Probe) -> bool:
    if fitted.request.startswith(b"GET ") and not 200 <= probe.answers["none"] < 300:
        return False
    return fitted.kind in probe.judged or (fitted.kind in probe.untold and fitted.case.rules[0][0] in "RH")


def assess(
    fitted: Sequence[FittedCase],
    endpoint: Endpoint,
    probe: Probe,
    reference: RunningBackend,
    *,
    seed: int = 0,
    on_case: OnCase = lambda case: None,
) -> Iterator[Judged]:
    """Send the cases and judge the answers, in order. `reference`, our own server, has the right readings.

    Ends soon after the endpoint can no longer be reached.
    """
    told = probe.told if probe.level is Level.PARSED else None

    gone = threading.Event()

    def judge(one: FittedCase) -> Judged | None:
        if gone.is_set():
            return None
        started = time.monotonic()
        right = None
        if one.case.accepted:
            right = right_reading(one.case, reference) if told is not None else {}
        sendings = list(_sendings(one, endpoint, seed))
        if sendings[-1].exchange.no_connection and endpoint.send([one.request]).no_connection:
            gone.set()
        finding = finding_of(one, sendings, right, told)
        return Judged(one.case, finding, sendings[0].exchange, time.monotonic() - started)

    with ThreadPoolExecutor(IN_FLIGHT, "case") as pool:
        for one, judged in zip(fitted, pool.map(judge, fitted), strict=True):
            on_case(one.case)
            if judged is not None:
                yield judged


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
        started = time.monotonic()
        received = endpoint.send(pieces, pause=pause)
        yield Sent(split, received, time.monotonic() - started)
        if received.no_response:
            break
