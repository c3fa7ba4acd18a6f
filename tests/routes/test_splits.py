"""Every recorded request gets the same response, however its bytes are split into reads (M89)."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.responses import FileSlice, Response, problem_response
from servers.routes import TABLE
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.recorded import recorded_cases
from tests.sansio.splits import samples

_PROJECT = Path(__file__).resolve().parent.parent.parent
_RECORDED = recorded_cases()
_SAMPLES = [path.read_bytes() for path in sorted((_PROJECT / "sample_files").iterdir()) if path.is_file()]
_BYTEWISE = 3000
_PARSERS = SansIoParsers()
_Sent = tuple[int, tuple[tuple[str, str], ...], bytes, bool]


def _responses(pieces: Iterable[bytes], *, loop: bool = False) -> tuple[list[_Sent], list[str]]:
    """The responses to all requests in these pieces, up to the first refusal, and the names in the store.

    `loop` calls the methods of the exchange that an event loop calls.
    """
    store = MemoryStore()
    store.add({hashlib.sha256(sample).hexdigest(): sample for sample in _SAMPLES})
    context = Settings().context(store)
    reader = RequestReader(context.limits)
    sent: list[_Sent] = []
    exchange: Exchange | None = None
    try:
        for piece in (*pieces, b""):
            reader.feed(piece)
            while (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, HeadReceived):
                    exchange = None
                    exchange = Exchange(event.head, TABLE, _PARSERS, context)
                elif exchange is None:
                    break
                elif isinstance(event, BodyReceived):
                    exchange.hold(event.data) if loop else exchange.feed(event.data)
                elif isinstance(event, BodyComplete):
                    if loop:
                        exchange.end()
                    sent.append(_sent(exchange.respond() if loop else exchange.finish()))
                else:
                    break
    except Problem as problem:
        sent.append(_sent(exchange.refuse(problem) if exchange else problem_response(problem)))
    return sent, sorted(store.names())


def _sent(response: Response) -> _Sent:
    if isinstance(response.body, bytes):
        body = response.body
    elif isinstance(response.body, FileSlice):
        body = b"" if response.head_only else b"".join(response.body.blocks())
    else:
        body = b"".join(event.data for event in response.body.events)
    return response.status, response.headers, body, response.head_only


@pytest.mark.parametrize("batch", range(8))
def test_no_response_depends_on_the_split(batch: int) -> None:
    """The bytes, the fields and the stored files are the same for every split."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = _responses([data])
        splits = samples(data, case.name, random_ones=2, bytewise_up_to=_BYTEWISE)
        for number, pieces in enumerate(splits):
            sent = _responses(pieces, loop=number % 2 == 0)
            assert sent == whole, (case.name, [len(piece) for piece in pieces])


def test_the_recorded_requests_get_responses_of_every_kind() -> None:
    """The test above compares more than refusals of one kind."""
    statuses = {sent[0] for case in _RECORDED for sent in _responses([case.request])[0]}
    assert {200, 206, 304, 400, 404, 405, 413, 414, 415, 416, 417, 421, 431, 501, 505} <= statuses
