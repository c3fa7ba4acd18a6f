"""A head as the bytes that h11 was given: its field lines as sent, and the problem of one that it refused."""

from collections.abc import Iterator

from ..contract.limits import Limits
from ..contract.problems import Problem
from .fields import FieldLine
from .head import RequestLine, read_head


def sent_fields(head: bytes) -> Iterator[FieldLine]:
    """The field lines, split at CRLF and colon and not judged: h11 unfolds lines and rewrites lengths."""
    for line in _lines(head)[1:]:
        name, colon, value = line.partition(b":")
        # Without a colon there is no name (H9).
        yield FieldLine(name if colon else b"", value, len(line) + len(b"\r\n"))


def diagnose(head: bytes, limits: Limits) -> Problem:
    """The first problem in the order of judgement; `bad_header` when only h11 sees a fault."""
    words = _lines(head)[0].split(b" ", 2)
    line = RequestLine(*words, *[b""] * (3 - len(words)))
    try:
        understood = read_head(line, sent_fields(head), limits)
    except Problem as problem:
        return problem
    if (understood.content_length or 0) > limits.max_body:
        # h11 counts digits (B7); no route would take such a body.
        return Problem("body_too_large", f"a body may have {limits.max_body} bytes")
    return Problem("bad_header", "the head is malformed")


def _lines(head: bytes) -> list[bytes]:
    # One empty line may come first (R16).
    return head.removeprefix(b"\r\n").partition(b"\r\n\r\n")[0].split(b"\r\n")
