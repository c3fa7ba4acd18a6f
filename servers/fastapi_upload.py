"""The FastAPI backend (extra `fastapi`): it hosts the parsers of `sansio` over ASGI.

`uvicorn servers.fastapi_upload:app --http servers.fastapi_server.protocol:ContractProtocol`

It is not an independent reading of requests: the socket server has the same parsers. That both give the same
responses shows that the parsers depend on no host. Any ASGI server can run the application. Only the protocol
class hands the client's bytes to the parsers; any other server has read the head and the chunks itself.
"""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import anyio
import click
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi import Response as FastAPIResponse
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from .contract.cors import with_permission
from .contract.exchange import Exchange
from .contract.problems import Problem
from .contract.request import RequestHead
from .contract.responses import EventStream, FileSlice, Response, problem_response
from .contract.route import Context
from .fastapi_server.body_stream import BodyStream
from .fastapi_server.interim import tell
from .fastapi_server.logged import begin_record, counting, quiet_uvicorn, record_of
from .fastapi_server.scope import read_scope
from .fastapi_server.worker_process import is_a_successor
from .routes import TABLE
from .sansio.parsers import SansIoParsers
from .settings import Settings, SettingsError, StartError, start_upkeep, sweep

_PARSERS = SansIoParsers()
_PROTOCOL = f"{__package__}.fastapi_server.protocol"
# So many bytes of files are kept before a thread writes them: a small upload needs a thread only once.
_HELD = 256 * 1024


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; without `settings` it reads them from the environment.

    Raises SettingsError.
    """
    settings = Settings.from_environment() if settings is None else settings
    if is_a_successor() and not settings.store_in_memory:
        # uvicorn forks no workers, so this one cannot get the store that the first one opened.
        settings = replace(settings, existing_store=True)
    context = settings.context(settings.open_store(), settings.open_history(), "fastapi")
    sweep(context.store)
    start_upkeep(context.store, context.limits)
    quiet_uvicorn(as_json=settings.log_json)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    # FastAPI gets no route, because its routing differs from the contract (307, 404, 405, decoded paths).
    app.router.default = Endpoint(context, settings)
    app.add_exception_handler(Exception, _hide)
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Warn at the start of a server that does not use the protocol class."""
    # A server loads the class before it starts the application, and nothing else imports its module.
    if _PROTOCOL not in sys.modules:
        logging.getLogger("uvicorn.error").warning(
            "This server reads requests itself, so it answers malformed ones in its own way and keeps no time"
            f" limit for heads and sending; start uvicorn with --http {_PROTOCOL}:ContractProtocol"
        )
    yield


async def _hide(request: Request, _error: Exception) -> FastAPIResponse:
    # Starlette raises the error again after this response, for the server's log.
    response = problem_response(Problem("internal", "the request failed; the log says why"))
    record = record_of(request.scope)
    record.respond(response)
    record.sent = response.content_length or 0
    record.end()
    sent = _fastapi_response(response)
    sent.headers["Connection"] = "close"  # a part of the body may be unread
    return sent


class Endpoint:
    """Answers every path. Only what may wait for the disk runs in a thread."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self._context = context
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's interface: the order of judgement (contract section 4), then the response."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        if self._context.metrics is not None:
            self._context.metrics.begin("fastapi")
        record = begin_record(scope, self._context.log, self._context.history)
        try:
            # A client that has left gets no response; what it sent is undone by then.
            with suppress(ClientDisconnect):
                await self._handle(scope, receive, counting(send, scope))
        except Exception:
            if record.status is not None:  # else `_hide` responds, and ends the record
                record.end()
            raise
        record.end()

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        limits = self._context.limits
        record = record_of(scope)
        record.begin(scope["method"], scope["raw_path"].decode("latin-1"))
        try:
            head = read_scope(scope, limits)
        except Problem as problem:
            await _answer(problem_response(problem), BodyStream(request, limits), scope, receive, send)
            return
        record.begin(head.method, head.target)
        record.token = self._context.access.token_name(head)
        record.route = TABLE.name_of(head)
        if record.capture is not None:
            record.capture.head_complete(head)
        body = BodyStream(request, limits, head)
        response = await self._respond(scope, head, body)
        response = with_permission(response, head, self._context, TABLE)
        await _answer(response, body, scope, receive, send)

    async def _respond(self, scope: Scope, head: RequestHead, body: BodyStream) -> Response:
        """The response to a request, be it a problem. Raises ClientDisconnect, and faults of the server."""
        try:
            self._check_arrival(scope)
            context = self._context.arrived_at(scope.get("server"), scope.get("client"))
            exchange = Exchange(head, TABLE, _PARSERS, context)
        except Problem as problem:
            return problem_response(problem, head=head)
        record = record_of(scope)
        try:
            if exchange.must_ask_store:
                await run_sync(exchange.ask_store)
                tell(scope, exchange)
            async for piece in body:
                record.received += len(piece)
                if record.capture is not None:
                    record.capture.body(piece)
                exchange.hold(piece)
                if exchange.must_write(_HELD):
                    await run_sync(exchange.write)
                    tell(scope, exchange)
            if record.capture is not None:
                record.capture.complete()
            exchange.end()
            return await run_sync(exchange.respond) if exchange.waits else exchange.respond()
        except BaseException as error:
            if exchange.has_begun:
                with anyio.CancelScope(shield=True):
                    await run_sync(exchange.abort)
            else:
                exchange.abort()
            if isinstance(error, Problem):
                return exchange.refuse(error)
            raise

    def _check_arrival(self, scope: Scope) -> None:
        """Raise Problem `misdirected_host` for an address that must not be served (contract section 8).

        uvicorn does not ask the application where to listen, so the address of the request is checked.
        """
        host, port = scope.get("server") or (None, None)
        try:
            if port is not None:  # else a Unix socket
                self._settings.check_bind(host)
        except SettingsError as error:
            raise Problem("misdirected_host", str(error), rule=None) from None


async def _answer(response: Response, body: BodyStream, scope: Scope, receive: Receive, send: Send) -> None:
    record_of(scope).respond(response)
    sent = _fastapi_response(response)
    try:
        if body.ended:
            await sent(scope, receive, send)
        else:
            await _refuse(sent, body, send)
    finally:
        # Close it here, not in the garbage collector: the stream stops when the client leaves (section 6).
        if not isinstance(response.body, FileSlice):
            response.close()
        elif (file := response.body.detach()) is not None:
            with anyio.CancelScope(shield=True):
                await run_sync(file.close)


async def _refuse(sent: FastAPIResponse, body: BodyStream, send: Send) -> None:
    """Send the whole response, wait a bounded time for a client that still sends, then close (section 4)."""
    fields = [*sent.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": sent.status_code, "headers": fields})
    await send({"type": "http.response.body", "body": sent.body, "more_body": True})
    await body.drain()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _fastapi_response(response: Response) -> FastAPIResponse:
    """The response as it is; only Content-Length is added."""
    sent = _body_response(response.status, b"" if response.head_only else response.body)
    fields = list(response.headers)
    if response.content_length is not None:
        fields.append(("Content-Length", str(response.content_length)))
    sent.raw_headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in fields]
    return sent


def _body_response(status: int, body: bytes | FileSlice | EventStream) -> FastAPIResponse:
    if isinstance(body, FileSlice):
        return StreamingResponse(_read(body), status)
    if isinstance(body, EventStream):
        return EventSourceResponse(_paced(body), status)
    return FastAPIResponse(body, status)


async def _read(body: FileSlice) -> AsyncIterator[bytes]:
    blocks = body.blocks()
    while True:
        if body.must_read:
            await run_sync(body.read_ahead)
        block = next(blocks, None)
        if block is None:
            return
        yield block


async def _paced(stream: EventStream) -> AsyncIterator[bytes]:
    """Each event is sent before the next one is made; a pause needs no thread (S7)."""
    for event in stream.events:
        if event.data:
            yield event.data
        if event.wait:
            await anyio.sleep(event.wait)


def __getattr__(name: str) -> Any:
    # The application is made when a server asks for it, so importing this module opens no store.
    if name == "app":
        try:
            app = globals()["app"] = create_app()
        except StartError as error:  # the server's command shows it in one sentence
            raise click.ClickException(str(error)) from None
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
