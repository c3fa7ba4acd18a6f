"""A guest beside the two backends: FastAPI (extra `fastapi`). `uvicorn servers.fastapi_upload:app`.

FastAPI reads a request by `fastapi_reading`; what a request means and what is answered is the shared
contract.
`--http servers.fastapi_server.protocol:ContractProtocol` makes problems of what uvicorn refuses, too.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
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

from .contract.problems import Problem
from .contract.redaction import WITHOUT_QUERIES
from .contract.request import RequestHead
from .contract.responses import EventStream, FileSlice, Response, problem_response
from .fastapi_reading import PythonMultipartReading, read_scope
from .fastapi_reading.body_stream import BodyStream
from .routes import TABLE, Context, Exchange
from .settings import Settings, SettingsError

_PARSERS = PythonMultipartReading()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; without `settings` they are read from the environment.

    Raises SettingsError.
    """
    settings = Settings.from_environment() if settings is None else settings
    context = settings.context(settings.open_store())
    settings.clean(context.store)
    logging.getLogger("uvicorn.access").addFilter(WITHOUT_QUERIES)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # FastAPI has no route of its own: its routing (307, 404, 405, decoded paths) is kept out of it.
    app.router.default = Endpoint(context, settings)
    app.add_exception_handler(Exception, _hide)
    return app


async def _hide(_request: Request, _error: Exception) -> FastAPIResponse:
    # Starlette raises the error again behind this answer, for the server's log.
    sent = _fastapi_response(problem_response(Problem("internal", "the request failed; the log says why")))
    sent.headers["Connection"] = "close"  # who knows how much of the body was read
    return sent


class Endpoint:
    """Answers every path. Whatever may wait for the disk runs in a thread, and a slow peer holds none."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self._context = context
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's interface: steps 1 to 10 of the order of judgement (contract section 4), then the answer."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        request = Request(scope, receive)
        limits = self._context.limits
        # A peer that has left is not answered; what it sent is undone by then.
        with suppress(ClientDisconnect):
            try:
                head = read_scope(request, limits)
            except Problem as problem:
                await _answer(problem_response(problem), BodyStream(request, limits), scope, receive, send)
                return
            body = BodyStream(request, limits, head)
            await _answer(await self._judge(scope, head, body), body, scope, receive, send)

    async def _judge(self, scope: Scope, head: RequestHead, body: BodyStream) -> Response:
        """Raises ClientDisconnect, and whatever is no fault of the request."""
        try:
            self._check_arrival(scope)
            exchange = await run_sync(Exchange, head, TABLE, _PARSERS, self._context)
        except Problem as problem:
            return problem_response(problem, head=head)
        try:
            async for piece in body:
                await run_sync(exchange.feed, piece)
            return await run_sync(exchange.finish)
        except Problem as problem:
            return await run_sync(exchange.refuse, problem)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await run_sync(exchange.abort)
            raise

    def _check_arrival(self, scope: Scope) -> None:
        """Raise Problem `misdirected_host` for an address that must not be served (contract section 8).

        uvicorn never asks us where to listen, so that the rule is kept here.
        """
        host, port = scope.get("server") or (None, None)
        try:
            if port is not None:  # else a Unix socket
                self._settings.check_bind(host)
        except SettingsError as error:
            raise Problem("misdirected_host", str(error)) from None


async def _answer(response: Response, body: BodyStream, scope: Scope, receive: Receive, send: Send) -> None:
    sent = _fastapi_response(response)
    try:
        if body.ended:
            await sent(scope, receive, send)
        else:
            await _refuse(sent, body, send)
    finally:
        # Here and not when a collector finds it: production stops when the client leaves (section 6).
        response.close()


async def _refuse(sent: FastAPIResponse, body: BodyStream, send: Send) -> None:
    """The whole answer, then a bounded wait for a peer that still sends, then the close (section 4)."""
    fields = [*sent.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": sent.status_code, "headers": fields})
    await send({"type": "http.response.body", "body": sent.body, "more_body": True})
    await body.drain()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _fastapi_response(response: Response) -> FastAPIResponse:
    """The answer as it is: no field is added but Content-Length."""
    sent = _body_response(response.status, b"" if response.head_only else response.body)
    fields = list(response.headers)
    if response.content_length is not None:
        fields.append(("Content-Length", str(response.content_length)))
    sent.raw_headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in fields]
    return sent


def _body_response(status: int, body: bytes | FileSlice | EventStream) -> FastAPIResponse:
    if isinstance(body, FileSlice):
        return StreamingResponse(body.blocks(), status)  # read in threads
    if isinstance(body, EventStream):
        return EventSourceResponse(_paced(body), status)
    return FastAPIResponse(body, status)


async def _paced(stream: EventStream) -> AsyncIterator[bytes]:
    """Each event is sent before the next one is made; a pause holds no thread (S7)."""
    for event in stream.events:
        yield event.data
        if event.wait:
            await anyio.sleep(event.wait)


def __getattr__(name: str) -> Any:
    # Made when a server asks for it, so that importing this module opens no store.
    if name == "app":
        try:
            app = globals()["app"] = create_app()
        except SettingsError as error:
            raise click.UsageError(str(error)) from None  # shown as one by the server's command
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
