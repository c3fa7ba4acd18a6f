"""The line that the log has for each request of the Flask application, under any WSGI server."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from ..contract.capture import Capture, Capturing, history_at
from ..contract.request_log import RequestLog, RequestRecord
from .gunicorn_request import RequestBody
from .sending import Sending, SentFile

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_RECORD = "wireproof.record"


def record_of(environ: "WSGIEnvironment") -> RequestRecord:
    """The record of a request that came through `Logged`."""
    record = environ[_RECORD]
    assert isinstance(record, RequestRecord)
    return record


class Logged:
    """A WSGI application around another one, which fills in the record of each of its requests."""

    def __init__(
        self, application: "WSGIApplication", log: RequestLog, history: Capturing | None = None
    ) -> None:
        self._application = application
        self._log = log
        self._history = history

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._log.metrics is not None:
            self._log.metrics.begin("flask")  # under our gunicorn worker it has begun
        host, port = environ.get("REMOTE_ADDR"), environ.get("REMOTE_PORT")
        capture = self._capture(environ)
        record = environ[_RECORD] = self._log.record((host, port) if host and port else None, capture)
        record.begin()
        body = self._application(environ, start_response)
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and isinstance(body, Sending) and (file := body.file) is not None:
            assert file.descriptor is not None
            return cast(Iterable[bytes], wrapper(SentFile(file, file.descriptor, record)))
        return _Sent(body, record)

    def _capture(self, environ: "WSGIEnvironment") -> Capture | None:
        """The capture of our own gunicorn worker, which sees the wire, or one that sees the environ alone."""
        stream = environ["wsgi.input"]
        if isinstance(stream, RequestBody):
            capture = stream.capture
        elif self._history is not None:
            sock = environ.get("werkzeug.socket")
            history = history_at(self._history, None if sock is None else sock.getsockname())
            capture = None if history is None else history.capture("flask", wire=False)
        else:
            return None
        if capture is not None:
            capture.environ(environ)
        return capture


class _Sent:
    """The body of a response. A piece counts as sent when the server asks for the next one."""

    def __init__(self, body: Iterable[bytes], record: RequestRecord) -> None:
        self._body = body
        self._record = record

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece
            self._record.sent += len(piece)
            if self._record.capture is not None:
                self._record.capture.piece(piece)
        self._record.end()

    def close(self) -> None:
        """Called by the server at the end, or when the client has left (PEP 3333)."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._record.end()
