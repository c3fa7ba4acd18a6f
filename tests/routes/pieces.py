"""Sends requests for uploads in pieces to the routes, without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from servers.contract.cors import with_permission
from servers.contract.exchange import Exchange
from servers.contract.interim import Fields
from servers.contract.problems import Problem
from servers.contract.responses import Response, problem_response
from servers.contract.route import Context
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage import Store
from tests.contract.heads import head

_PARSERS = SansIoParsers()


@dataclass
class Sender:
    """Sends to one store. `always` are fields of each request; `interim` are the 104s of all of them."""

    store: Store
    always: dict[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    interim: list[Fields] = field(default_factory=list)
    takes_interim: bool = True

    @property
    def context(self) -> Context:
        return self.settings.context(self.store)

    def begin(self, method: str, path: str, fields: dict[str, str], size: int | None) -> Exchange:
        """The exchange of a request whose body has not come. Raises Problem."""
        given = self.always | fields
        request_head = head(method, path, fields=given, content_length=size, chunked=size is None)
        exchange = Exchange(request_head, TABLE, _PARSERS, self.context)
        exchange.ask_store()
        self._take(exchange)
        return exchange

    def send(
        self, method: str, path: str, fields: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """The response as a backend sends it."""
        request_head = head(method, path, fields=self.always | (fields or {}), content_length=len(body))
        exchange: Exchange | None = None
        try:
            exchange = Exchange(request_head, TABLE, _PARSERS, self.context)
            exchange.ask_store()
            self._take(exchange)
            for begin in range(0, len(body), 1 << 20):
                exchange.feed(body[begin : begin + (1 << 20)])
                self._take(exchange)
            response = exchange.finish()
        except Problem as problem:
            if exchange is None:
                response = problem_response(problem, head=request_head)
            else:
                response = exchange.refuse(problem)
        return with_permission(response, request_head, self.context, TABLE)

    @contextmanager
    def half_sent(
        self, method: str, path: str, fields: dict[str, str], body: bytes, size: int
    ) -> Iterator[Exchange]:
        """A request of whose `size` bytes only these have come, as an event loop keeps them."""
        exchange = self.begin(method, path, fields, size)
        exchange.hold(body)
        try:
            yield exchange
        finally:
            exchange.abort()

    def _take(self, exchange: Exchange) -> None:
        if self.takes_interim and (fields := exchange.take_interim()) is not None:
            self.interim.append(fields)


def fields_of(response: Response) -> dict[str, str]:
    """The header fields; none of them is there twice."""
    assert len({name for name, _ in response.headers}) == len(response.headers)
    return dict(response.headers)
