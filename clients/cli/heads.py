"""Finds the heads of messages among the bytes that pass a wire, for -v and -i."""

from collections.abc import Callable

from ..http1.digest import Block

OnLine = Callable[[bytes], object]


class Heads:
    """Takes all bytes of one direction; `on_line` gets each line of the heads, as soon as it is complete.

    The line is without its CRLF, and the last line of a head is empty. After an interim response (RFC 9110,
    section 15.2) another head follows; behind the final head everything is body.
    """

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._line = bytearray()
        self._first = b""
        self._done = False

    def feed(self, block: Block) -> None:
        """Take the next bytes."""
        if self._done:
            return
        self._line += block
        while not self._done and (end := self._line.find(b"\r\n")) >= 0:
            line = bytes(self._line[:end])
            del self._line[: end + 2]
            self._first = self._first or line
            self._on_line(line)
            if not line:
                self._done = not self._first.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1"))
                self._first = b""
        if self._done:
            self._line.clear()
