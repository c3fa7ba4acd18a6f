"""Bounds for `flask run`: its server reads without a time-out, drains without a limit and binds anywhere.

Its lines for requests are replaced by those of the log.
"""

import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug import serving

from ..contract import error_log
from ..contract.limits import LINGER_SECONDS
from ..contract.problems import Problem
from ..contract.request_log import RequestLog, RequestRecord
from ..settings import Settings, SettingsError
from .linger import drain

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_RESET = struct.pack("ii", 1, 0)  # struct linger: on, zero seconds


class DevConnection:
    """The connection of one request under Werkzeug's server. Under any other server it does nothing."""

    def __init__(self, connection: socket.socket | None, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    @classmethod
    def of(cls, environ: "WSGIEnvironment", settings: Settings) -> "DevConnection":
        """The connection that Werkzeug's server puts into its environ."""
        connection = environ.get("werkzeug.socket")
        return cls(connection if isinstance(connection, socket.socket) else None, settings)

    @contextmanager
    def idle_timeout(self) -> Iterator[None]:
        """Apply the idle time-out while a body is read. Making a response has no time-out."""
        if self._connection is None:
            yield
            return
        self._connection.settimeout(self._settings.limits.body_idle_timeout)
        try:
            yield
        finally:
            self._connection.settimeout(None)

    def check_arrival(self) -> None:
        """Raise Problem `misdirected_host` for a request to an address that must not be served.

        `flask run --host` binds before our code runs, so the rule of contract section 8 is checked here.
        """
        if self._connection is None:
            return
        address = self._connection.getsockname()
        try:
            if isinstance(address, tuple):
                self._settings.check_bind(address[0])
        except SettingsError as error:
            raise Problem("misdirected_host", str(error), rule=None) from None

    def close_after(self, body: bytes, record: RequestRecord) -> Iterator[bytes]:
        """Yield the body, end the record, and close the connection with a bounded linger.

        Without this, Werkzeug's server drains up to 10 GB, in reads of 10 MB that wait for their last byte.
        """
        yield body
        record.end()
        if self._connection is None:
            return
        try:
            self._connection.shutdown(socket.SHUT_WR)
            if not drain(self._connection, LINGER_SECONDS):
                # Reset the connection: a client that still sends would wait for a window that never opens.
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._connection.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # the peer has gone


class RequestHandler(serving.WSGIRequestHandler):
    """Werkzeug's handler without its own lines. It logs what it refuses, which the application never sees."""

    log_of_requests: RequestLog
    _length = 0

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not a request, with a page that repeats nothing of it: it may have a secret."""
        record = self.log_of_requests.record(self.client_address)
        record.begin()
        super().send_error(code)
        record.status, record.sent = code, self._length
        record.end()

    def send_header(self, keyword: str, value: str) -> None:
        """Remember how long the page of an error is."""
        if keyword == "Content-Length":
            self._length = int(value)
        super().send_header(keyword, value)

    def log_request(self, *_args: Any) -> None:
        """Does nothing: the application logs its requests."""

    def log_error(self, *_args: Any) -> None:
        """Does nothing: `send_error` logs what it refuses."""


def log_through(log: RequestLog, application: logging.Logger, *, as_json: bool) -> None:
    """Make the development server of this process log its requests in `log`, and let it wait for no reader.

    `application` is the logger of the application. If gunicorn has a file for errors, it stays as it is.
    """
    RequestHandler.log_of_requests = log
    serving.WSGIRequestHandler = RequestHandler  # type: ignore[misc]  # `flask run` cannot be given a class
    logger = logging.getLogger("werkzeug")
    if not logger.handlers:  # Werkzeug would add one, which waits for standard error
        logger.addHandler(logging.StreamHandler())
    error_log.set_up("werkzeug", as_json=as_json)
    if not any(
        isinstance(each, logging.FileHandler) for each in logging.getLogger("gunicorn.error").handlers
    ):
        error_log.set_up(application.name, as_json=as_json)
