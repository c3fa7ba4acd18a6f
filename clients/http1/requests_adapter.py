"""Lets requests connect through our watched sockets, or write into a function for a dry run."""

import http.client
import socket
from collections.abc import Callable
from typing import Any, NoReturn

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from .digest import Block
from .wire import Wire, WireSocket, WireTLSSocket, watch_tls


class DryRunDone(Exception):
    """The whole request has been written, and there is no response to read."""


class WatchedAdapter(HTTPAdapter):
    """requests' adapter with our connections: `wire` watches them, or `write` takes all bytes instead."""

    def __init__(self, wire: Wire, write: Callable[[Block], None] | None = None) -> None:
        self._wire = wire
        self._write = write
        super().__init__()

    def init_poolmanager(self, *args: Any, **pool_kwargs: Any) -> None:
        """Also used for https: the context makes the sockets."""
        super().init_poolmanager(*args, **pool_kwargs, ssl_context=watch_tls(create_urllib3_context()))

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """A pool whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kinds = _DRY if self._write else _WATCHED
        pool.ConnectionCls = kinds[pool.scheme or "http"]
        pool.conn_kw |= {"write": self._write} if self._write else {"wire": self._wire}
        return pool


class _FinalResponse(http.client.HTTPResponse):
    """Skips every interim response (RFC 9110, section 15.2). http.client skips 100 alone."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = None  # type: ignore[assignment]  # begin() reads a head only when there is none
            super().begin()


class _Watched:
    response_class: Any = _FinalResponse

    def __init__(self, *args: Any, wire: Wire, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wire = wire


class _WatchedHTTP(_Watched, HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return WireSocket.adopt(super()._new_conn(), self.wire)


class _WatchedHTTPS(_Watched, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        assert isinstance(self.sock, WireTLSSocket)
        self.sock.wire = self.wire


class _DrySocket:
    """Passes on what is sent. Reading the response ends the dry run."""

    def __init__(self, write: Callable[[Block], None]) -> None:
        self.sendall = write

    def settimeout(self, seconds: float | None) -> None:
        """Nothing to wait for."""

    def shutdown(self, how: int) -> None:
        """Nothing to shut."""

    def close(self) -> None:
        """Nothing to close."""

    def makefile(self, *args: Any) -> NoReturn:
        """What http.client reads the response from."""
        raise DryRunDone


class _DryHTTP(HTTPConnection):
    def __init__(self, *args: Any, write: Callable[[Block], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._write = write

    def connect(self) -> None:
        self.sock = _DrySocket(self._write)
        self.is_verified = True  # for https: there is no certificate to verify


class _DryHTTPS(_DryHTTP, HTTPSConnection):
    """The same, and `connect` is not that of HTTPSConnection."""


_WATCHED: dict[str, Any] = {"http": _WatchedHTTP, "https": _WatchedHTTPS}
_DRY: dict[str, Any] = {"http": _DryHTTP, "https": _DryHTTPS}
