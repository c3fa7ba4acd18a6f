"""Reads one answer while it arrives: its head, then each byte of its body as soon as it is there.

`answers.py` reads what has come completely; a stream is worth reading because it has not. No socket here.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from .response_parser import Response, ResponseError, read_responses

_MAX_HEAD_BYTES = 1 << 16
# chunk-size [ chunk-ext ] CRLF                                            RFC 9112, section 7.1
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\r\n]*)?")
_MAX_LINE_BYTES = 8192


class StreamingParser:
    """Feed it with `feed`. `head` is the answer without its body, once that has come; 1xx are skipped.

    `complete` tells that the body has ended as its framing says.
    """

    def __init__(self) -> None:
        self.head: Response | None = None
        self.complete = False
        self._buffer = bytearray()
        self._ended = False
        self._body = bytearray()
        self._steps = self._read()
        next(self._steps)

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, `b""` when the peer has closed; return what they add to the body.

        Raises AnswerError when the bytes are no answer, or end in the middle of one.
        """
        self._buffer += data
        self._ended = not data
        if not self.complete:
            next(self._steps, None)
        body = bytes(self._body)
        self._body.clear()
        return body

    def _read(self) -> Generator[None, None, None]:
        """The answer from top to bottom; each `yield` waits for bytes."""
        while self.head is None:
            yield from self._read_head()
        if self.head.header("transfer-encoding") is not None:
            yield from self._read_chunked(self.head)
        elif self.head.header("content-length") is not None:
            yield from self._read_sized(self.head.header("content-length") or "")
        else:
            while not self._ended:
                self._take(len(self._buffer))
                yield
        self.complete = True

    def _read_head(self) -> Generator[None, None, None]:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise ResponseError("the answer's head has no end")
            yield from self._wait("before its answer's head was complete")
        head = bytes(self._buffer[: end + 4])
        del self._buffer[: end + 4]
        # To HEAD the head is the whole answer: so one reader of heads is enough.
        responses = read_responses(head, (b"HEAD",), ended=True)
        if responses.complete:
            self.head = responses.complete[0]
        elif not responses.continues:
            raise ResponseError("the answer's head is malformed")

    def _read_sized(self, length: str) -> Generator[None, None, None]:
        if re.fullmatch("[0-9]{1,18}", length) is None:
            raise ResponseError(f"Content-Length: {length}")
        yield from self._pass_on(int(length))

    def _read_chunked(self, head: Response) -> Generator[None, None, None]:
        """RFC 9112, section 7.1: a chunk is passed on before it is complete; trailers are dropped."""
        if (head.header("transfer-encoding") or "").lower() != "chunked" or head.header("content-length"):
            raise ResponseError("the answer's framing is ambiguous or of an unknown coding")
        while size := (yield from self._read_chunk_size()):
            yield from self._pass_on(size)
            if (yield from self._read_line()) != b"":
                raise ResponseError("chunk data do not end with CRLF")
        while (yield from self._read_line()):
            pass

    def _read_chunk_size(self) -> Generator[None, None, int]:
        line = yield from self._read_line()
        matched = _CHUNK_LINE.fullmatch(line)
        if matched is None:
            raise ResponseError(f"chunk size line: {line[:60]!r}")
        return int(matched[1], 16)

    def _read_line(self) -> Generator[None, None, bytes]:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _MAX_LINE_BYTES:
                raise ResponseError("a line of the chunked coding has no end")
            yield from self._wait("before its answer's last chunk")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _pass_on(self, size: int) -> Generator[None, None, None]:
        while size:
            if not self._buffer:
                yield from self._wait(f"{size} bytes before the end of a piece of its answer")
            size -= self._take(size)

    def _take(self, size: int) -> int:
        """Move at most `size` bytes from the buffer to the body."""
        taken = bytes(self._buffer[:size])
        del self._buffer[: len(taken)]
        self._body += taken
        return len(taken)

    def _wait(self, where: str) -> Generator[None, None, None]:
        if self._ended:
            raise ResponseError(f"it closed the connection {where}")
        yield
