"""Draws the spans of one connection, with a mark at the byte with which each read begins."""

from collections import deque
from dataclasses import dataclass

from ...sansio.stream import Role
from ...web.spans import NoRole, Span
from .data_run import SHOWN_BYTES, DataRun
from .screen import Rows
from .visible_bytes import is_text, visible

_STYLES: dict[Role | NoRole, str] = {
    Role.REQUEST_LINE: "bold green",
    Role.FIELD: "cyan",
    Role.CHUNK_SIZE: "bold yellow",
    Role.LAST_CHUNK: "bold yellow",
    Role.END_OF_CHUNK: "yellow",
    Role.TRAILER: "yellow",
    Role.PREAMBLE: "dim",
    Role.DELIMITER: "bold magenta",
    Role.PART_FIELD: "magenta",
    Role.CLOSE_DELIMITER: "bold magenta",
    Role.EPILOGUE: "dim",
    NoRole.NOT_READ: "dim",
}
_DATA = frozenset({Role.BODY, Role.PREAMBLE, Role.PART_DATA, Role.EPILOGUE, *NoRole})
_INSIDE_DATA = frozenset({Role.CHUNK_SIZE, Role.END_OF_CHUNK})
_WHOLE = frozenset({Role.DELIMITER, Role.CLOSE_DELIMITER})  # their leading CRLF is part of them
_SHOWN_READS = 2  # that begin inside of one line


@dataclass(frozen=True, slots=True)
class Read:
    """One `recv`: how many bytes it returned, the `offset` of the first, the time since the connection began.

    A `size` of 0 means that the client has ended its side.
    """

    number: int
    offset: int
    size: int
    seconds: float


class SpanDrawing:
    """Call `read` when bytes arrive, and `draw` with each span in order."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._reads: deque[Read] = deque()
        self._run: DataRun | None = None
        self._run_role: Role | NoRole = Role.BODY

    @property
    def leaves_out(self) -> bool:
        """Whether the last bytes were left out, and a counter shows how many."""
        return self._run is not None and self._run.leaves_out

    def read(self, read: Read) -> None:
        """These bytes have arrived."""
        self._reads.append(read)

    def draw(self, span: Span) -> None:
        self.draw_reads(span.offset)
        if span.role in _DATA:
            self._draw_data(span)
        elif span.role in _INSIDE_DATA and not span.at_fault and self._run is not None:
            self._draw_framing(span, self._run)
        else:
            self.end_run()
            self._draw_lines(span)

    def end_run(self) -> None:
        """Something else than bytes of the request is drawn next."""
        if self._run is not None:
            self._run.end()
            self._run = None

    def draw_reads(self, offset: int) -> None:
        """Draw the reads that begin at this byte or before, whose spans are drawn up to here."""
        while self._reads and self._reads[0].offset <= offset:
            self._draw_read(self._reads.popleft())

    def _draw_read(self, read: Read) -> None:
        if not read.size:
            self.end_run()
            self._rows.mark(read.seconds, "the client has shut its write side")
        elif self._run is not None and self._run.leaves_out:
            self._run.count("read", read.seconds)
        else:
            self._rows.mark(read.seconds, f"read {read.number}: {_bytes(read.size)}")
            if self._run is not None:
                self._run.interrupt()

    def _draw_data(self, span: Span) -> None:
        if self._run is None or self._run_role is not span.role:
            self.end_run()
            self._run, self._run_role = self._new_run(span), span.role
        begin = span.offset
        while begin < span.end:
            end = min(self._reads[0].offset, span.end) if self._reads else span.end
            self._run.add(span.data[begin - span.offset : end - span.offset])
            if end < span.end:
                self.draw_reads(end)
            begin = end

    def _new_run(self, span: Span) -> DataRun:
        return DataRun(self._rows, span.role.value, _style(span), at_fault=span.at_fault)

    def _draw_framing(self, span: Span, run: DataRun) -> None:
        """Draw or count the end of a chunk, or the size of the next one, in the middle of data."""
        if not run.leaves_out:
            self._draw_lines(span)
        if span.role is not Role.CHUNK_SIZE:
            return
        if run.leaves_out:
            run.count("chunk")
        else:
            run.interrupt()

    def _draw_lines(self, span: Span) -> None:
        inside = [read for read in self._reads if read.offset < span.end]
        if len(inside) > _SHOWN_READS:
            self._draw_together(inside)
        begin = span.offset
        while begin < span.end:
            end = min(self._reads[0].offset, span.end) if self._reads else span.end
            self._draw_piece(span, bytes(span.data[begin - span.offset : end - span.offset]))
            if end < span.end:
                self.draw_reads(end)
            begin = end

    def _draw_together(self, reads: list[Read]) -> None:
        """Draw in one row the reads that begin inside of the next line."""
        for _ in reads:
            self._reads.popleft()
        first, last = reads[0], reads[-1]
        size = _bytes(sum(read.size for read in reads))
        what = f"reads {first.number} to {last.number}, since {first.seconds:.3f} s: {size}"
        self._rows.mark(last.seconds, what)

    def _draw_piece(self, span: Span, piece: bytes) -> None:
        if span.at_fault and not is_text(piece):
            run = self._new_run(span)
            run.add(piece)
            run.end()
            return
        label, style = span.role.value, _style(span)
        lines = [piece] if span.role in _WHOLE else piece.splitlines(keepends=True)
        for line in lines:
            self._rows.say(label, visible(line[:SHOWN_BYTES]), style, at_fault=span.at_fault)
            if len(line) > SHOWN_BYTES:
                self._rows.say("", f"… {_bytes(len(line) - SHOWN_BYTES)} more in this line", "dim")


def _style(span: Span) -> str:
    return _STYLES.get(span.role, "default")


def _bytes(size: int) -> str:
    return f"{size:,} byte{'s' * (size != 1)}"
