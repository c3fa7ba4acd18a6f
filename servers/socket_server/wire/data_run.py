"""Data of one kind, such as the data of one part: the beginning is shown, the rest is counted in one row."""

from collections import Counter
from collections.abc import Iterable

from .screen import Rows
from .visible_bytes import as_hex, as_text, is_text, row_size

SHOWN_BYTES = 1024
"""So much of a text is shown."""

_SHOWN_ROWS = 4  # of other bytes, besides the last row
_SHOWN_PIECES = 8  # the ends of reads and chunks cut data into pieces


class DataRun:
    """Call `add` with each piece, and `end` after the last.

    `count` and `interrupt` say that something came between two pieces. The caller counts it if bytes are left
    out already, and shows it otherwise.
    """

    def __init__(
        self,
        rows: Rows,
        label: str,
        style: str = "default",
        *,
        limit: int = SHOWN_BYTES,
        at_fault: bool = False,
    ) -> None:
        self._rows = rows
        self._label = label
        self._style = style
        self._limit = limit
        self._at_fault = at_fault
        self._is_text = True
        self._pieces = 1
        self._hidden = 0
        self._shown = 0
        self._tail = b""  # the last bytes that are left out
        self._counted: Counter[str] = Counter()
        self._until = 0.0

    @property
    def leaves_out(self) -> bool:
        """Whether bytes were left out, so that all that follow are left out too."""
        return self._hidden > 0

    def add(self, data: memoryview | bytes) -> None:
        """The next bytes."""
        row = row_size(self._rows.room)
        if not self.leaves_out:
            self._is_text = self._is_text and is_text(bytes(data[: self._limit]))
            limit = self._limit if self._is_text else _SHOWN_ROWS * row
            left = limit - self._shown if self._pieces <= _SHOWN_PIECES else 0
            shown = bytes(data[: max(left, 0)])
            self._print(as_text(shown) if self._is_text else as_hex(shown, row))
            self._shown += len(shown)
            data = data[len(shown) :]
        if data:
            self._hidden += len(data)
            self._tail = (self._tail + bytes(data[-row:]))[-row:]
            self._rows.count(self._what_is_left_out(self._hidden))

    def interrupt(self) -> None:
        """Something was shown between two pieces."""
        self._pieces += 1

    def count(self, what: str, seconds: float | None = None) -> None:
        """A read or a chunk began between two pieces that are left out, `seconds` after the connection."""
        self._counted[what] += 1
        self._until = self._until if seconds is None else seconds

    def end(self) -> None:
        """Say what was left out. Of bytes that are not text the last row is shown."""
        if not self.leaves_out:
            return
        hidden = self._hidden if self._is_text else self._hidden - len(self._tail)
        if hidden:
            self._rows.say("", self._what_is_left_out(hidden), "dim")
        if not self._is_text:
            self._print(as_hex(self._tail, row_size(self._rows.room)))

    def _what_is_left_out(self, hidden: int) -> str:
        counted = {"byte": hidden, **self._counted}
        more = ", ".join(f"{number:,} more {what}{'s' * (number > 1)}" for what, number in counted.items())
        return f"… {more}" + (f", until {self._until:.3f} s" if self._until else "")

    def _print(self, rows: Iterable[str]) -> None:
        for text in rows:
            self._rows.say(self._label, text, self._style, at_fault=self._at_fault)
