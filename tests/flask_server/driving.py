"""Drives the reading of Flask under gunicorn, its routes and a store in memory without a connection."""

from collections.abc import Iterable
from typing import Any

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.responses import problem_response
from servers.flask_reading import WerkzeugParsers
from servers.flask_reading.wire_head import WireHead
from servers.flask_server.body_input import BodyInput
from servers.flask_server.gunicorn_request import RequestBody
from servers.routes import TABLE
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.routes.driving import SAMPLES, Sent, sent

_PARSERS = WerkzeugParsers()


def responses_to(pieces: Iterable[bytes]) -> tuple[list[Sent], list[str]]:
    """The responses to all requests in these pieces, up to the first refusal, and the names in the store."""
    store = MemoryStore()
    store.add(SAMPLES)
    context = Settings().context(store)
    arriving: Any = _Arriving(pieces, context.limits)
    responses: list[Sent] = []
    exchange: Exchange | None = None
    try:
        while (wire := arriving.head()) is not None:
            exchange = None
            assert wire.head is not None
            body = RequestBody(arriving, wire)
            exchange = Exchange(wire.head, TABLE, _PARSERS, context)
            has_type = wire.head.field("content-type") is not None
            for piece in BodyInput({"wsgi.input": body}, wire.head, context.limits, has_type=has_type):
                exchange.feed(piece)
            responses.append(sent(exchange.finish()))
    except Problem as problem:
        responses.append(sent(exchange.refuse(problem) if exchange else problem_response(problem)))
    return responses, sorted(store.names())


class _Arriving:
    """The pieces that arrive, in the place of `gunicorn_request.HeadReader`."""

    def __init__(self, pieces: Iterable[bytes], limits: Limits) -> None:
        self.limits = limits
        self.sock = self
        self._pieces = [piece for piece in pieces if piece][::-1]

    def head(self) -> WireHead | None:
        """The next head, or None when the pieces end before it is complete. Raises Problem."""
        wire = WireHead(self.limits)
        while self._pieces:
            if wire.feed(self._pieces.pop()):
                self.unread(wire.rest)
                return wire
        return None

    def receive(self, size: int) -> bytes:
        """1 to `size` bytes, or nothing at the end."""
        if not self._pieces:
            return b""
        piece = self._pieces.pop()
        self.unread(piece[size:])
        return piece[:size]

    def unread(self, data: bytes) -> None:
        """These bytes are read next."""
        if data:
            self._pieces.append(data)

    def sendall(self, data: bytes) -> None:
        """An interim response is not compared."""
