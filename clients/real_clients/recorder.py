"""A recorder between clients and a server: it forwards the bytes of both sides, and keeps a copy.

Its port stays the same when the server behind it changes, so that a client sends the same Host to each
server.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

_HOST = "127.0.0.1"
_READ_BYTES = 65536
_IDLE_SECONDS = 30.0
_GET = b"GET "


@dataclass(slots=True)
class Conversation:
    """The bytes of one connection: `sent` by the client, `received` from the server."""

    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)


class Recorder:
    """Listens on a free port. `upstream` is the (host, port) of the server. It serves `pages` itself.

    It is a context manager that closes itself.
    """

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.upstream: tuple[str, int] = (_HOST, 0)
        self._pages = {_GET + path.encode() + b" ": page for path, page in pages.items()}
        self._conversations: list[Conversation] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """Its own URL, without a final slash."""
        return f"http://{_HOST}:{self.port}"

    def take(self, seconds: float = 10.0) -> list[Conversation]:
        """Wait until all connections so far have ended, and return their bytes, in order.

        Raises TimeoutError when one has not ended within `seconds`.
        """
        deadline = time.monotonic() + seconds
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError("a connection of the client has not ended")
        conversations, self._conversations = self._conversations, []
        return conversations

    def so_far(self) -> list[Conversation]:
        """Copies of the bytes of all connections so far, in order."""
        return [Conversation(bytearray(each.sent), bytearray(each.received)) for each in self._conversations]

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            conversation = Conversation()
            self._conversations.append(conversation)
            thread = threading.Thread(target=self._hold, args=(client, conversation), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _hold(self, client: socket.socket, conversation: Conversation) -> None:
        client.settimeout(_IDLE_SECONDS)
        with client, contextlib.suppress(OSError):
            data = client.recv(_READ_BYTES)
            page = next((page for start, page in self._pages.items() if data.startswith(start)), None)
            if page is None:
                self._forward(client, data, conversation)
            else:
                client.sendall(_page_response(page))

    def _forward(self, client: socket.socket, data: bytes, conversation: Conversation) -> None:
        with socket.create_connection(self.upstream, timeout=_IDLE_SECONDS) as server:
            back = threading.Thread(target=_pump, args=(server, client, conversation.received), daemon=True)
            back.start()
            conversation.sent += data
            with contextlib.suppress(OSError):
                server.sendall(data)
                _pump(client, server, conversation.sent)
            back.join()


def _pump(source: socket.socket, target: socket.socket, record: bytearray) -> None:
    """Forward all bytes until `source` ends, then shut the write side of `target`."""
    with contextlib.suppress(OSError):
        while data := source.recv(_READ_BYTES):
            record += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _page_response(page: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + page
