"""What requests really puts on the wire, without a network: its connections write into a list.

Everything of requests, urllib3 and http.client runs but the socket, and nothing of `clients` does.
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Any
from unittest import mock

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

BOUNDARY = "0123456789abcdef0123456789abcdef"
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _RecordingSocket:
    def __init__(self, sent: list[bytes]) -> None:
        self._sent = sent

    def sendall(self, data: Any) -> None:
        self._sent.append(bytes(data))

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(_RESPONSE)

    def settimeout(self, seconds: float | None) -> None:
        pass

    def shutdown(self, how: int) -> None:
        pass

    def close(self) -> None:
        pass


def _recording(base: type[HTTPConnection], sent: list[bytes]) -> type[HTTPConnection]:
    class Recording(base):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            self.sock = _RecordingSocket(sent)
            self.is_verified = True

    return Recording


class _RecordingAdapter(HTTPAdapter):
    def __init__(self, sent: list[bytes]) -> None:
        self._kinds = {"http": _recording(HTTPConnection, sent), "https": _recording(HTTPSConnection, sent)}
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._kinds[pool.scheme]
        return pool


def bytes_of_requests(method: str, url: str, **arguments: Any) -> bytes:
    """The bytes of `requests.request(method, url, **arguments)`, with the boundary BOUNDARY."""
    sent: list[bytes] = []
    with requests.Session() as session, pinned_boundary():
        session.trust_env = False
        for prefix in ("http://", "https://"):
            session.mount(prefix, _RecordingAdapter(sent))
        session.request(method, url, **arguments)
    return b"".join(sent)


@contextlib.contextmanager
def pinned_boundary() -> Iterator[None]:
    """urllib3 chooses BOUNDARY."""
    with mock.patch("urllib3.filepost.choose_boundary", lambda: BOUNDARY):
        yield


def without_own_fields(request: bytes) -> bytes:
    """The bytes without the two fields in which every client names itself."""
    head, end, body = request.partition(b"\r\n\r\n")
    own = (b"user-agent:", b"accept-encoding:")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(own)]
    return b"\r\n".join(lines) + end + body
