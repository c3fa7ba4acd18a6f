"""A TCP proxy that cuts connections after given numbers of bytes, in turn by a reset and by a close."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

_HOST = "127.0.0.1"
_READ_BYTES = 16384
_PATIENCE_SECONDS = 10.0


def random_cuts(size: int, count: int, seed: int) -> list[int]:
    """`count` numbers of bytes, so that all cuts fall into an upload of `size` bytes."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(1, size), count))
    return [end - start for start, end in zip([0, *places], places, strict=False)]


class CuttingProxy:
    """Forwards bytes between clients and `upstream`, a host and a port.

    `cuts` are numbers of bytes of clients: after each of them the connection that sent the last byte is cut.
    What the server has not read then is lost. `made` counts the cuts so far, and `on_cut` is called
    before each with this number. Bytes are counted over all connections, since the cut before.
    """

    def __init__(self, upstream: tuple[str, int], cuts: Sequence[int]) -> None:
        self.upstream = upstream
        self.made = 0
        self.on_cut: Callable[[int], object] = lambda made: None
        self._paused = False
        self._cuts = list(cuts)
        self._lock = threading.Lock()
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{_HOST}:{self.port}"

    def pause(self) -> None:
        """Reset every new connection, as if the server were away."""
        self._paused = True

    def resume(self) -> None:
        """Forward again."""
        self._paused = False

    def close(self) -> None:
        """Refuse further connections, and wait for those that are open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        if self._paused:
            _end(client, reset=True)
            return
        try:
            server = socket.create_connection(self.upstream, timeout=_PATIENCE_SECONDS)
        except OSError:  # the server restarts
            _end(client, reset=True)
            return
        with client, server, contextlib.suppress(OSError):
            self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """Forward until one side ends, or the cut."""
        open_sides = {client: server, server: client}
        while open_sides:
            for side in select.select(list(open_sides), [], [], _PATIENCE_SECONDS)[0]:
                data = side.recv(_READ_BYTES)
                if not data:
                    with contextlib.suppress(OSError):
                        open_sides.pop(side).shutdown(socket.SHUT_WR)
                    continue
                kept, reset = self._count(len(data)) if side is client else (len(data), None)
                open_sides[side].sendall(data[:kept])
                if reset is not None:
                    self.on_cut(self.made)
                    _end(client, reset=reset)
                    _end(server, reset=reset)
                    return

    def _count(self, size: int) -> tuple[int, bool | None]:
        """How many bytes to forward, and whether the connection is cut then, and by a reset."""
        with self._lock:
            if not self._cuts:
                return size, None
            left = self._cuts[0] - size
            if left > 0:
                self._cuts[0] = left
                return size, None
            self._cuts.pop(0)
            self.made += 1
            return size + left, bool(self.made % 2)


def _end(connection: socket.socket, *, reset: bool) -> None:
    """Close it; a reset drops what the peer has not read."""
    with contextlib.suppress(OSError):
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@contextmanager
def cutting(upstream: tuple[str, int], cuts: Sequence[int]) -> Iterator[CuttingProxy]:
    """A running proxy."""
    proxy = CuttingProxy(upstream, cuts)
    try:
        yield proxy
    finally:
        proxy.close()
