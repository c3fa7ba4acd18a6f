"""A response that is read while it arrives, through a socket or through requests, and when its bytes came."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from ..http1.digest import Block
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..http1.wire import Wire


@dataclass(frozen=True, slots=True)
class StreamingResponse:
    """`head` is the response without its body; `pieces` gives the body's bytes as they become readable.

    Reading `pieces` raises Unreachable when the response breaks off or the deadline of the wire passes.
    """

    head: Response
    pieces: Iterator[bytes]


OpenStream: TypeAlias = Callable[[Call, Wire, bool], AbstractContextManager[StreamingResponse]]
"""`open_stream(call, wire, whole)`; with `whole` the body is read to its end before it is passed on."""


class WireTimes:
    """When bytes passed a wire, in seconds on the monotonic clock. No library in between can hide it.

    The time that the reader spends on showing pieces is left out, or a burst would look like a slow stream.
    Bytes that came in that time came at an unknown moment. When the reader had to wait for bytes, the moment
    is known.
    """

    def __init__(self, max_time: float | None = None) -> None:
        self.sent_at = self.first_at = self.last_at = self._waits_since = time.monotonic()
        self._showing = 0.0  # since the reader had to wait last
        self.reads = 0
        self.wire = Wire(max_time, self._on_sent, self._on_received)

    def since_sent(self, moment: float) -> float:
        """Seconds from the last byte of the request to `moment`."""
        return max(0.0, moment - self.sent_at)

    def piece_came(self) -> float:
        """Seconds from the last byte of the request to now, when a piece can be read."""
        self._waits_since = time.monotonic()
        return self.since_sent(self._waits_since - self._showing)

    def piece_shown(self) -> None:
        """The piece that came is shown, and the reader reads on."""
        now = time.monotonic()
        self._showing += now - self._waits_since
        self._waits_since = now

    def _on_sent(self, _block: Block) -> None:
        self.sent_at = time.monotonic()

    def _on_received(self, block: Block) -> None:
        if not len(block):
            return
        now = time.monotonic()
        if self.wire.waited:
            self._showing = 0.0
        self._waits_since = now
        self.last_at = now - self._showing
        if not self.reads:
            self.first_at = self.last_at
        self.reads += 1
