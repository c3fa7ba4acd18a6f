"""A client that sends exactly what a test gives it, and parses responses strictly."""

import socket
import time
from types import TracebackType
from typing import Self

from clients.http1.response_parser import Response, Responses, read_responses
from tests.patience import patient

_SECONDS = 10.0


class Client:
    """One connection to 127.0.0.1. No call waits longer than `patient(10)` seconds."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", receive_buffer: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patient(_SECONDS))
        try:
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *pieces: bytes) -> Self:
        """Send each piece in its own segment."""
        for piece in pieces:
            self.socket.sendall(piece)
        return self

    def end(self) -> Self:
        """Shut the write side."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def responses(self, count: int = 1, *, methods: tuple[bytes, ...] = (b"GET",)) -> list[Response]:
        """The next `count` responses. Does not wait for more, but keeps what came behind them."""
        while len((found := self._read(methods)).complete) < count:
            assert not self._ended, f"the connection ended after {len(found.complete)} responses"
            self._receive()
        return found.complete

    def response(self, method: bytes = b"GET") -> Response:
        """The only response so far."""
        (response,) = self.responses(1, methods=(method,))
        return response

    def until_closed(self, *, methods: tuple[bytes, ...] = (b"GET",)) -> list[Response]:
        """All responses until the server closes the connection."""
        while not self._ended:
            self._receive()
        found = self._read(methods)
        assert not found.unfinished, found.unfinished
        return found.complete

    @property
    def continues(self) -> int:
        """How many 100s came."""
        return self._read((b"GET",)).continues

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing arrives for so many seconds, not even the end of the connection."""
        self.socket.settimeout(seconds)
        try:
            self._receive()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(patient(_SECONDS))
        return False

    def seconds_to_close(self) -> float:
        """How many seconds it takes until the server ends the connection."""
        begin = time.monotonic()
        while not self._ended:
            self._receive()
        return time.monotonic() - begin

    @property
    def received(self) -> bytes:
        """All bytes that came so far."""
        return self._received

    def forget(self) -> Self:
        """Drop what was received. The next response counts as the first one again."""
        self._received = b""
        return self

    def _receive(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._ended = not data
        self._received += data

    def _read(self, methods: tuple[bytes, ...]) -> Responses:
        return read_responses(self._received, methods, ended=self._ended)


def get(path: str = "/", *fields: str) -> bytes:
    """A GET with these field lines."""
    return request("GET", path, *fields)


def request(method: str, path: str, *fields: str, body: bytes = b"", length: int | None = None) -> bytes:
    """A request. Its Content-Length is the length of `body`, unless `length` is given."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields]
    if body or length is not None:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join((*lines, "", "")).encode("ascii") + body
