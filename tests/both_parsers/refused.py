"""The Problem with which each reading refuses the requests of one connection, in process."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.contract.route import Context
from servers.flask_reading.chunks import ChunkedStream
from servers.flask_reading.forms import WerkzeugParsers
from servers.flask_reading.wire_head import WireHead
from servers.routes import TABLE
from servers.sansio.connection import BodyReceived, ConnectionClosed, HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.parsers import LIMITS
from tests.sansio.splits import source_of

_PIECE = 65536

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


def _context(stored: Mapping[str, bytes], limits: Limits) -> Context:
    store = MemoryStore()
    store.add(dict(stored))
    return replace(Settings().context(store), limits=limits)


def refused_by_sansio(
    pieces: Iterable[bytes], stored: Mapping[str, bytes] = _NOTHING, limits: Limits = LIMITS
) -> Problem | None:
    """The first Problem of the requests in `pieces`, or None. `stored` are files by their SHA-256."""
    context, parsers = _context(stored, limits), SansIoParsers()
    reader = RequestReader(context.limits)
    exchange: Exchange | None = None
    try:
        for piece in (*pieces, b""):
            reader.feed(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, ConnectionClosed):
                    return None
                if isinstance(event, HeadReceived):
                    exchange = Exchange(event.head, TABLE, parsers, context)
                    continue
                assert exchange is not None
                if isinstance(event, BodyReceived):
                    exchange.feed(event.data)
                else:
                    exchange.finish().close()
    except Problem as problem:
        return problem
    return None


def refused_by_flask(
    pieces: Iterable[bytes], stored: Mapping[str, bytes] = _NOTHING, limits: Limits = LIMITS
) -> Problem | None:
    """As `refused_by_sansio`. Heads and chunks are read from their bytes, as under gunicorn."""
    context, parsers = _context(stored, limits), WerkzeugParsers()
    source = source_of([*pieces])
    rest = b""
    try:
        while True:
            wire = WireHead(context.limits)
            while not wire.feed(rest):
                rest = source(_PIECE)
                if not rest:
                    return None
            assert wire.head is not None
            exchange = Exchange(wire.head, TABLE, parsers, context)
            rest = _serve(wire.head, _Bytes(wire.rest, source), exchange, context)
    except Problem as problem:
        return problem


class _Bytes:
    """Bytes that were read already, and then those of a source."""

    def __init__(self, rest: bytes, source: Callable[[int], bytes]) -> None:
        self.rest = rest
        self._source = source

    def read(self, size: int) -> bytes:
        data = self.rest or self._source(size)
        self.rest = data[size:]
        return data[:size]


def _serve(head: RequestHead, source: _Bytes, exchange: Exchange, context: Context) -> bytes:
    """Read the body of one request. Returns what was read of the next one."""
    if head.chunked:
        has_type = head.field("content-type") is not None
        chunks = ChunkedStream(source.read, context.limits, has_type=has_type, check_rate=lambda size: None)
        while data := chunks.read(_PIECE):
            exchange.feed(data)
        source.rest = chunks.rest + source.rest
    left = head.content_length or 0
    while left:
        data = source.read(min(left, _PIECE))
        if not data:
            raise Problem("body_truncated", "the pieces end before the body", rule="B2")
        left -= len(data)
        exchange.feed(data)
    exchange.finish().close()
    return source.rest


REFUSE: Mapping[str, Callable[..., Problem | None]] = {"sansio": refused_by_sansio, "flask": refused_by_flask}
