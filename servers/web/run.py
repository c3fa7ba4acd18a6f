"""What is recorded of one request on one backend, before it is written."""

import time
from dataclasses import dataclass

from ..contract.capture import Spans
from ..contract.problems import Problem
from ..contract.request import RequestHead
from .body_sample import BodySample
from .kept_bytes import KeptBytes, KeptWire

KEPT_ANSWER = 64 * 1024
"""So many bytes of an answer are kept."""

MOST_EVENTS = 1000
"""The times of so many pieces of a stream are kept."""


class Run:
    """One request on one backend. Nothing of it is redacted yet.

    A backend that sees the wire has `wire`. `sample` is the digest of a body that is long or chunked.
    `row` is the row that shows the request while it arrives; only the writer sets it.
    """

    backend = ""
    at = 0.0
    milliseconds = 0.0
    method: str | None = None
    target: str | None = None
    head: RequestHead | None = None
    is_complete = False
    size = 0
    wire: KeptWire | None = None
    sample: BodySample | None = None
    spans: Spans | None = None
    environ: dict[str, str] | None = None
    status: int | None = None
    code: str | None = None
    problem: Problem | None = None
    headers: tuple[tuple[str, str], ...] = ()
    answer: bytes | bytearray | None = None
    answer_size: int | None = None
    events: list[float] | None = None
    row: int | None = None
    is_over = False
    weight = 1024

    def weigh(self) -> None:
        """Note in `weight` about how many bytes it holds in memory."""
        kept = 0 if self.wire is None else sum(map(len, self.wire.pieces))
        self.weight = Run.weight + kept + (0 if self.answer is None else len(self.answer))


@dataclass(slots=True, eq=False)
class Arriving:
    """A request whose body arrives. `run.size` says how much of it is here."""

    run: Run
    kept: KeptBytes | None
    since: float
    last_size: int = 0
    last_look: float = 0.0

    def so_far(self, now: float) -> Run:
        """What is known of the request now, in seconds since the epoch."""
        run = Run()
        run.__dict__.update(self.run.__dict__)
        run.sample = run.spans = None
        run.at = now - (time.monotonic() - self.since)
        if self.kept is not None:
            pieces, head = self.kept.snapshot()
            run.wire = KeptWire(pieces, b"", self.kept.total, head, [0])
        if run.head is not None:
            run.method, run.target = run.head.method, run.head.target
        return run
