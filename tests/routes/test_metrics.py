"""`/metrics`, without a server: who may read it, and what happens when it is off or cannot be read."""

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from servers.contract.exchange import Exchange
from servers.contract.request import BasicCredentials, OtherCredentials
from servers.contract.request_log import RequestRecord
from servers.contract.responses import Response
from servers.contract.route import Context
from servers.contract.tokens import Token
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code

_TEXT = b"# TYPE a counter\na 1.0\n"


class _Metrics:
    """Metrics that say the same each time, or fail."""

    connections: Callable[[], Mapping[str, int]] | None = None

    def __init__(self, error: OSError | None = None) -> None:
        self._error = error

    def begin(self, backend: str) -> None: ...

    def request_ended(self, record: RequestRecord, seconds: float) -> None: ...

    def drain(self) -> None: ...

    def exposition(self) -> bytes:
        if self._error is not None:
            raise self._error
        return _TEXT


def _context(metrics: _Metrics | None) -> Context:
    return dataclasses.replace(Settings().context(MemoryStore()), metrics=metrics)


def _ask(
    context: Context,
    method: str = "GET",
    host: str = "localhost",
    auth: BasicCredentials | OtherCredentials | None = None,
) -> Response:
    exchange = Exchange(head(method, "/metrics", host=host, auth=auth), TABLE, SansIoParsers(), context)
    return exchange.finish()


def test_the_text_is_that_of_the_metrics() -> None:
    response = _ask(_context(_Metrics()))
    assert (response.status, response.body, response.head_only) == (200, _TEXT, False)
    assert _ask(_context(_Metrics()), "HEAD").head_only


def test_metrics_are_off_by_default_and_then_there_are_none() -> None:
    assert Settings().context(MemoryStore()).metrics is None
    assert refusal_code(_ask, _context(None)) == "not_found"


def test_an_error_of_the_folder_is_no_error_of_the_store() -> None:
    assert refusal_code(_ask, _context(_Metrics(OSError(24, "Too many open files")))) == "internal"


@pytest.mark.parametrize(("method", "waits"), [("GET", True), ("HEAD", True), ("OPTIONS", False)])
def test_a_disk_that_hangs_does_not_hold_it_up(method: str, waits: bool) -> None:
    exchange = Exchange(head(method, "/metrics"), TABLE, SansIoParsers(), _context(_Metrics()))
    exchange.end()
    assert exchange.waits == waits
    assert not (waits and exchange.uses_disk)
    upload = Exchange(head("GET", "/healthz"), TABLE, SansIoParsers(), _context(_Metrics()))
    assert upload.uses_disk


def test_it_needs_a_name_of_the_server_and_a_token_that_may_read() -> None:
    tokens = (Token.of("ci", "upload", "u" * 16), Token.of("prometheus", "read", "r" * 16))
    context = _context(_Metrics())
    context = dataclasses.replace(context, access=dataclasses.replace(context.access, tokens=tokens))
    reads = OtherCredentials("bearer", "r" * 16)
    assert _ask(context, auth=reads).status == 200
    assert refusal_code(_ask, context) == "token_required"
    assert refusal_code(_ask, context, auth=OtherCredentials("bearer", "u" * 16)) == "forbidden_token"
    assert refusal_code(_ask, context, host="evil.example", auth=reads) == "misdirected_host"
