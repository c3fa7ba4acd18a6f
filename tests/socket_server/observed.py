"""What `--wire` shows, as rows of label and text, and what to show it on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import NamedTuple

from rich.console import Console

from servers.contract.limits import Limits
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived
from servers.socket_server.observer import Observer
from servers.socket_server.wire.screen import Screen
from tests.patience import eventually
from tests.socket_server.client import Client
from tests.socket_server.worker_thread import serving

_ROW = re.compile(r" *([0-9]*) (.{13})[│✗] ?(.*)")
_SECONDS = re.compile(r"[0-9]+\.[0-9]{3} s")


class Row(NamedTuple):
    """One row: its label, its text, and whether it is marked as at fault. Continued rows have no label."""

    label: str
    text: str
    at_fault: bool = False

    @property
    def untimed(self) -> str:
        """The text with T for each time."""
        return _SECONDS.sub("T", self.text)


def rows_of(text: str, number: int | None = None) -> list[Row]:
    """The rows of all connections, or of one."""
    found = []
    current = 0
    for line in text.splitlines():
        if (match := _ROW.fullmatch(line)) is not None:
            current = int(match[1] or current)
            if number in (None, current):
                found.append(Row(match[2].strip(), match[3].rstrip(), line[17] == "✗"))
    return found


class Watched:
    """A running server, and what it shows."""

    def __init__(self, port: int, written: StringIO) -> None:
        self.port = port
        self._written = written

    @property
    def text(self) -> str:
        return self._written.getvalue()

    def show(self, *pieces: bytes, responses: int = 1, ends: bool = True) -> list[Row]:
        """Send these pieces on a new connection, and return the rows that are shown until it is closed."""
        with Client(self.port) as client:
            client.send(*pieces)
            if ends:
                client.end()
            if responses:
                client.responses(responses)
        return self.last()

    def last(self) -> list[Row]:
        """The rows of the last connection, when it is closed."""
        number = self.text.count(" connected ")
        assert eventually(lambda: any(row.label == "closed" for row in rows_of(self.text, number)))
        return rows_of(self.text, number)


@contextmanager
def watched(width: int = 160) -> Iterator[Watched]:
    """A server in this process that shows what comes."""
    written = StringIO()
    with serving(screen=Screen(Console(width=width, file=written))) as served:
        yield Watched(served.port, written)


class Connection:
    """An observer with a clock of its own, and a reader of heads and bodies that are no forms."""

    def __init__(self, width: int = 160, *, terminal: bool = False) -> None:
        self.written = StringIO()
        self.now = 0.0
        console = Console(
            width=width,
            file=self.written,
            force_terminal=terminal,
            color_system="standard" if terminal else None,
            no_color=not terminal,
        )
        self.observer = Observer(Screen(console, lambda: self.now), 1, "peer", lambda: self.now)
        self._reader = self.observer.reader(Limits())

    def receive(self, *reads: bytes, seconds: float = 0.25) -> None:
        """Each read comes so many seconds after the one before."""
        for data in reads:
            self.now += seconds
            self.observer.read(data)
            self._reader.feed(data)
            while isinstance(self._reader.next_event(), HeadReceived | BodyReceived | BodyComplete):
                pass
            self.observer.waiting()

    def rows(self) -> list[Row]:
        """All rows between the first and the last."""
        self.observer.closed()
        return rows_of(self.written.getvalue())[1:-1]
