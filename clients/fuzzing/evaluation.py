"""Compares the responses to one generated request: equal, refused with two codes, or different.

`comparison.verdicts.evaluate` decides whether they are equal, as it does for a recorded case. Two things are
different here. Nothing is expected of a generated request but that no server fails. And two faults in one
body have no order (contract, section 4): a request that more than one production or mutation made may be
refused with two codes, if both are about the body. The head has an order, so there two codes are always a
difference.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..comparison.cases import Case
from ..comparison.expectation import Expectation
from ..comparison.rendering import one_line
from ..comparison.verdicts import Result, Sending, evaluate
from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from .draft import FuzzRequest

BODY_CODES = frozenset(
    {
        *("bad_chunk", "body_truncated", "body_too_large", "boundary_missing", "boundary_invalid"),
        *("unsupported_content_encoding", "multipart_preamble", "multipart_epilogue", "multipart_truncated"),
        *("multipart_syntax", "part_headers_missing", "part_header_syntax", "part_header_encoding"),
        *("disposition_missing", "disposition_syntax", "disposition_type", "name_missing", "filename_ext"),
        *("part_transfer_encoding", "filename_conflict", "form_not_utf8", "text_encoding"),
        *("json_invalid", "json_duplicate_key", "json_too_deep", "field_too_large", "too_many_parts"),
        *("part_headers_too_large", "bad_value"),
    }
)
"""Codes of step 10 of the order of judgement (contract, section 4), and those that chunks postpone to it."""

_ANY_REFUSAL = Expectation.parse({"refused": True})
_CODE_CHARACTERS = 60  # ours have at most 30
_PAIR = re.compile(r"\S+ and \S+: ")
_SERVER_FAULTS = frozenset({500, 502, 503, 504, 507})


class Outcome(StrEnum):
    """What came out of one request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_DIFFERENTLY = "refused differently"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a request.

    `kind` is the same for all differences of one kind, whatever the request. `difference` is the result of
    the first backend that differs; None unless the outcome is DIFFERENT.
    """

    outcome: Outcome
    kind: str = ""
    difference: Result | None = None


@dataclass(frozen=True, slots=True)
class _NoServerFault(Expectation):
    """Expects any response or close, but not that the server failed."""

    def faults(self, exchange: Exchange, *, head: bool = False) -> list[str]:
        """The response that says that the server failed."""
        failed = (response for response in exchange.responses if response.status in _SERVER_FAULTS)
        return [f"status: {response.status} {_code(response)}" for response in failed]


def evaluate_request(request: FuzzRequest, exchanges: Mapping[str, Exchange]) -> Evaluation:
    """Compare the responses of the backends, of which there is at least one, to a request."""
    # Only the first response is compared: whether bytes behind the request are read is T3 (B4, B45).
    exchanges = {
        backend: dataclasses.replace(exchange, responses=exchange.responses[:1])
        for backend, exchange in exchanges.items()
    }
    sendings = {backend: [Sending("once", exchange)] for backend, exchange in exchanges.items()}
    title = f"{len(request.data)} bytes"
    case = Case("generated", title, request.fault_rules, request.tier, request.data, _NoServerFault(()))
    different = [result for result in evaluate(case, sendings, {}) if result.failed]
    if not different:
        responses = next(iter(exchanges.values())).responses
        accepted = responses and responses[0].status < 400
        return Evaluation(Outcome.ACCEPTED if accepted else Outcome.REFUSED)
    if not request.alone and _are_refused_for_the_body(exchanges):
        case = dataclasses.replace(case, expect=_ANY_REFUSAL)
        different = [result for result in evaluate(case, sendings, {}) if result.failed]
    if not different:
        return Evaluation(Outcome.REFUSED_DIFFERENTLY, _kind(exchanges, ""))
    return Evaluation(Outcome.DIFFERENT, _kind(exchanges, different[0].detail), different[0])


def ending(exchange: Exchange) -> str:
    """How an exchange ended: the problem's code, the status, `closed`, `no response` or `bad response`."""
    if exchange.failure:
        return "no response" if exchange.no_response else "bad response"
    if exchange.closed:
        return "closed"
    return _code(exchange.responses[0]) or str(exchange.responses[0].status)


def _are_refused_for_the_body(exchanges: Mapping[str, Exchange]) -> bool:
    """Whether each backend refused the request with a code that is about the body."""
    responses = [exchange.responses[0] for exchange in exchanges.values() if exchange.responses]
    if len(responses) < len(exchanges) or not all(400 <= one.status <= 499 for one in responses):
        return False
    codes = {_code(response) for response in responses}
    # A response to HEAD has no body, so it shows no code.
    return codes <= BODY_CODES or codes == {""}


def _code(response: Response) -> str:
    problem = response.json_object() if response.status >= 400 else None
    return one_line(str(problem.get("code", "")), _CODE_CHARACTERS) if problem else ""


def _kind(exchanges: Mapping[str, Exchange], difference: str) -> str:
    """How each exchange ended; if all ended alike, also the key in which they differ, without its numbers."""
    endings = [ending(exchange) for exchange in exchanges.values()]
    kind = ", ".join(f"{name} {how}" for name, how in zip(exchanges, endings, strict=True))
    if len(set(endings)) > 1:
        return kind
    key = _PAIR.sub("", difference, count=1).partition(":")[0]
    return f"{kind}: {re.sub('[0-9]+', 'N', key)}"
