"""One connection with a server: sends pieces, reads everything that comes back, and reports how it ended.

It sends and reads at the same time, because a refusal may come before everything is sent. It keeps the
write side open by default: an attacker does not show the server where a request ends.
"""

import select
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clients.http1.exchange import request_methods
from clients.http1.response_parser import Response, ResponseError, read_responses
from tests.patience import patient

SECONDS = 30.0
_READ = 1 << 18
_SEGMENT = 1 << 18


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `ended`: the peer closed, `seconds` after the last byte that it sent.

    `sent` counts the bytes that the kernel took. `fault` says why `raw` is not a sequence of whole responses.
    """

    raw: bytes
    responses: tuple[Response, ...]
    continues: int
    fault: str
    ended: bool
    seconds: float
    sent: int

    def only(self) -> Response:
        """The only response. Fails when there are more or fewer."""
        assert not self.fault, f"{self.fault}: {self.raw[-200:]!r}"
        assert len(self.responses) == 1, f"{len(self.responses)} responses: {self.raw[:400]!r}"
        return self.responses[0]


def talk(
    port: int,
    pieces: Iterable[bytes] | bytes,
    *,
    expected: int = 1,
    half_close: bool = False,
    methods: tuple[bytes, ...] | None = None,
    seconds: float = SECONDS,
) -> Reply:
    """Send `pieces` and read until the peer closes.

    `half_close` shuts the write side after the last byte. Without it, and once `expected` responses are
    there, it waits half a second for the peer's close: the connection may be kept alive.
    """
    if isinstance(pieces, bytes):
        methods = methods or request_methods(pieces)
        pieces = [pieces]
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        talking = _Talk(connection, pieces, methods or (b"POST",), expected)
        return talking.hold(half_close, time.monotonic() + patient(seconds))


class _Talk:
    def __init__(
        self, connection: socket.socket, pieces: Iterable[bytes], methods: tuple[bytes, ...], expected: int
    ) -> None:
        self._connection = connection
        self._unsent = _cut(pieces)
        self._piece: memoryview | None = next(self._unsent, None)
        self._methods = methods
        self._expected = expected
        self._received = bytearray()
        self._heard_at = time.monotonic()
        self._sent = 0

    def hold(self, half_close: bool, deadline: float) -> Reply:
        quiet = patient(0.5)
        while (now := time.monotonic()) < deadline:
            if self._piece is None and half_close:
                self._shut()
                half_close = False
            writing = [self._connection] if self._piece is not None else []
            reading, writing, _ = select.select([self._connection], writing, [], min(deadline - now, quiet))
            if writing:
                self._send()
            if reading and not self._receive():
                return self._reply(ended=True)
            if not (reading or writing) and self._is_answered():
                break
        return self._reply(ended=False)

    def _is_answered(self) -> bool:
        return len(self._reply(ended=False).responses) >= self._expected

    def _send(self) -> None:
        assert self._piece is not None
        try:
            count = self._connection.send(self._piece)
        except BlockingIOError:
            return
        except OSError:  # closed by the peer: its response can still be read
            self._piece = None
            return
        self._sent += count
        self._piece = self._piece[count:] if count < len(self._piece) else next(self._unsent, None)

    def _shut(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            return  # closed by the peer meanwhile

    def _receive(self) -> bool:
        try:
            data = self._connection.recv(_READ)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self._received += data
        if data:
            self._heard_at = time.monotonic()
        return bool(data)

    def _reply(self, *, ended: bool) -> Reply:
        raw = bytes(self._received)
        waited = time.monotonic() - self._heard_at
        try:
            responses = read_responses(raw, self._methods, ended=ended)
        except ResponseError as error:
            return Reply(raw, (), 0, str(error), ended, waited, self._sent)
        complete = tuple(responses.complete)
        return Reply(raw, complete, responses.continues, responses.unfinished, ended, waited, self._sent)


def _cut(pieces: Iterable[bytes]) -> Iterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), _SEGMENT):
            yield view[start : start + _SEGMENT]
