"""A connection with a running backend, for requests that are sent byte for byte."""

import socket

from clients.launch import RunningBackend


def connect(backend: RunningBackend, sent: bytes = b"") -> socket.socket:
    """A new connection on which `sent` was sent."""
    connection = socket.create_connection((backend.host, backend.port), timeout=10)
    connection.sendall(sent)
    return connection


def receive_all(connection: socket.socket) -> bytes:
    """Everything that comes until the peer closes; the connection is closed then."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))
