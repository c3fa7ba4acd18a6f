"""The body of a request while it arrives: Starlette's stream, with a known end and with time limits."""

from collections.abc import AsyncIterator

import anyio
from starlette.requests import ClientDisconnect, Request

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS, Limits
from ..contract.problems import Problem
from ..contract.request import RequestHead


class BodyStream:
    """The pieces of one body, as they arrive. `ended` says whether all of it was read.

    Without a `head`, that is after a malformed one, it is not known yet whether there is a body.
    """

    def __init__(self, request: Request, limits: Limits, head: RequestHead | None = None) -> None:
        self.ended = head is not None and not (head.content_length or head.chunked)
        self._pieces = request.stream()
        self._limits = limits

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises Problem `request_timeout`, those of the server, and ClientDisconnect."""
        least = self._limits.min_body_rate * self._limits.body_rate_window
        arrived, window_end = 0, anyio.current_time() + self._limits.body_rate_window
        while piece := await self._receive():
            yield piece
            arrived += len(piece)
            if anyio.current_time() < window_end:
                continue
            if arrived < least:
                what = f"{arrived} bytes in {self._limits.body_rate_window} s"
                raise Problem("request_timeout", what, rule="B3")
            arrived, window_end = 0, anyio.current_time() + self._limits.body_rate_window

    async def _receive(self) -> bytes:
        if self.ended:
            return b""
        try:
            with anyio.fail_after(self._limits.body_idle_timeout):
                piece = await anext(self._pieces, b"")
        except TimeoutError:
            what = "no byte of the body arrived for too long"
            raise Problem("request_timeout", what, rule="B3") from None
        self.ended = not piece
        return piece

    async def drain(self) -> None:
        """Read and discard, at most 2 s or 1 MiB, so that a client that still sends can read the response."""
        left = LINGER_BYTES
        with anyio.move_on_after(LINGER_SECONDS):
            try:
                async for piece in self:
                    left -= len(piece)
                    if left < 0:
                        return
            except (Problem, ClientDisconnect):
                return
