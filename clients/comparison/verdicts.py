"""Decides what came out of a case: for each backend one verdict, with a line of detail and the evidence."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..http1.exchange import Exchange, request_methods
from .cases import Case
from .equality import broken_invariants, compared, first_difference
from .known_differences import KnownDifferences
from .rendering import one_line, show_exchange, show_request


class Verdict(StrEnum):
    """What came out of one case on one backend."""

    EQUAL = "equal"
    KNOWN = "known"
    DIFFERENT = "different"
    BOTH_REFUSED = "both_refused"
    NO_RESPONSE = "no_response"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one case, backend and client.

    `status` is that of the first response, None without one. `detail` is one line, which is cut when it is
    long. `evidence` shows the request and the responses as text; it is empty unless the result has `failed`.
    `seconds` is how long the sendings of the case took.
    """

    case: str
    backend: str
    client: str
    verdict: Verdict
    status: int | None = None
    detail: str = ""
    evidence: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether this result makes compare fail."""
        return self.verdict in (Verdict.DIFFERENT, Verdict.NO_RESPONSE)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a case was sent to a backend ("whole", "in pieces", ...), and what came back.

    `unreadable` says why a file that the response calls stored could not be read back, or is empty.
    """

    split: str
    exchange: Exchange
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class _Observed:
    """One backend: the sending to show, and what is wrong with it without looking at other backends."""

    backend: str
    sending: Sending
    fault: str = ""


def evaluate(
    case: Case, sendings: Mapping[str, Sequence[Sending]], known_differences: KnownDifferences
) -> list[Result]:
    """One result for each backend in `sendings`, in their order. Each was sent the case at least once.

    The first line that applies decides. The entry is the known difference for this case and backend.

    ============  =====================================================================  ============
    entry         condition                                                              verdict
    ============  =====================================================================  ============
    with or none  nothing came back for a sending, not even a close                      NO_RESPONSE
    none          there is a fault                                                       DIFFERENT
    none          the case expects any refusal                                           BOTH_REFUSED
    none          otherwise                                                              EQUAL
    with          no fault, and a reference or any refusal to compare with (stale)       DIFFERENT
    with          a sending brought something else than the entry says                   DIFFERENT
    with          otherwise                                                              KNOWN
    ============  =====================================================================  ============

    These are faults, in this order:

    1. What came is not a complete and correct response (`Exchange.bad_response`).
    2. A response breaks an invariant (`equality.broken_invariants`).
    3. A response is not what the case expects.
    4. A stored file cannot be read back as the response describes it.
    5. Two sendings brought different responses. A case that expects any refusal has no such fault: of two
       faults in one body the split may decide which one is found first.
    6. The response differs from the reference: that of the largest group of backends with equal responses,
       those as expected before all others. A backend with a known difference is not part of any group. There
       is no reference when the case expects any refusal.
    """
    observed = [_observe(case, backend, of_backend) for backend, of_backend in sendings.items()]
    any_refusal = case.expect.refused
    reference = None
    if not any_refusal:
        reference = _reference(one for one in observed if (case.name, one.backend) not in known_differences)
    results = []
    for one in observed:
        exchange, fault = one.sending.exchange, one.fault
        if not fault and reference is not None:
            difference = first_difference(reference.sending.exchange, exchange)
            fault = f"{reference.backend} and {one.backend}: {difference}" if difference else ""
        entry = known_differences.get((case.name, one.backend))
        if exchange.no_response:
            verdict, detail = Verdict.NO_RESPONSE, fault
        elif entry is None and fault:
            verdict, detail = Verdict.DIFFERENT, fault
        elif entry is None:
            verdict, detail = (Verdict.BOTH_REFUSED if any_refusal else Verdict.EQUAL), ""
        elif not fault and (any_refusal or reference is not None):
            verdict = Verdict.DIFFERENT
            detail = f"stale known difference ({entry.rule}): the responses are equal, remove the entry"
        elif wrong := next(filter(None, (entry.fault(sent.exchange) for sent in sendings[one.backend])), ""):
            verdict, detail = Verdict.DIFFERENT, f"not the known difference ({entry.rule}): {wrong}"
        else:
            verdict, detail = Verdict.KNOWN, f"{entry.rule}: {entry.reason}"
        status = exchange.responses[0].status if exchange.responses else None
        result = Result(case.name, one.backend, case.client, verdict, status, one_line(detail))
        results.append(_with_evidence(result, case, one, reference) if result.failed else result)
    return results


def not_sent(case: Case, backend: str) -> Result:
    """The result for a backend that does not get the case."""
    detail = f"tier {case.tier} does not go to {backend}"
    return Result(case.name, backend, case.client, Verdict.NOT_SENT, detail=detail)


def _observe(case: Case, backend: str, sendings: Sequence[Sending]) -> _Observed:
    """The first sending without a response; else the first one with a fault 1 to 5; else the first one."""
    head = request_methods(case.request)[0] == b"HEAD"
    first = sendings[0]
    for sending in sendings:
        if sending.exchange.no_response:
            return _Observed(backend, sending, f"{sending.exchange.no_response} (sent {sending.split})")
    for sending in sendings:
        if sending.exchange.bad_response:
            return _Observed(backend, sending, f"{sending.exchange.bad_response} (sent {sending.split})")
        for response in sending.exchange.responses:
            if broken := next(broken_invariants(response, head=head), None):
                return _Observed(backend, sending, broken)
        if faults := case.expect.faults(sending.exchange, head=head):
            return _Observed(backend, sending, f"{faults[0]} (sent {sending.split})")
        if sending.unreadable:
            return _Observed(backend, sending, sending.unreadable)
        difference = None if case.expect.refused else first_difference(first.exchange, sending.exchange)
        if difference:
            return _Observed(backend, sending, f"sent {first.split} and {sending.split}: {difference}")
    return _Observed(backend, first)


def _reference(observed: Iterable[_Observed]) -> _Observed | None:
    """One of the largest group of equal responses, those without a fault first."""
    groups: dict[object, list[_Observed]] = {}
    for one in observed:
        if not one.sending.exchange.failure:
            groups.setdefault(compared(one.sending.exchange), []).append(one)
    if not groups:
        return None
    return max(groups.values(), key=lambda group: (not group[0].fault, len(group)))[0]


def _with_evidence(result: Result, case: Case, one: _Observed, reference: _Observed | None) -> Result:
    blocks = [f"request ({case.title}):", show_request(case.request)]
    shown = [one] if reference is None or reference is one else [reference, one]
    for other in shown:
        blocks += [f"{other.backend}, sent {other.sending.split}:", show_exchange(other.sending.exchange)]
    return dataclasses.replace(result, evidence="\n".join(blocks))
