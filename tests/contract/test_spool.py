"""A body that is taken as it is stays in memory or goes to a file, and is forgotten after the response."""

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import pytest

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import ParsedRequest
from servers.contract.responses import Response
from servers.contract.route import Context, Route, RouteTable
from servers.contract.spool import IN_MEMORY, Spool
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from tests.contract.heads import head
from tests.refusals import refusal_code
from tests.routes.faulty_store import FaultyStore

_DATA = bytes(range(251)) * 2000


class Files:
    """Opens files without a name, and keeps them."""

    def __init__(self) -> None:
        self.opened: list[BinaryIO] = []

    def __call__(self) -> BinaryIO:
        self.opened.append(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115  # the spool closes it
        return self.opened[-1]


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, len(_DATA)])
@pytest.mark.parametrize("piece", [1000, IN_MEMORY, len(_DATA)])
def test_the_bytes_are_read_back_wherever_they_lie(size: int, piece: int) -> None:
    files = Files()
    spool = Spool(files)
    buffer = bytearray(_DATA[:size])
    for at in range(0, size, piece):
        spool.write(memoryview(buffer)[at : at + piece])
    buffer[:] = bytes(size)  # the caller uses its buffer again
    whole = spool.finish()
    assert (whole.size, whole.sha256) == (size, hashlib.sha256(_DATA[:size]).hexdigest())
    assert (len(files.opened), spool.on_disk, spool.size) == (size > IN_MEMORY, size > IN_MEMORY, size)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: spool.read(0, size + 1), range(8))) == [_DATA[:size]] * 8
    assert spool.read(size // 2, 100) == _DATA[:size][size // 2 : size // 2 + 100]
    for _ in range(2):
        spool.close()
    assert all(file.closed for file in files.opened)


def _exchange(store: FaultyStore, seen: list[bytes], limits: Limits | None = None) -> Exchange:
    """An exchange with a route that takes the body as it is, and reads it in its handler."""

    def handler(request: ParsedRequest, _context: Context) -> Response:
        content = request.body.content
        seen.append(b"" if content is None else content.read(0, request.body.size))
        if seen[-1].startswith(b"bad"):
            raise Problem("bad_value", "x")
        return Response(204, ())

    route = Route("take", ".*", ("POST",), handler, body="spooled", uses_store=True)
    context = Settings(limits=limits or Limits()).context(store)
    fields = {"content-type": "multipart/form-data", "content-encoding": "gzip", "content-range": "x"}
    return Exchange(head(chunked=True, fields=fields), RouteTable((route,)), SansIoParsers(), context)


@pytest.mark.parametrize("body", [b"", b"no form", _DATA], ids=len)
def test_an_event_loop_writes_the_body_only_in_threads(body: bytes) -> None:
    store, seen = FaultyStore(), list[bytes]()
    exchange = _exchange(store, seen)
    for at in range(0, len(body), 100_000):
        exchange.hold(body[at : at + 100_000])
    exchange.end()
    assert (store.steps, exchange.has_begun, exchange.waits) == ([], False, True)
    assert exchange.unwritten == len(body)
    assert exchange.respond().status == 204
    assert seen == [body]
    assert store.steps == ["scratch"] * (len(body) > IN_MEMORY)
    assert not exchange.has_begun, "the file is still open"


def test_a_body_is_forgotten_after_a_refusal_of_its_route() -> None:
    exchange = _exchange(FaultyStore(), [])
    exchange.feed(b"bad" + _DATA)
    assert exchange.has_begun
    assert refusal_code(exchange.finish) == "bad_value"
    assert not exchange.has_begun


def test_a_store_that_gives_no_file_is_a_problem_of_the_store() -> None:
    exchange = _exchange(FaultyStore(fail=0), [])
    assert refusal_code(exchange.feed, _DATA) == "store_unavailable"
    full = _exchange(FaultyStore(fail=0, error=OSError(28, "full")), [])
    assert refusal_code(full.feed, _DATA) == "insufficient_storage"


def test_the_limit_of_every_body_holds() -> None:
    exchange = _exchange(FaultyStore(), [], Limits(max_body=10))
    exchange.feed(b"x" * 10)
    assert refusal_code(exchange.feed, b"x") == "body_too_large"
