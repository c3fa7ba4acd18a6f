"""Makes what is written of a request from what was recorded of it: redacted, and cut to size.

What can be worked out later from what is written, such as hashes and spans, is left to those who look.
"""

import json
from typing import Any, NamedTuple

from ..contract.problems import Problem
from .agreement import Answer
from .kept_body import trailers_of
from .redaction import (
    has_secrets,
    is_secret,
    redact_answer,
    redact_any,
    redact_environ,
    redact_head,
    redact_text,
    secrets_of,
)
from .run import KEPT_ANSWER, Run
from .same_request import form_of, key_of

_KIND = b'"body":{"kind":"'
_OVERHEAD = 600

REQUEST = (
    *("key", "form", "is_complete", "is_refused", "method", "target", "kind", "agent", "size", "total"),
    *("head", "chunked", "redacted", "weight", "reads", "tail", "behind", "kept"),
)
"""The columns of a request that are the same on every backend."""

RUN = (
    *("backend", "wire", "status", "code", "ms", "content_type", "answer_size", "redacted"),
    *("problem", "environ", "events", "answer"),
)
"""The columns of one backend's run."""


class Columns(NamedTuple):
    """What is written of one request on one backend, in the order of `REQUEST` and `RUN`."""

    request: tuple[Any, ...]
    run: tuple[Any, ...]

    def of_request(self, name: str) -> Any:
        """The value of a column of the request."""
        return self.request[REQUEST.index(name)]

    def of_run(self, name: str) -> Any:
        """The value of a column of the run."""
        return self.run[RUN.index(name)]

    @property
    def answer(self) -> Answer:
        """What decides whether two runs agree."""
        return Answer(*map(self.of_run, ("status", "content_type", "answer_size", "answer")))


def columns_of(run: Run) -> Columns:
    """The columns of a request that is over, or that arrives."""
    wire, head = run.wire, run.head
    raw = kept = tail = None
    total, end = None, 0
    secrets: list[str] = []
    if wire is not None:
        pieces = wire.pieces
        raw = kept = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        total, end, tail = wire.total, wire.head, wire.tail
        if not run.is_complete or has_secrets(raw[:end]) or (head is not None and head.chunked):
            secrets = secrets_of(raw[: end or None])
            kept, tail = _redacted(run, raw, end)
    elif run.environ is not None:
        secrets = _secrets_in(run.environ)
    elif head is not None:
        secrets = [value for name, value in head.headers if is_secret(name)]
    answer = run.answer
    if answer is not None:
        answer = _answer(answer, secrets, streams=run.events is not None)
    key = form = behind = None
    if head is not None:
        if run.is_complete:
            key = key_of(run, head, raw[end:] if raw is not None else b"")
        if wire is None:
            form = form_of(head)
    if run.spans is not None and kept is not None and wire is not None and wire.total > len(kept):
        behind = run.spans.blob(end)
    weight = _OVERHEAD + len(kept or b"") + len(answer or b"") + len(behind or b"")
    request = (
        *(key, form, run.is_complete, run.code is not None, run.method, run.target, _kind(run, answer)),
        *(None if head is None else head.field("user-agent"), run.size, total, end),
        *(head is not None and head.chunked, bool(secrets) or kept != raw, weight),
        *(_reads(wire.reads) if wire is not None else None, tail or None, behind, kept),
    )
    return Columns(request, _run_columns(run, answer, secrets))


def _run_columns(run: Run, answer: bytes | None, secrets: list[str]) -> tuple[Any, ...]:
    content_type = None
    for name, value in run.headers:
        if name == "Content-Type":
            content_type = value
            break
    return (
        *(run.backend, run.wire is not None, run.status, run.code, run.milliseconds, content_type),
        *(run.answer_size, bool(secrets)),
        _problem_column(run.problem, secrets) if run.problem is not None else None,
        json.dumps(redact_environ(run.environ)) if run.environ is not None else None,
        json.dumps(run.events) if run.events is not None else None,
        answer,
    )


def _reads(reads: list[int]) -> str | None:
    return None if len(reads) == 1 else ",".join(map(str, reads))


def _secrets_in(environ: dict[str, str]) -> list[str]:
    return [value for name, value in environ.items() if name.startswith("HTTP_") and is_secret(name.lower())]


def _redacted(run: Run, raw: bytes, end: int) -> tuple[bytes, bytes]:
    """The first bytes and the last ones, without credentials.

    Bytes behind a refusal may be other requests. Bytes that are surely of the body are kept as they are.
    """
    assert run.wire is not None
    head, tail = run.head, run.wire.tail
    if run.is_complete and head is not None and head.chunked:
        trailers = end + trailers_of(raw[end:])
        last = tail.find(b"\r\n0")  # the line of the last chunk; without it the tail is of the trailers
        shown = raw[end:trailers] + redact_any(raw[trailers:])
        return redact_head(raw[:end]) + shown, tail[: max(last, 0)] + redact_any(tail[max(last, 0) :])
    if run.is_complete:
        return redact_head(raw[:end]) + raw[end:], tail
    length = 0 if head is None or head.chunked else head.content_length or 0
    if head is not None and run.wire.total <= end + length:
        return redact_head(raw[:end]) + raw[end:], tail
    if head is None:
        return redact_any(raw), b""
    return redact_head(raw[:end]) + raw[end : end + length] + redact_any(raw[end + length :]), b""


def _answer(answer: bytes | bytearray, secrets: list[str], *, streams: bool) -> bytes | None:
    if secrets and not streams:
        if len(answer) > KEPT_ANSWER:
            return None  # only a whole answer can be redacted
        return redact_answer(bytes(answer), secrets)
    return bytes(answer[:KEPT_ANSWER])


def _problem_column(problem: Problem, secrets: list[str]) -> str:
    fault = problem.fault
    members = {
        "detail": redact_text(problem.detail, secrets),
        "rule": problem.rule,
        "offset": problem.offset,
        "fault": None if fault is None else [fault.start, fault.stop],
        "field": problem.field,
    }
    return json.dumps(members)


def _kind(run: Run, answer: bytes | None) -> str | None:
    """The kind of the body: what the result says, or else what the Content-Type promises."""
    if answer is not None and run.code is None:
        at = answer.find(_KIND)
        if at >= 0:
            begin = at + len(_KIND)
            return answer[begin : answer.index(b'"', begin)].decode("ascii")
    head = run.head
    if head is None:
        return None
    if not (head.chunked or head.content_length):
        return "none"
    essence = (head.field("content-type") or "").partition(";")[0].strip(" \t").lower()
    if essence == "multipart/form-data":
        return "multipart"
    if essence == "application/x-www-form-urlencoded":
        return "form"
    if essence == "application/json" or essence.endswith("+json"):
        return "json"
    return "text" if essence.startswith("text/") else "bytes"
