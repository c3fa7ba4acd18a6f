"""What the answers to one generated request amount to: the same, refused differently, or a difference.

Two faults in one body have no order (contract, section 4), so that a request which more than one production
or mutation made may be refused with two codes, if both are about the body. The head has an order: there a
second code is a difference, whatever made the request.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..comparison.equality import broken_invariants, first_difference
from ..http1.exchange import Exchange, request_methods
from ..http1.response_parser import Response
from .draft import FuzzRequest

BODY_CODES = frozenset(
    {
        *("bad_chunk", "body_truncated", "body_too_large", "boundary_missing", "boundary_invalid"),
        *("unsupported_content_encoding", "multipart_preamble", "multipart_epilogue", "multipart_truncated"),
        *("multipart_syntax", "part_headers_missing", "part_header_syntax", "part_header_encoding"),
        *("disposition_missing", "disposition_syntax", "disposition_type", "name_missing", "filename_ext"),
        *("part_transfer_encoding", "field_encoding", "part_charset", "form_not_utf8", "text_encoding"),
        *("json_invalid", "json_duplicate_key", "json_too_deep", "field_too_large", "too_many_parts"),
        *("part_headers_too_large", "bad_value"),
    }
)
"""Codes of step 10 of the order of judgement, and those that chunks postpone to it."""

_SERVER_FAULTS = frozenset({500, 502, 503, 504, 507})


class Outcome(StrEnum):
    """What came out of one request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_DIFFERENTLY = "refused differently"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`backend` is the one that differs and `detail` says in what; `kind` is the same for differences of one
    kind, whatever the request."""

    outcome: Outcome
    backend: str = ""
    detail: str = ""
    kind: str = ""

    @property
    def failed(self) -> bool:
        """Whether it keeps the backends from agreeing."""
        return self.outcome is Outcome.DIFFERENT


def judge(request: FuzzRequest, exchanges: Mapping[str, Exchange]) -> Judgement:
    """Compare what the backends answered: each with the first, byte for byte as compare does it."""
    head = request_methods(request.data)[0] == b"HEAD"
    exchanges = {backend: _first_answer(exchange) for backend, exchange in exchanges.items()}
    for backend, exchange in exchanges.items():
        if wrong := _fault_by_itself(exchange, head=head):
            return Judgement(Outcome.DIFFERENT, backend, wrong, _kind(exchanges, wrong))
    names = list(exchanges)
    found = Outcome.ACCEPTED if _accepted(exchanges[names[0]]) else Outcome.REFUSED
    detail = ""
    for name in names[1:]:
        difference = first_difference(exchanges[names[0]], exchanges[name])
        if difference is None:
            continue
        detail = f"{names[0]} and {name}: {difference}"
        if not _excused(request, exchanges[names[0]], exchanges[name]):
            return Judgement(Outcome.DIFFERENT, name, detail, _kind(exchanges, difference))
        found = Outcome.REFUSED_DIFFERENTLY
    return Judgement(found, detail=detail, kind=_kind(exchanges, ""))


def refusal(exchange: Exchange) -> str:
    """How an exchange ended, in a word: the problem's code, the status, `closed` or `no answer`."""
    if exchange.no_response:
        return "no answer"
    if exchange.closed:
        return "closed"
    return _code(exchange.responses[0]) or str(exchange.responses[0].status)


def _first_answer(exchange: Exchange) -> Exchange:
    """Bytes behind a message may be another one, whose answer depends on how a refusal ends: T3 (B4, B45)."""
    return dataclasses.replace(exchange, responses=exchange.responses[:1])


def _fault_by_itself(exchange: Exchange, *, head: bool) -> str:
    if exchange.no_response:
        return exchange.no_response
    for response in exchange.responses:
        if response.status in _SERVER_FAULTS:
            return f"status: {response.status} {_code(response)}"
        if broken := next(broken_invariants(response, head=head), None):
            return broken
    return ""


def _accepted(exchange: Exchange) -> bool:
    return bool(exchange.responses) and exchange.responses[0].status < 400


def _excused(request: FuzzRequest, one: Exchange, other: Exchange) -> bool:
    """Whether two faults may have been found in two orders."""
    if request.alone or not one.responses or not other.responses:
        return False
    statuses = {one.responses[0].status, other.responses[0].status}
    if not all(400 <= status <= 499 for status in statuses):
        return False
    codes = {_code(one.responses[0]), _code(other.responses[0])}
    # A HEAD's refusal shows its status alone.
    return codes <= BODY_CODES or codes == {""}


def _code(response: Response) -> str:
    if response.status < 400 or not response.is_json:
        return ""
    try:
        value: Any = response.json()
    except ValueError:
        return ""
    return str(value.get("code", "")) if isinstance(value, dict) else ""


def _kind(exchanges: Mapping[str, Exchange], difference: str) -> str:
    ends = ", ".join(f"{name} {refusal(exchange)}" for name, exchange in exchanges.items())
    if len({refusal(exchange) for exchange in exchanges.values()}) > 1:
        return ends
    return f"{ends}: {re.sub(r'[0-9]+', 'N', difference.partition(':')[0])}"
