"""Every recorded request, read as the socket server reads and answered: no cut shows (M89)."""

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from clients.comparison.cases import load_cases
from servers.contract.problems import Problem
from servers.contract.responses import FileSlice, Response, problem_response
from servers.routes import TABLE, Exchange
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.sansio.splits import at_random, by_size, bytewise

_PROJECT = Path(__file__).resolve().parent.parent.parent
_RECORDED = load_cases()
_SAMPLES = [path.read_bytes() for path in sorted((_PROJECT / "sample_files").iterdir()) if path.is_file()]
_BYTEWISE = 3000
_PARSERS = SansIoParsers()
_Said = tuple[int, tuple[tuple[str, str], ...], bytes, bool]


def _answers(pieces: Iterable[bytes]) -> tuple[list[_Said], list[str]]:
    """What is said to all requests in these pieces, up to the first refusal, and what is stored then."""
    store = MemoryStore()
    store.add({hashlib.sha256(sample).hexdigest(): sample for sample in _SAMPLES})
    context = Settings().context(store)
    reader = RequestReader(context.limits)
    said: list[_Said] = []
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
                    exchange.feed(event.data)
                elif isinstance(event, BodyComplete):
                    said.append(_said(exchange.finish()))
                else:
                    break
    except Problem as problem:
        said.append(_said(exchange.refuse(problem) if exchange else problem_response(problem)))
    return said, sorted(store.names())


def _said(response: Response) -> _Said:
    if isinstance(response.body, bytes):
        body = response.body
    elif isinstance(response.body, FileSlice):
        body = b"".join(response.body.blocks())
    else:
        body = b"".join(event.data for event in response.body.events)
    return response.status, response.headers, body, response.head_only


@pytest.mark.parametrize("batch", range(8))
def test_no_cut_shows_in_an_answer(batch: int) -> None:
    """Equal bytes, equal fields, the same files in the store, whatever the reads were."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = _answers([data])
        rng = random.Random(case.name)
        for _ in range(2):
            pieces = at_random(data, rng)
            assert _answers(pieces) == whole, (case.name, [len(piece) for piece in pieces])
        if len(data) <= _BYTEWISE:
            assert _answers(bytewise(data)) == whole, case.name
        else:
            assert _answers(by_size(data, 1021)) == whole, case.name


def test_the_recorded_requests_get_answers_of_every_kind() -> None:
    """The comparison above is not one of nothing with nothing."""
    statuses = {said[0] for case in _RECORDED for said in _answers([case.request])[0]}
    assert {200, 206, 304, 400, 404, 405, 413, 414, 415, 416, 417, 421, 431, 501, 505} <= statuses
