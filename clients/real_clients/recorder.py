"""A recorder between clients and a server: it passes bytes on as they come and keeps those of both sides.

Its own port stays when the server behind it changes, so a client sends the same Host to all of them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

from ..launch import HOST

_READ_BYTES = 65536
_IDLE_SECONDS = 30.0
_GET = b"GET "


@dataclass(slots=True)
class Conversation:
    """What went over one connection: `sent` by the client, `answered` by the server."""

    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


class Recorder:
    """Listens on a free port. `upstream` is (host, port) of the server; `pages` it serves itself.

    As a context manager it is closed at the end.
    """

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.upstream: tuple[str, int] = (HOST, 0)
        self._pages = {_GET + path.encode() + b" ": page for path, page in pages.items()}
        self._conversations: list[Conversation] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{HOST}:{self.port}"

    def take(self, seconds: float = 10.0) -> list[Conversation]:
        """Wait for the end of all connections so far and return what went over them, in order.

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

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
                self._pass_on(client, data, conversation)
            else:
                client.sendall(_page_answer(page))

    def _pass_on(self, client: socket.socket, data: bytes, conversation: Conversation) -> None:
        with socket.create_connection(self.upstream, timeout=_IDLE_SECONDS) as server:
            back = threading.Thread(target=_pump, args=(server, client, conversation.answered), daemon=True)
            back.start()
            conversation.sent += data
            with contextlib.suppress(OSError):
                server.sendall(data)
                _pump(client, server, conversation.sent)
            back.join()


def _pump(source: socket.socket, target: socket.socket, record: bytearray) -> None:
    """Pass on until `source` ends, then end `target`'s side of it."""
    with contextlib.suppress(OSError):
        while data := source.recv(_READ_BYTES):
            record += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _page_answer(page: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + page
