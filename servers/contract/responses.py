"""The responses of routes, in a form that every backend can send."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..storage.base import ReadableFile
from .description import canonical_json
from .problems import Problem
from .request import FileEntry, RequestHead

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
EVENT_STREAM = "text/event-stream"

DYNAMIC = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Wireproof-Contract", "1"),
)
"""The fields of every dynamic response (contract section 2)."""

_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileSlice:
    """`length` bytes of a stored file from `offset`. The sender closes it, also if nothing was sent."""

    file: ReadableFile
    offset: int
    length: int

    def blocks(self) -> Iterator[bytes]:
        """The bytes in blocks of at most 256 KiB. Closes the file at the end, or when the iterator is closed.

        Raises OSError if the file became shorter.
        """
        try:
            offset, left = self.offset, self.length
            while left:
                block = self.file.read(offset, min(left, _BLOCK))
                if not block:
                    raise OSError("a stored file became shorter while it was sent")
                yield block
                offset += len(block)
                left -= len(block)
        finally:
            self.file.close()

    def close(self) -> None:
        self.file.close()


class Event(NamedTuple):
    """One piece of a stream. Wait `wait` seconds before you make the next one."""

    data: bytes
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class EventStream:
    """A body that is made while it is sent. Flush each event before you take the next one.

    The sender closes it at the end, or when the client disconnects; then no more events are made.
    """

    events: Generator[Event, None, None]

    def close(self) -> None:
        self.events.close()


@dataclass(frozen=True, slots=True)
class Response:
    """A status, header fields in order, and a body. `headers` does not hold Content-Length.

    With `head_only` the fields are those of the full response and the body is not sent (RFC 9110 9.3.2).
    `code` and `stored` are for the log: the code of the problem, and the files that the request stored.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | FileSlice | EventStream = b""
    head_only: bool = False
    code: str | None = None
    stored: tuple[FileEntry, ...] = ()

    @property
    def content_length(self) -> int | None:
        """The Content-Length to send, in bytes. None for 204, 304 and a stream (RFC 9110 8.6, S6, S10)."""
        if self.status in (204, 304) or isinstance(self.body, EventStream):
            return None
        return len(self.body) if isinstance(self.body, bytes) else self.body.length

    def close(self) -> None:
        """Close the file or stream of a response that is not sent completely."""
        if not isinstance(self.body, bytes):
            self.body.close()


def json_response(value: Any, *, status: int = 200, head_only: bool = False) -> Response:
    """Canonical JSON with the fields of every dynamic response."""
    return Response(status, (("Content-Type", JSON), *DYNAMIC), canonical_json(value), head_only)


def event_stream_response(events: Generator[Event, None, None]) -> Response:
    """A text/event-stream (WHATWG HTML 9.2) with the fields of every dynamic response (S10)."""
    headers = (("Content-Type", EVENT_STREAM), *DYNAMIC, ("X-Accel-Buffering", "no"))
    return Response(200, headers, EventStream(events))


def problem_response(problem: Problem, *, head: RequestHead | None = None) -> Response:
    """The response to a refused request (RFC 9457, contract section 4).

    `head` is None if the head was malformed; then the response has a body whatever the method. Under `/v1/`
    the response has OpenAI's `error` member too, so that OpenAI's own clients raise their exceptions.
    """
    kind = problem.kind
    members: dict[str, Any] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "detail": problem.detail,
    }
    content_type = PROBLEM_JSON
    if head is not None and head.path.startswith("/v1/"):
        content_type = JSON
        members["error"] = _openai_error(problem)
    headers = (("Content-Type", content_type), *DYNAMIC, *problem.headers)
    head_only = head is not None and head.method == "HEAD"
    return Response(kind.status, headers, canonical_json(members), head_only, kind.code)


def _openai_error(problem: Problem) -> dict[str, Any]:
    kind = problem.kind
    family = "invalid_request_error" if kind.status < 500 else "server_error"
    return {"message": f"{kind.title}: {problem.detail}", "type": family, "param": None, "code": kind.code}
