"""What a workload is, and what all of them share."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .place import Place, available_memory
from .samples import Sample
from .serving import Running

GIB = 1 << 30
Sender = Literal["wrk", "python"]


class NoRoomError(Exception):
    """The files of a workload do not fit; the message has the sizes."""


@dataclass(slots=True)
class Bench:
    """How large a file is in bytes, how long a small load lasts, where files are, what sends them,
    and how many seconds one large upload may take.

    Each content has a number of its own, so that no two have the same bytes.
    """

    place: Place
    size: int
    seconds: float
    sender: Sender = "python"
    patience: float = 300.0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def next_number(self) -> int:
        """A number that no content has had."""
        return next(self._numbers)

    def check_room(self, size: int, copies: int) -> None:
        """Raise NoRoomError unless so many files of this size fit, the sent one among them."""
        need = size * copies
        free = shutil.disk_usage(self.place.stores).free
        if self.place.in_memory:
            free = min(free, available_memory())
        if need > free:
            raise NoRoomError(f"{copies} x {size / GIB:.3g} GiB are needed, {free / GIB:.3g} GiB are free")


class Workload(Protocol):
    """`rate` of its samples is in `unit` a second, and `cpu` is in `cpu_unit`: seconds for `cpu_per` units.

    Workloads of one family have one `family` name; a server can do all of them or none.
    """

    @property
    def name(self) -> str:
        """Its name, unique."""

    @property
    def family(self) -> str:
        """`w1` to `w8`."""

    @property
    def title(self) -> str:
        """What it is, in a line."""

    @property
    def unit(self) -> str:
        """Of work."""

    @property
    def cpu_per(self) -> float:
        """Seconds of CPU are multiplied with this for one unit of work."""

    @property
    def cpu_unit(self) -> str:
        """The unit of the product."""

    def prepare(self, bench: Bench) -> None:
        """Make what the rounds send. Raises NoRoomError."""

    def warm_up(self, bench: Bench, running: Running) -> Sample:
        """Do a little of it, so that the server has loaded everything. Raises WrongAnswerError."""

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One round. Raises WrongAnswerError."""

    def finish(self) -> None:
        """Remove what `prepare` has made."""
