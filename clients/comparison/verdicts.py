"""Judges the exchanges of a case: with what is expected, with each other, with the known differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..http1.exchange import Exchange, request_methods
from .cases import Case
from .equality import broken_invariants, compared, first_difference
from .known_differences import Known, KnownDifference
from .rendering import show_exchange, show_request


class Verdict(StrEnum):
    """What came out of one case on one backend."""

    EQUAL = "equal"
    KNOWN = "known"
    DIFFERENT = "different"
    BOTH_REFUSED = "both_refused"
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one case, backend and client.

    `status` is the answer's (None without one), `detail` one line, `evidence` the request and the answers
    as text for a reader (of differences and missing answers alone).
    """

    case: str
    backend: str
    client: str
    verdict: Verdict
    status: int | None = None
    detail: str = ""
    evidence: str = ""

    @property
    def failed(self) -> bool:
        """Whether it keeps the backends from agreeing."""
        return self.verdict in (Verdict.DIFFERENT, Verdict.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a case was sent to a backend ("whole", "in pieces", ...), and what came back."""

    cut: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class _Seen:
    """One backend's sendings, the one to show, and what is wrong with it by itself."""

    backend: str
    sendings: Sequence[Sending]
    shown: Sending
    fault: str = ""

    @property
    def answered(self) -> bool:
        return not self.shown.exchange.no_response


def judge(case: Case, sendings: Mapping[str, Sequence[Sending]], known: Known) -> list[Result]:
    """One result for each backend in `sendings`, in their order; each was sent the case at least once."""
    seen = [_look(case, backend, of_backend) for backend, of_backend in sendings.items()]
    # One that is known to differ is no measure for the others: they are compared among themselves.
    measure = _measure([one for one in seen if (case.name, one.backend) not in known])
    if case.expect.refused:
        measure = None  # any refusal will do, so there is nothing to compare
    return [_result(case, one, measure, known.get((case.name, one.backend))) for one in seen]


def not_sent(case: Case, backend: str) -> Result:
    """The result for a backend that does not get the case."""
    detail = f"tier {case.tier} does not go to {backend}"
    return Result(case.name, backend, case.client, Verdict.NOT_SENT, detail=detail)


def _look(case: Case, backend: str, sendings: Sequence[Sending]) -> _Seen:
    """Judge a backend by itself: an answer at all, whatever the cut; its invariants; what is expected."""
    head = request_methods(case.request)[0] == b"HEAD"
    first = sendings[0]
    for sending in sendings:
        if sending.exchange.no_response:
            return _Seen(backend, sendings, sending, f"{sending.exchange.no_response} (sent {sending.cut})")
    for sending in sendings:
        for response in sending.exchange.responses:
            if broken := next(broken_invariants(response, head=head), None):
                return _Seen(backend, sendings, sending, broken)
        if faults := case.expect.faults(sending.exchange, head=head):
            return _Seen(backend, sendings, sending, f"{faults[0]} (sent {sending.cut})")
        # Two faults in one body have no order: the cut may decide which one is found first.
        if not case.expect.refused and (changed := first_difference(first.exchange, sending.exchange)):
            return _Seen(backend, sendings, sending, f"sent {first.cut} and {sending.cut}: {changed}")
    return _Seen(backend, sendings, first)


def _measure(seen: Sequence[_Seen]) -> _Seen | None:
    """The one to compare the others with: of the largest group of equal answers that are as expected."""
    groups: list[list[_Seen]] = []
    for one in (one for one in seen if one.answered):
        for group in groups:
            if compared(group[0].shown.exchange) == compared(one.shown.exchange):
                group.append(one)
                break
        else:
            groups.append([one])
    if not groups:
        return None
    return max(groups, key=lambda group: (not group[0].fault, len(group)))[0]


def _result(case: Case, one: _Seen, measure: _Seen | None, entry: KnownDifference | None) -> Result:
    fault = one.fault
    if not fault and measure is not None:
        difference = first_difference(measure.shown.exchange, one.shown.exchange)
        fault = f"{measure.backend} and {one.backend}: {difference}" if difference else ""
    verdict, detail = _verdict(case, one, fault, entry, comparable=measure is not None or case.expect.refused)
    failed = verdict in (Verdict.DIFFERENT, Verdict.NO_ANSWER)
    responses = one.shown.exchange.responses
    return Result(
        case=case.name,
        backend=one.backend,
        client=case.client,
        verdict=verdict,
        status=responses[0].status if responses else None,
        detail=detail,
        evidence=_evidence(case, one, measure) if failed else "",
    )


def _verdict(
    case: Case, one: _Seen, fault: str, entry: KnownDifference | None, *, comparable: bool
) -> tuple[Verdict, str]:
    if not one.answered:
        return Verdict.NO_ANSWER, fault
    if entry is not None:
        wrong = next((wrong for sending in one.sendings if (wrong := entry.fault(sending.exchange))), None)
        if not fault and comparable:
            return (
                Verdict.DIFFERENT,
                f"stale known difference ({entry.rule}): it agrees, remove the entry",
            )
        if wrong:
            return Verdict.DIFFERENT, f"not the known difference ({entry.rule}): {wrong}"
        return Verdict.KNOWN, f"{entry.rule}: {entry.reason}"
    if fault:
        return Verdict.DIFFERENT, fault
    return (Verdict.BOTH_REFUSED if case.expect.refused else Verdict.EQUAL), ""


def _evidence(case: Case, one: _Seen, measure: _Seen | None) -> str:
    blocks = [f"request ({case.title}):", show_request(case.request)]
    shown = [one] if measure is None or measure.backend == one.backend else [measure, one]
    for other in shown:
        blocks += [f"{other.backend}, sent {other.shown.cut}:", show_exchange(other.shown.exchange)]
    return "\n".join(blocks)
