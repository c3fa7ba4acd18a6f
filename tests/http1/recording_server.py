"""A server on loopback that runs a script for each connection and keeps the bytes that it read.

Every test that needs a server to behave in a certain way uses this one. A script is a function of the `Peer`.
`scripted` and `playing` make the usual ones.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.IGNORECASE)
# The head with which compare and fuzz store a sample file first.
_STORING = re.compile(rb"PUT /upload/[^ ]+ HTTP/1\.1\r\nHost: [^\r]+\r\nContent-Length: ([0-9]+)\r\n\r\n")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked\r\n", re.IGNORECASE)

Script = Callable[["Peer"], object]


def ok(body: bytes = b"{}\n", status: str = "200 OK", media_type: str = "application/json") -> bytes:
    """A response with a Content-Length; `status` makes it another one than 200."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Peer:
    """One accepted connection. `received` has all that was read, in so many `reads`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = bytearray()
        self.reads = 0
        connection.settimeout(_PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_head(self) -> bytes:
        """Read until the empty line; the head, with it."""
        while b"\r\n\r\n" not in self.received and self.read():
            pass
        return bytes(self.received.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def read_request(self) -> bytes:
        """Read one request to its end, however it is framed."""
        head = self.read_head()
        length = _LENGTH.search(head)
        if _CHUNKED.search(head):
            while not self.received.endswith(b"0\r\n\r\n") and self.read():
                pass
        elif length is not None:
            while len(self.received) < len(head) + int(length[1]) and self.read():
                pass
        return bytes(self.received)

    def read_to_the_end(self) -> bytes:
        """Read until the client shuts its write side. Only a request that may be malformed needs that.

        A sample file that is stored first has an end of its own.
        """
        while self.read():
            head = _STORING.match(self.received)
            if head and len(self.received) == head.end() + int(head[1]):
                break
        return bytes(self.received)

    def read(self) -> bytes:
        """Read what is there."""
        data = self.connection.recv(65536)
        self.received += data
        self.reads += bool(data)
        return data

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def reset(self) -> None:
        """Close with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class RecordingServer:
    """`peers` are the connections so far, in order."""

    def __init__(self, *scripts: Script) -> None:
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []
        self._scripts = scripts
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def requests(self) -> list[bytes]:
        """What each peer has sent so far."""
        return [bytes(peer.received) for peer in self.peers]

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{HOST}:{self.port}"

    def stop_listening(self) -> None:
        """Refuse all further connections."""
        with suppress(OSError):  # it may have stopped already
            self._listener.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End, and raise what a script has raised."""
        self.stop_listening()
        self._listener.close()
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        if self.errors:
            raise self.errors[0]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            peer = Peer(connection)
            script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
            self.peers.append(peer)
            try:
                with connection:
                    script(peer)
            except (BrokenPipeError, ConnectionResetError):
                continue  # the client may leave at any time
            except BaseException as error:
                self.errors.append(error)


@contextmanager
def recording(*scripts: Script) -> Iterator[RecordingServer]:
    """A running server: the n-th script is for the n-th connection, the last one for all further ones."""
    server = RecordingServer(*scripts)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def scripted(
    response: bytes | Callable[[bytes], bytes],
    *,
    early: bool = False,
    reset: bool = False,
    to_the_end: bool = False,
) -> Iterator[RecordingServer]:
    """A server that reads one request, sends `response` or what it returns, reads to the end, and closes.

    `early`: it responds after its first read, and closes with the rest unread. `reset`: it ends the
    connection with a reset. `to_the_end`: it reads to the end first, because the request may be malformed.
    """

    def script(peer: Peer) -> None:
        if early:
            peer.read()
        elif to_the_end:
            peer.read_to_the_end()
        else:
            peer.read_request()
        peer.send(response(bytes(peer.received)) if callable(response) else response)
        if reset:
            peer.reset()
        elif not early:
            # The client sees the end at once; what it still sends is read, or the close would be a reset.
            with suppress(OSError):
                peer.connection.shutdown(socket.SHUT_WR)
            while peer.read():
                pass

    with recording(script) as server:
        yield server


def echo_nothing(peer: Peer) -> None:
    """Read the whole request and respond with `{}`."""
    peer.read_request()
    peer.send(ok())


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

Steps = Sequence[bytes | float]


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def playing(steps: Steps) -> Script:
    """A script that reads the request and plays `steps`: bytes are sent, numbers are seconds to wait."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for step in steps:
            if isinstance(step, bytes):
                peer.send(step)
            else:
                time.sleep(step)

    return script
