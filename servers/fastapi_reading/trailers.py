"""Trailer fields (RFC 9112 7.1.2): judged like fields, then forgotten (B28, B29)."""

from collections.abc import Iterable

from ..contract.limits import Limits
from ..contract.problems import Problem
from .fields import FieldLine, judge_fields

# They would change framing, routing or authentication after the fact (RFC 9110 6.5.1).
_FORBIDDEN = {"authorization", "content-length", "host", "te", "trailer", "transfer-encoding"}


def judge_trailers(lines: Iterable[FieldLine], limits: Limits, *, has_type: bool) -> None:
    """Raises Problem `bad_chunk`. `has_type`: the head has a Content-Type, so that one here is a second."""
    try:
        names = judge_fields(lines, limits, at_most=limits.max_trailers).keys()
    except Problem as problem:
        raise Problem("bad_chunk", f"the trailers: {problem.detail}") from None
    misplaced = names & (_FORBIDDEN | {"content-type"} if has_type else _FORBIDDEN)
    if misplaced:
        raise Problem("bad_chunk", f"{min(misplaced)} must not stand in the trailers")
