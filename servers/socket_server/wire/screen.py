"""The rows of `--wire`, one above the other; on a terminal, a counter may stand below the last one."""

import time
from collections.abc import Callable
from threading import Lock

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

_LABEL_WIDTH = 13
_RAIL = "│"
_FAULT_RAIL = "✗"
_COUNTER_SECONDS = 0.05
_ERASE_LINE = Control((ControlType.CARRIAGE_RETURN,), (ControlType.ERASE_IN_LINE, 2))


class Screen:
    """A console that the rows of all connections share. Safe to use from several threads."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._lock = Lock()
        self._has_counter = False
        self._next_counter = 0.0

    def print(self, margin: str, rail: Text, text: Text) -> None:
        """Print a row, wrapped below itself where it is longer than the console is wide."""
        room = self.room(len(margin))
        lines = [text] if cell_len(text.plain) <= room else text.wrap(self._console, room)
        with self._lock:
            self._erase_counter()
            for number, line in enumerate(lines):
                line.rstrip()
                first = margin if number == 0 else " " * len(margin)
                self._write(Text.assemble((first, "dim"), rail, " ", line))

    def count(self, text: str) -> None:
        """On a terminal, show this text below the last row, in place of the last counter."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            return
        with self._lock:
            if (now := self._clock()) >= self._next_counter:
                self._next_counter = now + _COUNTER_SECONDS
                self._erase_counter()
                self._has_counter = True
                line = text[: self._console.width - 1]
                self._console.print(Text(line, "dim"), soft_wrap=True, end="")

    def room(self, margin: int) -> int:
        """How many columns are left for the text beside a margin of so many."""
        return max(self._console.width - margin - 2, 20)

    def _write(self, row: Text) -> None:
        if self._console.color_system is None:  # without colours this takes a quarter of the time
            self._console.file.write(f"{row.plain}\n")
        else:
            self._console.print(row, soft_wrap=True)

    def _erase_counter(self) -> None:
        if self._has_counter:
            self._has_counter = False
            self._console.control(_ERASE_LINE)


class Rows:
    """The rows of one connection: each has its number, a label, and a text."""

    def __init__(self, screen: Screen, number: int) -> None:
        self._screen = screen
        self._number = number

    @property
    def room(self) -> int:
        """How many columns a text has."""
        return self._screen.room(len(self._margin("")))

    def say(self, label: str, text: str, style: str = "default", *, at_fault: bool = False) -> None:
        """Print a row. One that is at fault has a mark."""
        rail = Text(_FAULT_RAIL, "bold red") if at_fault else Text(_RAIL, "dim")
        self._screen.print(self._margin(label), rail, Text(text, style="bold red" if at_fault else style))

    def mark(self, seconds: float, text: str) -> None:
        """Print what happened, with its time since the connection began."""
        self.say("", f"── {seconds:.3f} s  {text}", "dim")

    def count(self, text: str) -> None:
        """Show a counter; see `Screen.count`."""
        self._screen.count(f"{self._margin('')}{_RAIL} {text}")

    def _margin(self, label: str) -> str:
        return f"{self._number:>3} {label:<{_LABEL_WIDTH}}"
