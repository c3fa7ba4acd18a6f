"""Reads HTTP/1.1 responses from the bytes that a server sent, strictly: nothing is repaired or guessed.

The parser does no I/O. Feed it with the bytes in any split, and with `b""` when the peer has closed. It reads
every byte once (RFC 9112, sections 4 to 7).

How it works: a generator reads the responses from top to bottom, and each `yield` waits for more bytes.
Before it waits it says in `unfinished` what is missing. The state is the place where the generator stands:

    state      reads                        then
    head       to the empty line            1xx: head; 204, 304 or the response to HEAD: head; else body
    body       as its framing says          head, with one more complete response
    finished   b"" between two responses    nothing more; elsewhere b"" leaves the response unfinished
"""

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# status-line = HTTP-version SP status-code SP [ reason-phrase ]            RFC 9112, section 4
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [\t\x20-\x7e\x80-\xff]*")
_STATUS_LINE_START = b"HTTP/1."
_FINAL_STATUS = re.compile(rb"HTTP/1\.[01] [2-5]")
# field-line = field-name ":" OWS field-value OWS                          RFC 9112, section 5
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
# chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF                    RFC 9112, section 7.1
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\r\n]*)?")
_MAX_CHUNK_LINE = 8192
_LAST_CHUNK_MISSING = "the response's last chunk has not come"
_JSON_TYPES = frozenset({"application/json", "application/problem+json"})


class ResponseError(Exception):
    """The bytes are not an HTTP/1.1 response; the message says why."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response. `headers` have lower-case names, in order of arrival; `body` is without its framing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a field, repeated ones joined with `, `, or None."""
        values = [value for field_name, value in self.headers if field_name == name.lower()]
        return ", ".join(values) if values else None

    @property
    def is_json(self) -> bool:
        """Whether Content-Type says JSON, a problem's type included."""
        media_type = (self.header("content-type") or "").partition(";")[0].strip(" \t").lower()
        return media_type in _JSON_TYPES

    def json(self) -> Any:
        """The body as JSON. Raises ValueError, also for NaN and Infinity and for a value nested too deep."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except RecursionError:
            raise ValueError("it is nested too deep") from None

    def json_object(self) -> dict[str, Any] | None:
        """The body if it is a JSON object and Content-Type says JSON, else None."""
        try:
            value = self.json() if self.is_json else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class DecodedResponse(Response):
    """A response whose content coding requests has removed; `received` is the body with the coding."""

    received: bytes


@dataclass(slots=True)
class Responses:
    """The final responses that are complete, the number of 1xx, and what is missing of the next response.

    `unfinished` is empty between two responses.
    """

    complete: list[Response] = field(default_factory=list)
    continues: int = 0
    unfinished: str = ""


class ResponseParser:
    """Feed it with `feed`; `responses` holds what has been read.

    `methods` are those of the requests, in order; the last one holds for any further response. `head` is the
    final response that came last, without its body, as soon as its head is complete. `max_head` limits a head
    in bytes; without it the caller has to limit what it feeds.
    """

    def __init__(self, methods: Sequence[bytes] = (b"GET",), *, max_head: int | None = None) -> None:
        self.responses = Responses()
        self.head: Response | None = None
        self._methods = methods
        self._max_head = max_head
        self._buffer = bytearray()
        self._body = bytearray()
        self._ended = False
        self._error: ResponseError | None = None
        self._steps = self._read_responses()
        next(self._steps)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; `b""` says that the peer has closed.

        Raises ResponseError when the bytes are not a response, and again at every further call.
        """
        if self._error is not None:
            raise self._error
        self._buffer += data
        self._ended = not data
        try:
            next(self._steps, None)
        except ResponseError as error:
            self._error = error
            raise

    @property
    def begun(self) -> bool:
        """Whether a final response has begun, though its head may not be complete."""
        return self.head is not None or _FINAL_STATUS.match(self._buffer) is not None

    def take_body(self) -> bytes:
        """What has come of the latest body since the last call, for a caller that reads a stream.

        A complete response has the bytes that were not taken.
        """
        body = bytes(self._body)
        self._body.clear()
        return body

    def _read_responses(self) -> Generator[None]:
        yield
        while True:
            self.responses.unfinished = ""
            while not self._buffer:
                if self._ended:
                    return
                yield
            head = yield from self._read_head()
            if head.status < 200:
                self.responses.continues += 1
                continue
            self.head = head
            self._body.clear()
            if (yield from self._has_body(head)):
                yield from self._read_body(head)
                self.responses.complete.append(replace(head, body=bytes(self._body)))

    def _read_head(self) -> Generator[None, None, Response]:
        searched = 0
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            start = bytes(self._buffer[: len(_STATUS_LINE_START)])
            if not _STATUS_LINE_START.startswith(start):
                raise ResponseError(f"not a status line: {bytes(self._buffer[:60])!r}")
            if self._max_head is not None and len(self._buffer) > self._max_head:
                raise ResponseError(f"the response's head has no end within {self._max_head} bytes")
            searched = max(0, len(self._buffer) - 3)
            self.responses.unfinished = "the response's head is not complete"
            yield
        status_line, *field_lines = self._take(end + 4)[:-4].split(b"\r\n")
        status = _STATUS_LINE.fullmatch(status_line)
        if status is None:
            raise ResponseError(f"not a status line: {status_line[:60]!r}")
        return Response(int(status[1]), tuple(map(_read_field, field_lines)), b"")

    def _has_body(self, head: Response) -> Generator[None, None, bool]:
        """Whether a body follows; without one the response is complete.

        A malformed head is refused with a body even when its method is HEAD, because the server may not know
        the method. So the bytes after the response to HEAD decide, and until they come it counts as complete.
        """
        complete = self.responses.complete
        method = self._methods[min(len(complete), len(self._methods) - 1)]
        if head.status in (204, 304):
            complete.append(head)
            return False
        if method != b"HEAD":
            return True
        complete.append(head)
        self.responses.unfinished = ""
        while len(self._buffer) < len(_STATUS_LINE_START) and not self._ended:
            if not _STATUS_LINE_START.startswith(self._buffer):
                break
            yield
        if not self._buffer or self._buffer.startswith(_STATUS_LINE_START):
            return False
        complete.pop()
        return True

    def _read_body(self, head: Response) -> Generator[None]:
        """Read the body as its framing says (RFC 9112, section 6.3)."""
        coding, length = head.header("transfer-encoding"), head.header("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length:
                raise ResponseError("the response's framing is ambiguous or of an unknown coding")
            yield from self._read_chunks()
        elif length is not None:
            if re.fullmatch("[0-9]{1,18}", length) is None:
                raise ResponseError(f"Content-Length: {length}")
            yield from self._read_sized(int(length))
        else:
            self.responses.unfinished = "the response's body ends with the connection"
            while not self._ended:
                self._move(len(self._buffer))
                yield

    def _read_sized(self, length: int) -> Generator[None]:
        missing = length
        while missing := missing - self._move(missing):
            self.responses.unfinished = f"the response's body has {length - missing} of {length} bytes"
            yield

    def _read_chunks(self) -> Generator[None]:
        """RFC 9112, section 7.1; the trailer section is read and dropped."""
        while missing := (yield from self._read_chunk_size()):
            while missing := missing - self._move(missing):
                self.responses.unfinished = f"{_LAST_CHUNK_MISSING}: {missing} bytes of a chunk are missing"
                yield
            if (yield from self._read_line()) != b"":
                raise ResponseError("chunk data do not end with CRLF")
        while (yield from self._read_line()):
            pass

    def _read_chunk_size(self) -> Generator[None, None, int]:
        line = yield from self._read_line()
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise ResponseError(f"not a chunk size line: {line[:60]!r}")
        return int(size[1], 16)

    def _read_line(self) -> Generator[None, None, bytes]:
        searched = 0
        while (end := self._buffer.find(b"\r\n", searched)) < 0:
            if len(self._buffer) > _MAX_CHUNK_LINE:
                raise ResponseError(f"a line of the chunked coding has no end within {_MAX_CHUNK_LINE} bytes")
            searched = max(0, len(self._buffer) - 1)
            self.responses.unfinished = _LAST_CHUNK_MISSING
            yield
        return self._take(end + 2)[:-2]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _move(self, size: int) -> int:
        """Move at most `size` bytes from the buffer to the body; how many there were."""
        taken = self._take(size)
        self._body += taken
        return len(taken)


def read_responses(received: bytes, methods: Sequence[bytes], *, ended: bool) -> Responses:
    """Read all responses in `received`; `ended` says that the peer has closed.

    `methods` are those of the requests, as for ResponseParser. Raises ResponseError when the bytes are not a
    response.
    """
    parser = ResponseParser(methods)
    if received:
        parser.feed(received)
    if ended:
        parser.feed(b"")
    return parser.responses


def _read_field(line: bytes) -> tuple[str, str]:
    matched = _FIELD_LINE.fullmatch(line)
    if matched is None:
        raise ResponseError(f"not a field line: {line[:60]!r}")
    return matched[1].decode("ascii").lower(), matched[2].decode("latin-1")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
