"""Drives the reading of the socket server, its routes and a store in memory without a connection."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from clients.comparison.random_values import without_random_values
from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.responses import FileSlice, Response, problem_response
from servers.routes import TABLE
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA
from servers.settings import Settings
from servers.storage.memory import MemoryStore

_SAMPLE_FILES = Path(__file__).resolve().parent.parent.parent / "sample_files"
_CONTENTS = [path.read_bytes() for path in sorted(_SAMPLE_FILES.iterdir()) if path.is_file()]
SAMPLES = {hashlib.sha256(content).hexdigest(): content for content in _CONTENTS}
_MOST_KEPT = 256 * 1024
_PARSERS = SansIoParsers()

Sent = tuple[int, tuple[tuple[str, str], ...], bytes, bool]
"""Status, fields and body of a response, and whether only its head is sent."""


def responses_to(pieces: Iterable[bytes], *, loop: bool = False) -> tuple[list[Sent], list[str]]:
    """The responses to all requests in these pieces, up to the first refusal, and the names in the store.

    `loop` calls the methods of the exchange that an event loop calls.
    """
    store = MemoryStore()
    store.add(SAMPLES)
    context = Settings().context(store)
    reader = RequestReader(context.limits)
    all_sent: list[Sent] = []
    exchange: Exchange | None = None
    try:
        for piece in (*pieces, b""):
            reader.feed(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, HeadReceived):
                    exchange = None
                    exchange = Exchange(event.head, TABLE, _PARSERS, context)
                    if loop and exchange.must_ask_store:
                        exchange.ask_store()
                elif exchange is None:
                    break
                elif isinstance(event, BodyReceived):
                    _take(exchange, event.data, loop=loop)
                elif isinstance(event, BodyComplete):
                    if loop:
                        exchange.end()
                    all_sent.append(sent(exchange.respond() if loop else exchange.finish()))
                else:
                    break
    except Problem as problem:
        all_sent.append(sent(exchange.refuse(problem) if exchange else problem_response(problem)))
    return all_sent, sorted(store.names())


def _take(exchange: Exchange, data: bytes | memoryview, *, loop: bool) -> None:
    if not loop:
        exchange.feed(data)
        return
    exchange.hold(data)
    if exchange.must_write(_MOST_KEPT):
        exchange.write()


def sent(response: Response) -> Sent:
    """What is compared of a response. The name of a new upload is random."""
    headers = tuple((name, without_random_values(name, value) or "") for name, value in response.headers)
    if isinstance(response.body, bytes):
        body = response.body
    elif isinstance(response.body, FileSlice):
        body = b"" if response.head_only else b"".join(response.body.blocks())
    else:
        body = b"".join(event.data for event in response.body.events)
    return response.status, headers, body, response.head_only
