"""The responses of routes, in a form that every backend can send."""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..storage.base import ReadableFile
from .canonical import canonical_json
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

_OF_JSON = (("Content-Type", JSON), *DYNAMIC)

_BLOCK = 256 * 1024
# A client that reads nothing holds a block in memory: the first ones are smaller.
_FIRST_BLOCK = 64 * 1024
_FIRST_BLOCKS = 512 * 1024
# One call of sendfile(2) moves so much at most, so that a fast client does not hold its thread for long.
_MOST_SENT = 4 * 1024 * 1024
_SHORTER = "a stored file became shorter while it was sent"


class FileSlice:
    """`length` bytes of a stored file from `offset`, in blocks of at most 256 KiB, the first ones of 64 KiB.

    At most one block is in memory. The file is closed when its last block has been read. The sender closes it
    in any other case, also if nothing was sent.

    Reading waits for the disk, and so may closing. An event loop calls `read_ahead` in a thread while
    `must_read` is true, and then takes one block from `blocks` without waiting.

    A file with a `descriptor` need not be read: the system can send it from there, which `send` does.
    """

    def __init__(self, file: ReadableFile, offset: int, length: int) -> None:
        self.length = length
        self._file: ReadableFile | None = file
        self._offset = offset
        self._unread = length
        self._small_until = offset + _FIRST_BLOCKS
        self._block = b""

    @property
    def must_read(self) -> bool:
        """Whether the next block is still to be read."""
        return self._unread > 0 and not self._block

    def read_ahead(self) -> None:
        """Read the next block if that was not done yet. Raises OSError if the file became shorter."""
        if self.must_read:
            assert self._file is not None, "the file was closed before its end"
            size = _FIRST_BLOCK if self._offset < self._small_until else _BLOCK
            self._block = self._file.read(self._offset, min(self._unread, size))
            if not self._block:
                raise OSError(_SHORTER)
            self._offset += len(self._block)
            self._unread -= len(self._block)
        if not self._unread:
            self.close()

    def blocks(self) -> Iterator[bytes]:
        """The bytes. Closes the file at the end, or when the iterator is closed.

        Raises OSError if the file became shorter.
        """
        try:
            while self._unread or self._block:
                self.read_ahead()
                yield self._take_block()
        finally:
            self.close()

    @property
    def descriptor(self) -> int | None:
        """The descriptor of the file, if it has one and more than the block in memory is still to be sent."""
        return self._file.fileno() if self._file is not None and self._unread else None

    @property
    def position(self) -> int:
        """The offset in the file of the next byte that `blocks` gives."""
        return self._offset - len(self._block)

    def send(self, socket_fd: int) -> int:
        """Send bytes of the file with sendfile(2), after the block in memory was taken. Waits for the disk.

        Needs a `descriptor` and a socket that does not block. Returns how many bytes were sent, at most
        4 MiB. Raises BlockingIOError if the socket takes none, and OSError, also if the file became shorter.
        """
        descriptor = self.descriptor
        assert descriptor is not None, "it is sent already, or must be read"
        assert not self._block, "its bytes come first"
        count = os.sendfile(socket_fd, descriptor, self._offset, min(self._unread, _MOST_SENT))
        if not count:
            raise OSError(_SHORTER)
        self._offset += count
        self._unread -= count
        if not self._unread:
            self.close()
        return count

    def _take_block(self) -> bytes:
        block, self._block = self._block, b""
        return block

    def close(self) -> None:
        """Close the file. May be called twice."""
        file = self.detach()
        if file is not None:
            file.close()

    def detach(self) -> ReadableFile | None:
        """The file, for the caller to close, or None if it is closed. Nothing more is read."""
        file, self._file = self._file, None
        return file


class Event(NamedTuple):
    """One piece of a stream. Wait `wait` seconds before you make the next one. It may be empty: a pause."""

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
    `problem` is for the history of requests.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | FileSlice | EventStream = b""
    head_only: bool = False
    code: str | None = None
    stored: tuple[FileEntry, ...] = ()
    problem: Problem | None = None

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
    return canonical_response(canonical_json(value), status=status, head_only=head_only)


def canonical_response(body: bytes, *, status: int = 200, head_only: bool = False) -> Response:
    """The same, with a `body` that is canonical JSON already."""
    return Response(status, _OF_JSON, body, head_only)


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
        **problem.members,
    }
    content_type = PROBLEM_JSON
    if head is not None and head.path.startswith("/v1/"):
        content_type = JSON
        members["error"] = _openai_error(problem)
    headers = (("Content-Type", content_type), *DYNAMIC, *problem.headers)
    head_only = head is not None and head.method == "HEAD"
    body = canonical_json(members)
    return Response(kind.status, headers, body, head_only, kind.code, problem=problem)


def _openai_error(problem: Problem) -> dict[str, Any]:
    kind = problem.kind
    family = "invalid_request_error" if kind.status < 500 else "server_error"
    return {"message": f"{kind.title}: {problem.detail}", "type": family, "param": None, "code": kind.code}
