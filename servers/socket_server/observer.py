"""`--wire`: shows each request as its bytes arrive, what each byte is, and why the request was complete."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from ..contract.problems import Problem
from ..contract.responses import Response
from ..sansio.connection import HeadReceived
from ..sansio.stream import Role

_LABEL_WIDTH = 13
_MARGIN_WIDTH = 4 + _LABEL_WIDTH
_SHOWN_BYTES = 1024  # of consecutive text in a body
_SHOWN_ROWS = 4  # of other consecutive bytes, besides the last row
_SHOWN_RESPONSE = 4096  # a response body of text is shown whole up to this size
_STYLES = {
    Role.REQUEST_LINE: "bold green",
    Role.FIELD: "cyan",
    Role.CHUNK_SIZE: "bold yellow",
    Role.END_OF_CHUNK: "yellow",
    Role.TRAILER: "yellow",
    Role.BODY: "default",
    Role.PREAMBLE: "dim",
    Role.DELIMITER: "bold magenta",
    Role.PART_FIELD: "magenta",
    Role.PART_DATA: "default",
    Role.CLOSE_DELIMITER: "bold magenta",
    Role.EPILOGUE: "dim",
}
_EMPTY_LINES = {Role.FIELD: Role.END_OF_HEAD, Role.TRAILER: Role.END_OF_CHUNKS}
_DATA = frozenset({Role.BODY, Role.PREAMBLE, Role.PART_DATA, Role.EPILOGUE})
_LINE_ENDS = str.maketrans({"\r": "␍", "\n": "␊", "\t": "␉"})


@dataclass(slots=True)
class _Run:
    """Consecutive bytes of one role: how many came and how many were shown, and the last that were not."""

    role: Role
    label: str
    text: bool = True
    size: int = 0
    shown: int = 0
    tail: bytes = b""


class Observer:
    """Prints one connection. Its methods are called in the order of the events."""

    def __init__(self, console: Console, number: int, peer: str) -> None:
        self._console = console
        self._number = number
        self._reads = 0
        self._multipart = False
        self._chunked = False
        self._received = 0
        self._run: _Run | None = None
        self._say("connected", f"from {peer}")

    def read(self, size: int) -> None:
        """One `recv` returned `size` bytes. 0 means that the client has ended its side."""
        self._end_run()
        self._reads += 1
        text = f"read {self._reads}: {size:,} bytes" if size else "the client has shut its write side"
        self._print("", Text(f"── {text} ", style="dim"))

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """These bytes were consumed as `role`."""
        if data == b"\r\n":
            role = _EMPTY_LINES.get(role, role)
        if role is Role.BODY:
            self._received += len(data)
            if self._multipart:
                return  # the multipart parser reports its parts
        if role in _DATA:
            self._show_data(role, bytes(data))
            return
        self._end_run()
        for line in bytes(data).splitlines(keepends=True):
            self._line(role, line)

    def began(self, received: HeadReceived) -> None:
        """The head is complete and was accepted."""
        content_type = received.head.field("content-type") or ""
        self._multipart = content_type.lower().startswith("multipart/form-data")
        self._received = 0

    def complete(self, received: HeadReceived) -> None:
        """The request is complete. Prints why the server knows that."""
        self._end_run()
        self._say("complete", _why_complete(received, self._received), "bold")
        if self._multipart and received.has_body:
            self._say("", "(the close delimiter ends the form, not the body: only the framing does)", "dim")

    def continued(self) -> None:
        """A 100 (Continue) was sent."""
        self._end_run()
        self._say("sent", "HTTP/1.1 100 Continue: the client waits for it before it sends the body", "blue")

    def responded(
        self, response: Response, head: bytes, problem: Problem | None, *, keep_alive: bool
    ) -> None:
        """The response is about to be sent. `problem` is the reason if it refuses the request."""
        self._end_run()
        if problem is not None:
            self._say("refused", str(problem), "bold red")
        for line in head.decode("ascii").splitlines():
            if line:
                self._print("response", Text(line, style="blue"))
        if isinstance(response.body, bytes) and not response.head_only:
            limit = _SHOWN_RESPONSE if len(response.body) <= _SHOWN_RESPONSE else _SHOWN_BYTES
            self._show_data(Role.BODY, response.body, label="resp. body", limit=limit)
            self._end_run()
        self._say("then", "the connection stays open" if keep_alive else "the connection is closed", "dim")

    def closed(self) -> None:
        """The connection is closed."""
        self._end_run()
        self._say("closed", f"after {self._reads} reads", "dim")

    def _show_data(
        self, role: Role, data: bytes, label: str | None = None, limit: int = _SHOWN_BYTES
    ) -> None:
        """Show these bytes: at most `limit` of consecutive text, and a few rows of other bytes."""
        if self._run is None or self._run.role is not role:
            self._end_run()
            self._run = _Run(role, label or role.value)
        run = self._run
        row = _row_size(self._room())
        if run.size == run.shown:  # nothing was left out so far
            run.text = run.text and _is_text(data[:limit])
            visible = data[: max((limit if run.text else _SHOWN_ROWS * row) - run.shown, 0)]
            self._rows(run, _as_text(visible) if run.text else _as_hex(visible, row))
            run.shown += len(visible)
            run.size += len(visible)
            data = data[len(visible) :]
        run.size += len(data)
        run.tail = (run.tail + data[-row:])[-row:]

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is None or run.size == run.shown:
            return
        hidden = run.size - run.shown
        if run.text:
            self._say("", f"… {hidden:,} more bytes of it", "dim")
            return
        if hidden > len(run.tail):
            self._say("", f"… {hidden - len(run.tail):,} bytes are left out here", "dim")
        self._rows(run, _as_hex(run.tail, _row_size(self._room())))

    def _rows(self, run: _Run, rows: Iterable[str]) -> None:
        for text in rows:
            self._print(run.label, Text(text, style=_STYLES[run.role]))

    def _line(self, role: Role, line: bytes) -> None:
        self._print(role.value, Text(_visible(line), style=_STYLES.get(role, "default")))

    def _say(self, label: str, text: str, style: str = "default") -> None:
        self._print(label, Text(text, style=style))

    def _room(self) -> int:
        """How many columns are left for the text."""
        return max(self._console.width - _MARGIN_WIDTH - 2, 20)

    def _print(self, label: str, text: Text) -> None:
        margin = Text(f"{self._number:>3} {label:<{_LABEL_WIDTH}}", style="dim")
        lines = text.wrap(self._console, self._room(), no_wrap=False)
        for number, line in enumerate(lines):
            first = margin if number == 0 else Text(" " * len(margin))
            line.rstrip()
            self._console.print(Text.assemble(first, Text("│ ", style="dim"), line), soft_wrap=True)


def _why_complete(received: HeadReceived, size: int) -> str:
    head = received.head
    if head.chunked:
        return (
            f"the chunk of size 0 and the empty line behind it came: {size:,} bytes in all "
            "(Transfer-Encoding: chunked, RFC 9112 7.1)"
        )
    if head.content_length is not None:
        return f"all {size:,} bytes that Content-Length announces are here (RFC 9112 6.2)"
    return "neither Content-Length nor Transfer-Encoding: such a request has no body (RFC 9112 6.3)"


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start > 0 and _is_text(data[: error.start])
    return all(character.isprintable() or character in "\r\n\t" for character in text)


def _visible(line: bytes) -> str:
    """The line with control characters made visible, so that none reaches the terminal (H058)."""
    text = line.decode("utf-8", "backslashreplace").translate(_LINE_ENDS)
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _as_text(data: bytes) -> Iterator[str]:
    for line in data.splitlines(keepends=True):
        yield _visible(line)


def _row_size(columns: int) -> int:
    """How many octets a row of so many columns shows: at most sixteen."""
    return min(max((columns - 1) // 16 * 4, 4), 16)


def _as_hex(data: bytes, size: int) -> Iterator[str]:
    """Rows of `size` octets, in hexadecimal and as characters."""
    for offset in range(0, len(data), size):
        row = data[offset : offset + size]
        visible = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        yield f"{row.hex(' '):<{3 * size - 1}}  {visible}"
