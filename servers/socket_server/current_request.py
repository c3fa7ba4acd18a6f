"""The request under way on one connection, from the end of its head until its response begins."""

from ..contract.exchange import Exchange
from ..contract.route import Context
from ..routes import TABLE
from ..sansio.connection import HeadReceived
from ..sansio.parsers import SansIoParsers
from .loop import Loop
from .pace import BodyPace


class CurrentRequest:
    """One request: its head, how much of its body has come, and the exchange that handles it.

    `body_size` is in bytes, chunked coding removed. `complete` says whether the last byte has come.
    """

    def __init__(self, received: HeadReceived, context: Context, now: float) -> None:
        self.received = received
        self.body_size = 0
        self.complete = False
        self.pace = BodyPace(context.limits, now)
        self._context = context
        self._exchange: Exchange | None = None

    def check_head(self, parsers: SansIoParsers) -> None:
        """Steps 6 to 9 of contract section 4. Raises Problem."""
        self._exchange = Exchange(self.received.head, TABLE, parsers, self._context)

    @property
    def exchange(self) -> Exchange:
        """The exchange, after `check_head` and before `abort`."""
        assert self._exchange is not None
        return self._exchange

    def abort(self, loop: Loop) -> None:
        """End it, and remove what was stored, in a thread. Safe to call twice."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if exchange.has_begun:
            loop.in_thread(exchange.abort, lambda _: None, client=self._context.client)
        else:
            exchange.abort()
