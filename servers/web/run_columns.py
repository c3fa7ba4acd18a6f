"""Makes what is written of a request from what was recorded of it: redacted, digested, cut to size."""

import hashlib
import json
from typing import NamedTuple

from ..contract.problems import Problem
from .agreement import Answer
from .body_sample import KEPT_BODY
from .digests import body_digest, form_digest, wire_digests
from .redaction import has_secrets, redact_answer, redact_any, redact_environ, redact_head, redact_text
from .redaction import secrets_of as credentials_in
from .run import KEPT_ANSWER, Run

_KIND = b'"body":{"kind":"'
_OVERHEAD = 600


class KeptRequest(NamedTuple):
    """The columns of a request that are the same on every backend. `kept` is None if the wire is hidden."""

    digest: int | None
    head_digest: int | None
    form_digest: int | None
    body_digest: int | None
    is_complete: bool
    is_refused: bool
    method: str | None
    target: str | None
    kind: str | None
    agent: str | None
    size: int
    total: int | None
    head: int
    chunked: bool
    redacted: bool
    weight: int
    reads: str | None
    tail: bytes | None
    behind: bytes | None
    kept: bytes | None


class KeptRun(NamedTuple):
    """The columns of one backend's run."""

    backend: str
    is_complete: bool
    wire: bool
    status: int | None
    code: str | None
    ms: float
    sha256: str | None
    content_type: str | None
    answer_size: int | None
    problem: str | None
    environ: str | None
    events: str | None
    answer: bytes | None

    @property
    def compared(self) -> Answer:
        """What decides whether two runs agree."""
        return Answer(self.status, self.content_type, self.answer_size, self.answer)


def columns_of(run: Run) -> tuple[KeptRequest, KeptRun]:
    """The columns of a request that is over, or that arrives."""
    raw = b"" if run.wire is None else _joined(run.wire.pieces)
    head_size = 0 if run.wire is None else run.wire.head
    secrets = _secrets(run, raw, head_size)
    kept, tail = _redacted(run, raw, head_size)
    content_type = next((value for name, value in run.headers if name == "Content-Type"), None)
    answer = _answer(run, secrets)
    kept_run = KeptRun(
        run.backend,
        run.is_complete,
        run.wire is not None,
        run.status,
        run.code,
        round(run.milliseconds, 2),
        _sha256(answer, run) if not secrets else None,
        content_type,
        run.answer_size,
        _problem(run.problem, secrets) if run.problem is not None else None,
        json.dumps(redact_environ(run.environ)) if run.environ is not None else None,
        json.dumps(run.events) if run.events is not None else None,
        answer,
    )
    return _request(run, kept, tail, raw, answer, redacted=bool(secrets)), kept_run


def _request(
    run: Run, kept: bytes | None, tail: bytes | None, raw: bytes, answer: bytes | None, *, redacted: bool
) -> KeptRequest:
    wire, head = run.wire, run.head
    digest = head_digest = by_form = by_body = behind = None
    body = b""
    if wire is not None and kept is not None:
        digest, head_digest = wire_digests(run, kept)
        body = raw[wire.head :]
        if run.spans is not None and wire.total > len(kept):
            behind = run.spans.blob(wire.head)
    if head is not None:
        by_form = form_digest(head)
        by_body = body_digest(run, body) if run.is_complete else None
    return KeptRequest(
        digest,
        head_digest,
        by_form,
        by_body,
        run.is_complete,
        run.code is not None,
        run.method,
        run.target,
        _kind(run, answer),
        None if head is None else head.field("user-agent"),
        run.size,
        None if wire is None else wire.total,
        0 if wire is None else wire.head,
        head is not None and head.chunked,
        redacted or (kept is not None and kept != raw),
        _OVERHEAD + len(raw) + len(answer or b"") + len(behind or b""),
        None if wire is None or wire.reads == [0] else ",".join(map(str, wire.reads)),
        tail or None,
        behind,
        kept,
    )


def _joined(pieces: list[bytes]) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _secrets(run: Run, raw: bytes, head_size: int) -> list[str]:
    """The credentials in the head; for a malformed one, in all bytes."""
    if run.wire is not None:
        found = credentials_in(raw[: head_size or None])
    elif run.environ is not None:
        found = [
            str(value)
            for name, value in run.environ.items()
            if name in ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION", "HTTP_COOKIE")
        ]
    else:
        found = []
    return found


def _redacted(run: Run, raw: bytes, head_size: int) -> tuple[bytes | None, bytes | None]:
    """The first bytes and the last ones, without credentials.

    Bytes behind a refusal may be other requests. Bytes that are surely of a body are kept as they are.
    """
    if run.wire is None:
        return None, None
    tail = run.wire.tail
    if run.is_complete and head_size:
        if not has_secrets(raw[:head_size]):
            return raw, tail
        return redact_head(raw[:head_size]) + raw[head_size:], tail
    length = 0
    if run.head is not None and not run.head.chunked:
        length = run.head.content_length or 0
    end = head_size + length
    if run.wire.total <= end:
        return redact_any(raw[:head_size]) + raw[head_size:], tail
    if not head_size:
        return redact_any(raw), b""
    return redact_any(raw[:head_size]) + raw[head_size:end] + redact_any(raw[end:]), b""


def _sha256(answer: bytes | None, run: Run) -> str | None:
    """The hash of an answer of which every byte is kept."""
    if answer is None or len(answer) != run.answer_size:
        return None
    return hashlib.sha256(answer).hexdigest()


def _answer(run: Run, secrets: list[str]) -> bytes | None:
    answer = run.answer
    if answer is None:
        return None
    if secrets and run.events is None:
        if len(answer) > KEPT_ANSWER:
            return None  # only the whole answer can be redacted
        return redact_answer(bytes(answer), secrets)
    return bytes(answer[:KEPT_ANSWER]) if len(answer) > KEPT_ANSWER else bytes(answer)


def _problem(problem: Problem, secrets: list[str]) -> str:
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
        at = answer.find(_KIND, 0, KEPT_BODY)
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
