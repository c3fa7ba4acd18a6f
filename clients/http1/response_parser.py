"""Reads answers from the bytes that a server sent: by hand and strict, so that no library repairs anything.

No socket here: `read_answers` takes all bytes so far and says what they are (RFC 9112, sections 4 to 7).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

# status-line = HTTP-version SP status-code SP [ reason-phrase ]            RFC 9112, section 4
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [\t\x20-\x7e\x80-\xff]*")
# field-line = field-name ":" OWS field-value OWS                          RFC 9112, section 5
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
# chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF                    RFC 9112, section 7.1
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\r\n]*)?")
_JSON_TYPES = frozenset({"application/json", "application/problem+json"})


class ResponseError(Exception):
    """The bytes are no HTTP/1.1 answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `headers` have lower-case names, in order of arrival; `body` is without its framing."""

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
        """The body as JSON; NaN and Infinity are none. Raises ValueError, also for one nested too deep."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except RecursionError:
            raise ValueError("it is nested too deep") from None


@dataclass(slots=True)
class Responses:
    """What the bytes so far hold: the final answers that are complete, and why the next one is not yet."""

    complete: list[Response] = field(default_factory=list)
    continues: int = 0
    unfinished: str = ""


def read_responses(received: bytes, methods: tuple[bytes, ...], *, ended: bool) -> Responses:
    """Read all complete answers in `received`; 1xx are counted in `continues` and skipped.

    `methods` are those of the requests, in order (the last one holds for any further answer); `ended` says
    that the peer has closed. Raises AnswerError when the bytes are no answer.
    """
    responses = Responses()
    position = 0
    while position < len(received):
        method = methods[min(len(responses.complete), len(methods) - 1)]
        read = _read_answer(received, position, method, ended)
        if isinstance(read, str):
            responses.unfinished = read
            break
        response, position = read
        if response.status < 200:
            responses.continues += 1
        else:
            responses.complete.append(response)
    return responses


def _read_answer(received: bytes, start: int, method: bytes, ended: bool) -> tuple[Response, int] | str:
    """One answer and where it ends, or what is missing."""
    head_end = received.find(b"\r\n\r\n", start)
    if head_end < 0:
        if b"HTTP/1."[: len(received) - start] != received[start : start + 7]:
            raise ResponseError(f"no status line: {received[start : start + 60]!r}")
        return "the answer's head is not complete"
    status, headers = _read_head(received[start:head_end])
    start = head_end + 4
    response = Response(status, headers, b"")
    body: tuple[bytes, int] | str
    if status < 200 or status in (204, 304) or _is_bodiless_head(received, start, method):
        body = b"", start
    elif response.header("transfer-encoding") is not None:
        body = _read_chunked(received, start, response)
    elif response.header("content-length") is not None:
        body = _read_sized(received, start, response)
    else:
        body = (received[start:], len(received)) if ended else "the answer's body ends with the connection"
    if isinstance(body, str):
        return body
    return Response(status, headers, body[0]), body[1]


def _is_bodiless_head(received: bytes, start: int, method: bytes) -> bool:
    """HEAD has no body, but a malformed head is refused with one, HEAD or not: what follows decides."""
    return method == b"HEAD" and (len(received) == start or received.startswith(b"HTTP/1.", start))


def _read_head(head: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    status_line, *field_lines = head.split(b"\r\n")
    status = _STATUS_LINE.fullmatch(status_line)
    if status is None:
        raise ResponseError(f"no status line: {status_line[:60]!r}")
    headers = []
    for line in field_lines:
        matched = _FIELD_LINE.fullmatch(line)
        if matched is None:
            raise ResponseError(f"no field line: {line[:60]!r}")
        headers.append((matched[1].decode("ascii").lower(), matched[2].decode("latin-1")))
    return int(status[1]), tuple(headers)


def _read_sized(received: bytes, start: int, response: Response) -> tuple[bytes, int] | str:
    value = response.header("content-length") or ""
    if re.fullmatch("[0-9]{1,18}", value) is None:
        raise ResponseError(f"Content-Length: {value}")
    end = start + int(value)
    if len(received) < end:
        return f"the answer's body has {len(received) - start} of {value} bytes"
    return received[start:end], end


def _read_chunked(received: bytes, start: int, response: Response) -> tuple[bytes, int] | str:
    """RFC 9112, section 7.1; the trailer section is read and dropped."""
    if (response.header("transfer-encoding") or "").lower() != "chunked" or response.header("content-length"):
        raise ResponseError("the answer's framing is ambiguous or of an unknown coding")
    data = bytearray()
    missing = f"the answer's last chunk has not come (after {start} bytes)"
    while (line_end := received.find(b"\r\n", start)) >= 0:
        size_line = _CHUNK_SIZE.fullmatch(received, start, line_end)
        if size_line is None:
            raise ResponseError(f"chunk size line: {received[start : min(line_end, start + 60)]!r}")
        start, size = line_end + 2, int(size_line[1], 16)
        if size == 0:
            end = start if received.startswith(b"\r\n", start) else received.find(b"\r\n\r\n", start) + 2
            return (bytes(data), end + 2) if end >= start else missing
        if len(received) < start + size + 2:
            return missing
        if received[start + size : start + size + 2] != b"\r\n":
            raise ResponseError("chunk data do not end with CRLF")
        data += received[start : start + size]
        start += size + 2
    return missing


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
