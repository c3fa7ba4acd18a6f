"""The line that the log has for each request of the FastAPI application, under any ASGI server."""

import logging

from starlette.types import Message, Scope, Send

from ..contract import error_log
from ..contract.capture import Capturing, history_at
from ..contract.request_log import RequestLog, RequestRecord

_RECORD = "wireproof.record"
# uvicorn's messages for what a client did wrong. The log has a line for each such request.
_CLIENT_FAULTS = ("Invalid HTTP request received.", "Unsupported upgrade request.")


def begin_record(scope: Scope, log: RequestLog, history: Capturing | None) -> RequestRecord:
    """The record of a request that has just begun, for `record_of(scope)`. The wire is hidden from us."""
    client = scope.get("client")
    history = history_at(history, scope.get("server"))
    capture = None if history is None else history.capture("fastapi", wire=False)
    record = scope[_RECORD] = log.record(tuple(client) if client else None, capture)
    record.begin()
    return record


def record_of(scope: Scope) -> RequestRecord:
    """The record of the request with this scope."""
    record = scope[_RECORD]
    assert isinstance(record, RequestRecord)
    return record


def counting(send: Send, scope: Scope) -> Send:
    """The same `send`; what it has sent of the response's body is counted."""
    record = record_of(scope)

    async def send_and_count(message: Message) -> None:
        await send(message)
        piece = message.get("body", b"")
        record.sent += len(piece)
        if record.capture is not None and piece:
            record.capture.piece(piece)

    return send_and_count


def quiet_uvicorn(*, as_json: bool) -> None:
    """Leave out uvicorn's own lines for requests, and let its other lines wait for nobody."""
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_no_fault_of_a_client)
    error_log.set_up("uvicorn", "uvicorn.error", as_json=as_json)


def _is_no_fault_of_a_client(record: logging.LogRecord) -> bool:
    return record.msg not in _CLIENT_FAULTS
