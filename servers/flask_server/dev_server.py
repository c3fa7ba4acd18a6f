"""Bounds for `flask run`: its server reads without a time-out, drains without a limit and binds anywhere."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..contract.limits import LINGER_SECONDS
from ..contract.problems import Problem
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
            raise Problem("misdirected_host", str(error)) from None

    def close_after(self, body: bytes) -> Iterator[bytes]:
        """Yield the body, and close the connection after it with a bounded linger.

        Without this, Werkzeug's server drains up to 10 GB, in reads of 10 MB that wait for their last byte.
        """
        yield body
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
