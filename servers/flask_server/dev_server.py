"""What `flask run` needs beside: its server reads for ever, drains without bound and binds anywhere."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..contract.limits import LINGER_BYTES, LINGER_SECONDS
from ..contract.problems import Problem
from ..settings import Settings, SettingsError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for no time


class DevConnection:
    """The connection of one request under Werkzeug's server; under any other it does nothing."""

    def __init__(self, connection: socket.socket | None, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    @classmethod
    def of(cls, environ: "WSGIEnvironment", settings: Settings) -> "DevConnection":
        """The connection that Werkzeug's server puts into its environ."""
        connection = environ.get("werkzeug.socket")
        return cls(connection if isinstance(connection, socket.socket) else None, settings)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a body is read the idle time-out holds; an answer may take its time."""
        if self._connection is None:
            yield
            return
        self._connection.settimeout(self._settings.limits.body_idle_timeout)
        try:
            yield
        finally:
            self._connection.settimeout(None)

    def check_arrival(self) -> None:
        """Raise Problem `misdirected_host` for a request that arrived at an address we must not serve.

        `flask run --host` never asks us, so that the rule of contract section 8 is kept here.
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
        """The body, and once it is sent a bounded lingering close.

        Without it Werkzeug's server drains up to 10 GB, in reads of 10 MB that wait for their last byte.
        """
        yield body
        if self._connection is None:
            return
        try:
            self._connection.shutdown(socket.SHUT_WR)
            if not _drain(self._connection):
                # Closing must reset: a client that still sends would wait for a window that never opens.
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._connection.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # the peer has gone


def _drain(connection: socket.socket) -> bool:
    """Read and drop what comes, within bounds; whether the peer has ended its side."""
    deadline = time.monotonic() + LINGER_SECONDS
    left = LINGER_BYTES
    while left > 0 and (seconds := deadline - time.monotonic()) > 0:
        connection.settimeout(seconds)
        try:
            data = connection.recv(65536)
        except TimeoutError:
            return False
        if not data:
            return True
        left -= len(data)
    return False
